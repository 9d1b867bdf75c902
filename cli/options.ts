import { InvalidArgumentError } from 'commander';

/** Parsers of option values: commander prints their refusal together with the option's name. */

export function positiveInteger(text: string): number {
  return wholeNumber(text, 1);
}

export function naturalNumber(text: string): number {
  return wholeNumber(text, 0);
}

function wholeNumber(text: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new InvalidArgumentError(`Expected a whole number from ${least}, found ${text}.`);
}

export function nonNegative(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError(`Expected a number from 0, found ${text}.`);
}

/** Greater than 0. */
export function positive(text: string): number {
  const value = nonNegative(text);
  if (value > 0) return value;
  throw new InvalidArgumentError(`Expected a number above 0, found ${text}.`);
}

/** `8000` or `STAGE=8000`, gathered by stage; `*` stands for every other one. */
export function byStage(text: string, before: ReadonlyMap<string, number> = new Map()): Map<string, number> {
  const [, stage, value = ''] = /^(?:([^=]+)=)?([^=]*)$/.exec(text) ?? [];
  return new Map([...before, [stage ?? '*', positive(value)]]);
}

/** A share of the probability: 0 < p ≤ 1. */
export function probability(text: string): number {
  const value = nonNegative(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError(`Expected a number above 0 and up to 1, found ${text}.`);
}

/** Of a whole: 0 < s < 1. */
export function share(text: string): number {
  const value = nonNegative(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError(`Expected a number above 0 and below 1, found ${text}.`);
}

/** 0 … 2^64−1, as decimal digits. */
export function seed(text: string): bigint {
  const value = /^\d{1,20}$/.test(text) ? BigInt(text) : -1n;
  if (value >= 0n && value < 2n ** 64n) return value;
  throw new InvalidArgumentError(`Expected a whole number from 0 to 2^64−1, found ${text}.`);
}

/** Gathers an option that may be given several times. */
export const gather = (text: string, before: string[] = []): string[] => [...before, text];
