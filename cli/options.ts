/** Parsers of option values. Commander prints their error together with the name of the option. */
import { InvalidArgumentError } from 'commander';
import {
  LEAST_TEMPERATURE,
  MOST_GENERATIONS,
  MOST_PROMPTS,
  MOST_STEPS,
  MOST_TEMPERATURE,
  MOST_TOKENS,
} from '../contracts/bounds.ts';

type Parser = (text: string) => number;

export const whole =
  (least: number, most: number): Parser =>
  (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}, found ${text}.`);
  };

export const problemCount = whole(1, MOST_PROMPTS);
export const sampleCount = whole(1, MOST_GENERATIONS);
export const tokenCount = whole(1, MOST_TOKENS);
export const stepNumber = whole(1, MOST_STEPS);
/** Rows to print. */
export const rowCount = whole(1, 1_000_000);

function finite(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

/** 0 is greedy. */
export function temperatureOption(text: string): number {
  const value = finite(text);
  if (value === 0 || (value >= LEAST_TEMPERATURE && value <= MOST_TEMPERATURE)) return value;
  throw new InvalidArgumentError(
    `Expected 0 or a number from ${LEAST_TEMPERATURE} to ${MOST_TEMPERATURE}, found ${text}.`,
  );
}

/** A number of tokens, or of tokens per second: above 0. */
export function rate(text: string): number {
  const value = finite(text);
  if (value > 0 && value <= MOST_RATE) return value;
  throw new InvalidArgumentError(`Expected a number above 0 and up to ${MOST_RATE}, found ${text}.`);
}

/** More tokens per second than any cluster processes. */
const MOST_RATE = 1e12;

/** `8000` or `STAGE=8000`, collected by stage; `*` is every stage that is not named. */
export function byStage(text: string, before: ReadonlyMap<string, number> = new Map()): Map<string, number> {
  const [, stage, value = ''] = /^(?:([^=]+)=)?([^=]*)$/.exec(text) ?? [];
  return new Map([...before, [stage ?? '*', rate(value)]]);
}

/** A probability: 0 < p ≤ 1. */
export function probability(text: string): number {
  const value = finite(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError(`Expected a number above 0 and up to 1, found ${text}.`);
}

/** A share: 0 < s < 1. */
export function share(text: string): number {
  const value = finite(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError(`Expected a number above 0 and below 1, found ${text}.`);
}

/** 0 … 2^64−1, as decimal digits. */
export function seed(text: string): bigint {
  const value = /^\d{1,20}$/.test(text) ? BigInt(text) : -1n;
  if (value >= 0n && value < 2n ** 64n) return value;
  throw new InvalidArgumentError(`Expected a whole number from 0 to 2^64−1, found ${text}.`);
}

/** Collects the values of a repeatable option. */
export const gather = (text: string, before: string[] = []): string[] => [...before, text];
