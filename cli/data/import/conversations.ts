/** Texts that may be lists of messages, and reasoning in separate fields, which is kept as thinking. */
import { z } from 'zod';
import { filled, RefusedRow, type Row } from './layout.ts';

const part = z.union([z.string(), z.looseObject({ type: z.string().nullish() })]);
const message = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.array(part)], { error: 'expected a text, or a list of parts of text' }),
});
export const messagesSchema = z.array(message).min(1);
type Messages = z.infer<typeof messagesSchema>;
type Message = Messages[number];

/** A text, or a list of messages. */
export const spoken = z.union([filled, messagesSchema], {
  error: 'expected a text, or a list of {role, content}',
});
export type Spoken = z.infer<typeof spoken>;

const ANSWERS = 'assistant';
/** Roles of messages that hold reasoning. */
const REASONS = ['reasoning', 'thinking', 'thought', 'analysis'];
const TOOLS = ['tool', 'function', 'observation', 'ipython'];

/** The instructions and the question of a single-turn conversation. */
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
 * The answer: the last message, which must be the assistant's, with its reasoning as thinking. `others` are the row's
 * other fields, and whose reasoning to look for in them.
 */
export function answeredIn(said: Spoken, field: string, others?: { row: Row; reasoner: Reasoner }): string {
  const inRow = others === undefined ? null : reasoningIn(others.row, others.reasoner);
  if (typeof said === 'string') return withThinking(said, inRow);
  const { answer, reasons } = turnOf(said);
  if (answer === null)
    throw new RefusedRow(
      field,
      `expected a last message of the assistant, found one of ${said.at(-1)?.role}`,
    );
  const { text, thinking } = contentOf(answer, field);
  const found = [thinking, reasoningIn(answer), reasonsOf(reasons, field), inRow];
  return withThinking(
    filledText(text, field),
    found.reduce((first, other) => eitherOf(first, other), null),
  );
}

/** The last answer, the reasoning just before it, and everything asked before. */
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

/** A message's text, and the reasoning among its parts. Throws RefusedRow for any other part. */
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

/** A chain of thought, and the field that holds it. */
export interface Reasoning {
  field: string;
  text: string;
}

const NAMES = [
  ...[
    'reasoning',
    'reasoning_content',
    'reasoning_text',
    'reasoning_trace',
    'reasoning_chain',
    'reasoning_details',
  ],
  ...['thinking', 'thinking_content', 'thinking_trace', 'thinking_trajectory', 'think'],
  ...['thought', 'thoughts', 'chain_of_thought', 'cot'],
];

/** Values that say whether or how hard the model reasoned. */
const FLAGS = ['on', 'off', 'true', 'false', 'yes', 'no', 'none', 'n/a', 'low', 'medium', 'high'];

/** Whose reasoning is wanted, where a row holds that of several: a judge's reasons do not belong to a response. */
type Reasoner = 'response' | 'labelled' | 'chosen' | 'rejected';

function namesOf(reasoner: Reasoner): readonly string[] {
  if (reasoner === 'response') return [...NAMES, ...NAMES.map((name) => `deepseek_${name}`)];
  if (reasoner === 'labelled') return NAMES.filter((name) => name !== 'reasoning');
  return NAMES.flatMap((name) => [`${reasoner}_${name}`, `${name}_${reasoner}`]);
}

/** The reasoning in the fields of a row or message; null where there is none. Throws RefusedRow. */
export function reasoningIn(fields: Row, reasoner: Reasoner = 'response'): Reasoning | null {
  const names = namesOf(reasoner);
  const found = Object.keys(fields)
    .filter((field) => names.includes(field.toLowerCase()))
    .flatMap((field) => {
      const text = reasoningText(fields[field], field);
      return text === null ? [] : [{ field, text }];
    });
  const [first] = found;
  if (first === undefined) return null;
  return found.reduce(same, first);
}

/** One of two fields with the same reasoning. Fields named `…_details` repeat a text in parts. */
function same(first: Reasoning, other: Reasoning): Reasoning {
  if (other.text === first.text || other.field.toLowerCase().endsWith('_details')) return first;
  if (first.field.toLowerCase().endsWith('_details')) return other;
  throw new RefusedRow(other.field, `expected one reasoning, found another than in ${first.field}`);
}

const eitherOf = (first: Reasoning | null, other: Reasoning | null) =>
  first && other ? same(first, other) : (first ?? other);

const OPEN = '<think>';
const CLOSE = '</think>';

function reasoningText(value: unknown, field: string): string | null {
  const text = Array.isArray(value) ? value.map((part) => partText(part, field)).join('\n') : value;
  if (text === null || text === undefined || typeof text === 'boolean' || typeof text === 'number')
    return null;
  if (typeof text !== 'string') throw new RefusedRow(field, 'expected reasoning as a text, found none');
  const bare = withoutTags(text.trim());
  if (bare === '' || FLAGS.includes(bare.toLowerCase())) return null;
  if (bare.includes(OPEN) || bare.includes(CLOSE))
    throw new RefusedRow(field, `expected reasoning without ${OPEN} and ${CLOSE} in it, found them`);
  return bare;
}

function partText(part: unknown, field: string): string {
  if (typeof part === 'string') return part;
  const { text, thinking, summary } = Object(part) as Row;
  const said = text ?? thinking ?? summary;
  if (typeof said === 'string') return said;
  throw new RefusedRow(field, 'expected reasoning as a text or a list of texts, found other parts');
}

const withoutTags = (text: string) =>
  text.startsWith(OPEN) && text.endsWith(CLOSE) ? text.slice(OPEN.length, -CLOSE.length).trim() : text;

/** The response after its reasoning. Throws RefusedRow where it already contains other thinking. */
export function withThinking(response: string, reasoning: Reasoning | null): string {
  if (reasoning === null) return response;
  if (!response.includes(OPEN) && !response.includes(CLOSE))
    return `${OPEN}\n${reasoning.text}\n${CLOSE}\n\n${response.trim()}`;
  if (response.includes(reasoning.text)) return response;
  throw new RefusedRow(
    reasoning.field,
    'expected the thinking that the response already contains, found another',
  );
}
