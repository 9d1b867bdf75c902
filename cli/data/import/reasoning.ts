/** Reasoning that data sets keep apart from the response: it is kept as thinking, or the row is refused. */
import { RefusedRow, type Row } from './layout.ts';

/** A chain of thought, and the field that it stood in. */
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

/** What says of a response whether or how hard it reasoned, and not what. */
const FLAGS = ['on', 'off', 'true', 'false', 'yes', 'no', 'none', 'n/a', 'low', 'medium', 'high'];

/** Who reasons where several do: a judge's reasons are no part of a response. */
export type Reasoner = 'response' | 'labelled' | 'chosen' | 'rejected';

function namesOf(reasoner: Reasoner): readonly string[] {
  if (reasoner === 'response') return [...NAMES, ...NAMES.map((name) => `deepseek_${name}`)];
  if (reasoner === 'labelled') return NAMES.filter((name) => name !== 'reasoning');
  return NAMES.flatMap((name) => [`${reasoner}_${name}`, `${name}_${reasoner}`]);
}

/** The reasoning in a row's or a message's fields; null where there is none. Throws RefusedRow. */
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

/** Of two fields, the reasoning that both hold; details repeat a text in parts. */
function same(first: Reasoning, other: Reasoning): Reasoning {
  if (other.text === first.text || other.field.toLowerCase().endsWith('_details')) return first;
  if (first.field.toLowerCase().endsWith('_details')) return other;
  throw new RefusedRow(other.field, `expected one reasoning, found another than in ${first.field}`);
}

/** The reasoning of a message and that of its row together. */
export const eitherOf = (first: Reasoning | null, other: Reasoning | null) =>
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

/** The response with its reasoning before it. Throws RefusedRow where it has other thinking of its own. */
export function withThinking(response: string, reasoning: Reasoning | null): string {
  if (reasoning === null) return response;
  if (!response.includes(OPEN) && !response.includes(CLOSE))
    return `${OPEN}\n${reasoning.text}\n${CLOSE}\n\n${response.trim()}`;
  if (response.includes(reasoning.text)) return response;
  throw new RefusedRow(
    reasoning.field,
    'expected the thinking that the response holds already, found another',
  );
}
