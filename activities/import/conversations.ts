/** Texts that may also be lists of messages. */
import { z } from 'zod';
import { filled, RefusedRow } from './layout.ts';

const message = z.looseObject({ role: z.string(), content: z.string() });
export const messagesSchema = z.array(message).min(1);
export type Messages = z.infer<typeof messagesSchema>;

/** A text, or the messages that hold it. */
export const spoken = z.union([filled, messagesSchema], {
  error: 'expected a text, or a list of {role, content}',
});
export type Spoken = z.infer<typeof spoken>;

/** What is asked: instructions and question of a conversation of one turn. */
export function askedIn(said: Spoken, field: string): string {
  if (typeof said === 'string') return said;
  const asked = said.at(-1)?.role === 'assistant' ? said.slice(0, -1) : said;
  if (asked.some(({ role }) => role === 'assistant'))
    throw new RefusedRow(
      field,
      'expected one question and one answer, found a conversation of several turns',
    );
  return filledText(asked.map(({ content }) => content.trim()).join('\n\n'), field);
}

/** What is answered: the last message, which must be the assistant's. */
export function answeredIn(said: Spoken, field: string): string {
  if (typeof said === 'string') return said;
  const last = said.at(-1);
  if (last?.role === 'assistant') return filledText(last.content, field);
  throw new RefusedRow(field, `expected a last message of the assistant, found one of ${last?.role}`);
}

function filledText(text: string, field: string): string {
  if (text.trim() !== '') return text;
  throw new RefusedRow(field, 'expected a text, found an empty one');
}
