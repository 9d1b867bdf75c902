/** A row of a data set under the field names of Open-R1 (OpenR1-Math-220k), which its users' tools read. */
import { createHash } from 'node:crypto';
import { partsOf } from '../../algorithm/data/response-parts.ts';
import type { DatasetRow } from '../../stores/data/dataset-rows.ts';

export interface OpenR1Row {
  problem: string;
  /** what the response says after its thinking */
  solution: string;
  /** the ground truth; empty for an example, which has none */
  answer: string;
  /** the domain */
  problem_type: string;
  source: string;
  /** of the prompt and the text: the same row has the same everywhere */
  uuid: string;
  generations: string[];
  /** whether the verifier gave full marks; null where none judged */
  correctness_math_verify: (boolean | null)[];
  /** null where it was not sampled */
  finish_reasons: ('stop' | 'length' | null)[];
  messages: { role: 'user' | 'assistant'; content: string }[];
}

export function openR1Row(row: DatasetRow, text: string): OpenR1Row {
  return {
    problem: row.problem,
    solution: partsOf(text)?.final ?? text,
    answer: row.answer,
    problem_type: row.domain,
    source: row.source,
    uuid: uuidOf(row),
    generations: [text],
    correctness_math_verify: [correctness(row)],
    finish_reasons: [row.rewards === null ? null : row.truncated ? 'length' : 'stop'],
    messages: [
      { role: 'user', content: row.problem },
      { role: 'assistant', content: text },
    ],
  };
}

function correctness({ rewards }: DatasetRow): boolean | null {
  const verdict = rewards?.accuracy;
  return verdict !== undefined && 'score' in verdict ? verdict.score === 1 : null;
}

/** A UUID of version 8 (RFC 9562): SHA-256 over the prompt's hash and the text's, with version and variant set. */
function uuidOf({ promptHash, text }: DatasetRow): string {
  const hash = createHash('sha256').update(`${promptHash} ${text.sha256}`).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}
