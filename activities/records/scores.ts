import type { Thinking } from '../../algorithm/rl/rollout-health.ts';
import type { VerifierVersions } from '../../contracts/activities.ts';
import { Failure } from '../../contracts/failures.ts';
import type { Tensor } from '../../contracts/format/dtypes.ts';
import { textColumn } from '../../contracts/format/text-column.ts';
import type { Scores1 } from '../../contracts/records/release-1.ts';
import {
  type JudgedReward,
  RECORD_VERSION,
  type ScoresHeader,
  type ScoresRecord,
  type Verdict,
} from '../../contracts/records/schemas.ts';
import { TEXT_STATES, THINKING_STATES, VERDICT_STATES } from '../../contracts/records/tensors.ts';
import type { Reference } from '../../contracts/reference.ts';
import { type KeyOfContent, keys } from '../../stores/objects/keys.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { type DecodedRecord, decodeRecord, putRecord } from '../../stores/objects/records.ts';
import { ints } from '../ragged.ts';

/** A shard's scores without their texts. */
export interface DecodedScores {
  rollout: Reference;
  rewards: JudgedReward[];
  /** completions as text, [N] */
  texts: { kind: 'inline'; textsN: string[] } | { kind: 'record'; reference: Reference };
  /** columns of version 2; null in version 1 */
  columns: { lengthsN: Int32Array; truncatedN: Int32Array; thinkingN: Thinking[] } | null;
}

/** Reads a shard's scores of either version; its texts are read apart, by `readTexts`. */
export async function readScores(
  objects: Pick<ObjectStore, 'get'>,
  reference: Reference,
): Promise<DecodedScores> {
  const decoded = decodeRecord(['scores'], await objects.get(reference), reference.uri);
  if (isFirst(decoded.record)) {
    const { rollout, rewards, texts } = decoded.record;
    return { rollout, rewards, texts: { kind: 'inline', textsN: texts }, columns: null };
  }
  const { rollout, texts, rewards } = decoded.record;
  const lengthsN = decoded.ints('completionLengths');
  return {
    rollout,
    rewards: rewards.map(({ name, version }) => ({ name, version, verdicts: verdictsOf(decoded, name) })),
    texts: { kind: 'record', reference: texts },
    columns: {
      lengthsN,
      truncatedN: decoded.ints('truncated'),
      thinkingN: Array.from(decoded.bytes('thinking'), (code) => stateOf(THINKING_STATES, code, 'thinking')),
    },
  };
}

const isFirst = (record: Scores1 | ScoresHeader): record is Scores1 => !('version' in record);

/** A shard's scores with its texts. */
export async function readScoresAndTexts(
  objects: Pick<ObjectStore, 'get'>,
  reference: Reference,
): Promise<ScoresRecord> {
  const { rollout, rewards, texts } = await readScores(objects, reference);
  return { rollout, rewards, texts: await readTexts(objects, texts) };
}

/** Completions as text, [N]. */
export async function readTexts(
  objects: Pick<ObjectStore, 'get'>,
  texts: DecodedScores['texts'],
): Promise<string[]> {
  if (texts.kind === 'inline') return texts.textsN;
  const { reference } = texts;
  return decodeRecord(['texts'], await objects.get(reference), reference.uri).texts('texts');
}

export function putTexts(
  objects: Pick<ObjectStore, 'put'>,
  rollout: Reference,
  textsN: readonly string[],
): Promise<Reference> {
  const record = { kind: 'texts', version: RECORD_VERSION, rollout } as const;
  return putRecord(objects, keys.completionTexts(rollout), record, new Map(textColumn('texts', textsN)));
}

export interface NewScores {
  rollout: Reference;
  texts: Reference;
  rewards: readonly JudgedReward[];
  lengthsN: Int32Array;
  truncatedN: Int32Array;
  thinkingN: readonly Thinking[];
}

export function putScores(
  objects: Pick<ObjectStore, 'put'>,
  { rollout, texts, rewards, lengthsN, truncatedN, thinkingN }: NewScores,
  key: KeyOfContent = keys.scores(rollout),
): Promise<Reference> {
  const names = rewards.map(({ name, version }) => ({ name, version }));
  const record: ScoresHeader = { kind: 'scores', version: RECORD_VERSION, rollout, texts, rewards: names };
  const codes = Uint8Array.from(thinkingN, (state) => THINKING_STATES.indexOf(state));
  const tensors: [string, Tensor][] = [
    ['completionLengths', ints(lengthsN)],
    ['truncated', ints(truncatedN)],
    ['thinking', { dtype: 'U8', shape: [codes.length], data: codes }],
    ...rewards.flatMap(({ name, verdicts }) => [
      ...verdictColumns(name, verdicts),
      ...optionalTexts(
        `${name}.extracted`,
        verdicts.map((verdict) => textIn(verdict, 'extracted')),
      ),
      ...optionalTexts(
        `${name}.value`,
        verdicts.map((verdict) => textIn(verdict, 'value')),
      ),
    ]),
  ];
  return putRecord(objects, key, record, new Map(tensors));
}

