import { LosslessNumber } from 'lossless-json';

/** A prompt of a data set. */
export interface PromptRow {
  problem: string;
  /** The ground truth. */
  answer: string;
  domain: string;
  /** Further inputs of the domain's verifier: tests, options, metadata. */
  entry?: Record<string, unknown> | undefined;
  /** `test` prompts are held out: never trained on, used for evaluations. */
  split: 'train' | 'test';
}

/**
 * The normal form by which problems are compared: Unicode NFC, white space trimmed and runs of it made one
 * space. Hashes of prompts are computed over it.
 */
export function normalizeProblem(problem: string): string {
  return problem.normalize('NFC').trim().replace(/\s+/g, ' ');
}

/** The rows that evaluations use: the held-out ones, or all where none is held out. */
export function heldOutOrAll<Row extends Pick<PromptRow, 'split'>>(rows: readonly Row[]): readonly Row[] {
  const heldOut = rows.filter(({ split }) => split === 'test');
  return heldOut.length > 0 ? heldOut : rows;
}

/** The text of a number that is an answer, with all its digits and without an exponent; null where it is not a number. */
export function numberText(value: unknown): string | null {
  if (typeof value === 'bigint' || value instanceof LosslessNumber) return String(value);
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;
  const [, sign = '', whole = '', fraction = '', exponent] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([-+]\d+))?$/.exec(String(value)) ?? [];
  if (exponent === undefined) return String(value);
  const zeros = '0'.repeat(Math.abs(Number(exponent)));
  if (Number(exponent) > 0) return `${sign}${whole}${fraction}${zeros.slice(fraction.length)}`;
  return `${sign}0.${zeros.slice(whole.length)}${whole}${fraction}`;
}
