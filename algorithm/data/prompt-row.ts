import { LosslessNumber } from 'lossless-json';

/** A prompt as a data set holds it. */
export interface PromptRow {
  problem: string;
  /** The ground truth. */
  answer: string;
  domain: string;
  /** What the domain's verifier needs beyond the answer: tests, options, metadata. */
  entry?: Record<string, unknown> | undefined;
  /** `test` prompts are held out: never trained on, and what evaluations measure. */
  split: 'train' | 'test';
}

/**
 * The form under which two problems are the same: Unicode NFC, white space trimmed and runs of it made one
 * space. Hashes of prompts are taken over it.
 */
export function normalizeProblem(problem: string): string {
  return problem.normalize('NFC').trim().replace(/\s+/g, ' ');
}

/** What a set of prompts measures with: its held-out rows, or all where none is held out. */
export function heldOutOrAll<Row extends Pick<PromptRow, 'split'>>(rows: readonly Row[]): readonly Row[] {
  const heldOut = rows.filter(({ split }) => split === 'test');
  return heldOut.length > 0 ? heldOut : rows;
}

/** The text of a number that is an answer, with all its digits and no exponent of a double's; null of what is none. */
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