const textIn = (verdict: Verdict, field: 'extracted' | 'value') =>
  'score' in verdict ? verdict[field] : undefined;

/** Score, state and error of each verdict. */
export function verdictColumns(name: string, verdicts: readonly Verdict[]): [string, Tensor][] {
  const states = Uint8Array.from(verdicts, (verdict) => VERDICT_STATES.indexOf(verdictState(verdict)));
  const scores = Float64Array.from(verdicts, (verdict) => ('score' in verdict ? verdict.score : 0));
  const errors = verdicts.map((verdict) => ('error' in verdict ? verdict.error : { kind: '', message: '' }));
  const anyError = verdicts.some((verdict) => 'error' in verdict);
  return [
    [`${name}.score`, { dtype: 'F64', shape: [scores.length], data: scores }],
    [`${name}.state`, { dtype: 'U8', shape: [states.length], data: states }],
    ...(anyError
      ? [
          ...textColumn(
            `${name}.errorKind`,
            errors.map(({ kind }) => kind),
          ),
          ...textColumn(
            `${name}.errorMessage`,
            errors.map(({ message }) => message),
          ),
        ]
      : []),
  ];
}

function verdictState(verdict: Verdict): (typeof VERDICT_STATES)[number] {
  if ('error' in verdict) return 'error';
  return verdict.absent ? 'absent' : 'score';
}

/** Texts that may be null or unknown; no tensors where all are unknown. */
function optionalTexts(name: string, rows: readonly (string | null | undefined)[]): [string, Tensor][] {
  if (rows.every((row) => row === undefined)) return [];
  const states = Uint8Array.from(rows, (row) => TEXT_STATES.indexOf(textState(row)));
  return [
    ...textColumn(
      name,
      rows.map((row) => row ?? ''),
    ),
    [`${name}.state`, { dtype: 'U8', shape: [rows.length], data: states }],
  ];
}

function textState(row: string | null | undefined): (typeof TEXT_STATES)[number] {
  if (row === undefined) return 'unknown';
  return row === null ? 'null' : 'text';
}

/** The verdicts of one reward, from its columns. */
export function verdictsOf(decoded: DecodedRecord<unknown>, name: string): Verdict[] {
  const scores = decoded.doubles(`${name}.score`);
  const states = decoded.bytes(`${name}.state`);
  const hasErrors = decoded.has(`${name}.errorKind`);
  const kinds = hasErrors ? decoded.texts(`${name}.errorKind`) : [];
  const errors = hasErrors ? decoded.texts(`${name}.errorMessage`) : [];
  const extracted = readOptionalTexts(decoded, `${name}.extracted`);
  const values = readOptionalTexts(decoded, `${name}.value`);
  return Array.from(states, (code, n): Verdict => {
    const state = stateOf(VERDICT_STATES, code, `${name}.state`);
    if (state === 'error') return { error: { kind: kinds[n] ?? '', message: errors[n] ?? '' } };
    const [found, value] = [extracted[n], values[n]];
    return {
      score: finite(scores[n], `${name}.score`),
      ...(typeof found === 'string' ? { extracted: found } : {}),
      ...(value === undefined ? {} : { value }),
      ...(state === 'absent' ? { absent: true } : {}),
    };
  });
}

function readOptionalTexts(decoded: DecodedRecord<unknown>, name: string): (string | null | undefined)[] {
  if (!decoded.has(name)) return [];
  const texts = decoded.texts(name);
  const states = decoded.bytes(`${name}.state`);
  return texts.map((text, n) => {
    const state = stateOf(TEXT_STATES, states[n] ?? 0, `${name}.state`);
    if (state === 'unknown') return undefined;
    return state === 'null' ? null : text;
  });
}

function stateOf<State>(states: readonly State[], code: number, column: string): State {
  const state = states[code];
  if (state !== undefined) return state;
  throw new Failure('CorruptObject', `${column}: expected 0 to ${states.length - 1}, found ${code}`);
}

function finite(score: number | undefined, column: string): number {
  if (score !== undefined && Number.isFinite(score)) return score;
  throw new Failure('CorruptObject', `${column}: expected a finite score, found ${score}`);
}

/** Reward → version of the verifier that judged. */
export const versionsOf = (rewards: readonly { name: string; version: number }[]): VerifierVersions =>
  Object.fromEntries(rewards.map(({ name, version }) => [name, version]));
