/** Texts that may also be lists of messages, whose contents may be lists of parts. */
import { z } from 'zod';
import { filled, RefusedRow, type Row } from './layout.ts';
import { eitherOf, type Reasoner, type Reasoning, reasoningIn, withThinking } from './reasoning.ts';

const part = z.union([z.string(), z.looseObject({ type: z.string().nullish() })]);
const message = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.array(part)], { error: 'expected a text, or a list of parts of text' }),
});
export const messagesSchema = z.array(message).min(1);
type Messages = z.infer<typeof messagesSchema>;
type Message = Messages[number];

/** A text, or the messages that hold it. */
export const spoken = z.union([filled, messagesSchema], {
  error: 'expected a text, or a list of {role, content}',
});
export type Spoken = z.infer<typeof spoken>;

const ANSWERS = 'assistant';
/** Roles of messages that hold reasoning. */
const REASONS = ['reasoning', 'thinking', 'thought', 'analysis'];
const TOOLS = ['tool', 'function', 'observation', 'ipython'];

/** What is asked: instructions and question of a conversation of one turn. */
export function askedIn(said: Spoken, field: string): string {
  if (typeof said === 'string') return said;
  const asked = turnOf(said).asked;
  if (asked.some(({ role }) => role === ANSWERS))
    throw new RefusedRow(
      field,
      'expected one question and one answer, found a conversation of several turns',
    );
  const tool = asked.find(({ role }) => TOOLS.includes(role));
  if (tool !== undefined)
    throw new RefusedRow(
      field,
      `expected instructions and a question, found a message of the role ${tool.role}`,
    );
  return filledText(asked.map((each) => contentOf(each, field).text.trim()).join('\n\n'), field);
}

/**
 * What is answered: the last message, which must be the assistant's, with its reasoning as thinking. `beside`: the
 * row's other fields, and whose reasoning they hold.
 */
export function answeredIn(said: Spoken, field: string, beside?: { row: Row; reasoner: Reasoner }): string {
  const apart = beside === undefined ? null : reasoningIn(beside.row, beside.reasoner);
  if (typeof said === 'string') return withThinking(said, apart);
  const { answer, reasons } = turnOf(said);
  if (answer === null)
    throw new RefusedRow(
      field,
      `expected a last message of the assistant, found one of ${said.at(-1)?.role}`,
    );
  const { text, thinking } = contentOf(answer, field);
  const found = [thinking, reasoningIn(answer), reasonsOf(reasons, field), apart];
  return withThinking(
    filledText(text, field),
    found.reduce((first, other) => eitherOf(first, other), null),
  );
}

/** A conversation's last answer, the reasoning said just before it, and what was asked. */
function turnOf(said: Messages): { asked: Messages; reasons: Messages; answer: Message | null } {
  const last = said.at(-1);
  if (last?.role !== ANSWERS) return { asked: said, reasons: [], answer: null };
  let begin = said.length - 1;
  while (REASONS.includes(said[begin - 1]?.role ?? '')) begin--;
  return { asked: said.slice(0, begin), reasons: said.slice(begin, -1), answer: last };
}

function reasonsOf(reasons: Messages, field: string): Reasoning | null {
  const text = reasons.map((each) => contentOf(each, field).text.trim()).join('\n');
  return reasoningIn({ reasoning: text });
}

const TEXT = ['text', 'input_text', 'output_text'];

/** A message's text, and its reasoning where that is a part of its own. Throws RefusedRow of any other part. */
function contentOf({ content }: Message, field: string): { text: string; thinking: Reasoning | null } {
  if (typeof content === 'string') return { text: content, thinking: null };
  const texts: string[] = [];
  const thoughts: unknown[] = [];
  for (const each of content) {
    const { type, text } = typeof each === 'string' ? { type: 'text', text: each } : (each as Row);
    if (TEXT.includes(String(type ?? 'text')) && typeof text === 'string') texts.push(text);
    else if (REASONS.includes(String(type))) thoughts.push(each);
    else throw new RefusedRow(field, `expected parts of text, found one of the type ${String(type)}`);
  }
  return {
    text: texts.join('\n'),
    thinking: reasoningIn({ thinking: thoughts.length > 0 ? thoughts : null }),
  };
}

function filledText(text: string, field: string): string {
  if (text.trim() !== '') return text;
  throw new RefusedRow(field, 'expected a text, found an empty one');
}
