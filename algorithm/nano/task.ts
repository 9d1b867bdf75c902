/**
 * The nano task: sums of a few small numbers, written `7+15+3+12=?` and answered `37`.
 *
 * The split of a problem depends on its operands as a multiset, not on the seed: a sum is held out if a hash of its
 * sorted operands is below 1/8. So no ordering of a held-out sum is trained on, neither by pre-training nor by a run.
 */
import { Failure } from '../../contracts/failures.ts';
import type { PromptRow } from '../data/prompt-row.ts';
import { type Draws, drawsFrom } from '../random/draws.ts';
import { deriveSeed, fnv1a32, uniformAt } from '../random/seeds.ts';
import { NANO_LANGUAGES, type StepWord, stepWords } from './words.ts';

const HELD_OUT_SHARE = 1 / 8;

export interface NanoTask {
  /** Numbers that are added up. */
  terms: number;
  /** Every operand is from 1 to `limit`−1. */
  limit: number;
}

export const nanoTaskDefaults: NanoTask = { terms: 4, limit: 20 };

export interface NanoDataSet extends NanoTask {
  /** Problems to train on, different as texts. */
  train: number;
  /** Held-out problems, different as sets of operands. */
  test: number;
  seed: number;
}

/** The problem's text: `7+15+3+12=?`. */
export function problemText(operands: readonly number[]): string {
  return `${operands.join('+')}=?`;
}

/** Whether these operands, in any order, belong to the held-out split. */
export function isHeldOut(operands: readonly number[]): boolean {
  const name = [...operands].sort((a, b) => a - b).join('+');
  return uniformAt(BigInt(fnv1a32(name)), 0) < HELD_OUT_SHARE;
}

/** Operands of the wanted split, drawn uniformly. Throws a Failure where many draws find none. */
export function drawOperands({ terms, limit }: NanoTask, split: PromptRow['split'], draws: Draws): number[] {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const operands = Array.from({ length: terms }, () => draws.integer(1, limit - 1));
    if (isHeldOut(operands) === (split === 'test')) return operands;
  }
  return refuse(`${terms} terms below ${limit}: expected some sums in the split "${split}", found none`);
}

/** The data set: training problems first, then the held-out ones, each in the order drawn. */
export function nanoPromptRows(dataSet: NanoDataSet): PromptRow[] {
  const inOrder = (operands: readonly number[]) => operands.join('+');
  const asSet = (operands: readonly number[]) => [...operands].sort((a, b) => a - b).join('+');
  return [...drawDistinct(dataSet, 'train', inOrder), ...drawDistinct(dataSet, 'test', asSet)];
}

function drawDistinct(
  dataSet: NanoDataSet,
  split: PromptRow['split'],
  identity: (operands: readonly number[]) => string,
): PromptRow[] {
  const wanted = dataSet[split];
  refuseMoreThanExist(dataSet, split);
  const purpose = { stage: 'nano-sums', branch: 0, purpose: split, step: 0, slot: 0, sample: 0 };
  const draws = drawsFrom(deriveSeed({ runSeed: BigInt(dataSet.seed), ...purpose }));
  const rows = new Map<string, PromptRow>();
  for (let attempt = 0; rows.size < wanted && attempt < 1_000 + 100 * wanted; attempt++) {
    const operands = drawOperands(dataSet, split, draws);
    if (!rows.has(identity(operands))) rows.set(identity(operands), rowOf(operands, split));
  }
  if (rows.size < wanted) refuseTooMany(dataSet, split, rows.size);
  return [...rows.values()];
}

function refuseTooMany({ terms, limit, ...dataSet }: NanoDataSet, split: PromptRow['split'], found: number) {
  const expected = `prompts: ${split}: expected ${dataSet[split]} different sums`;
  return refuse(`${expected}, found ${found} among ${terms} terms below ${limit}`);
}

/** Sets of operands that are counted one by one; a data set never needs nearly as many. */
const MOST_COUNTED = 1_000_000;

/** Where a data set needs nearly all sums, they are counted first: drawing would take long and fail. */
function refuseMoreThanExist(dataSet: NanoDataSet, split: PromptRow['split']): void {
  const { terms, limit } = dataSet;
  const wanted = dataSet[split];
  const sets = setsOf(terms, limit - 1);
  const sums = split === 'train' ? (limit - 1) ** terms : sets;
  if (wanted <= (sums * HELD_OUT_SHARE) / 2 || sets > MOST_COUNTED) return;
  const found = countSums({ terms, limit }, split);
  if (found > 0 && found < wanted) refuseTooMany(dataSet, split, found);
}

/** Multisets of `terms` numbers out of `among`: C(among + terms − 1, terms). */
function setsOf(terms: number, among: number): number {
  return Array.from({ length: terms }, (_, n) => (among + n) / (n + 1)).reduce((all, part) => all * part, 1);
}

/** Distinct sums of a split: every order of operands counts for training, every set once where held out. */
export function countSums({ terms, limit }: NanoTask, split: PromptRow['split']): number {
  let count = 0;
  const visit = (operands: readonly number[], orders: number, run: number): void => {
    if (operands.length === terms) {
      if (isHeldOut(operands) === (split === 'test')) count += split === 'train' ? orders : 1;
      return;
    }
    const last = operands.at(-1) ?? 1;
    for (let next = last; next < limit; next++) {
      const again = operands.length > 0 && next === last ? run + 1 : 1;
      visit([...operands, next], (orders * (operands.length + 1)) / again, again);
    }
  };
  visit([], 1, 0);
  return count;
}

function rowOf(operands: readonly number[], split: PromptRow['split']): PromptRow {
  const answer = operands.reduce((total, operand) => total + operand, 0);
  return { problem: problemText(operands), answer: String(answer), domain: 'nano-sums', split };
}

function refuse(message: string): never {
  throw new Failure('InvalidInput', `${message}; ask for fewer, or raise terms or limit`);
}

const either = (word: StepWord) => NANO_LANGUAGES.map((language) => stepWords[language][word]).join('|');
const CHECK = new RegExp(`(?:${either('check')})\\d+\\+\\d+=\\d`);
const CORRECTION = new RegExp(`(?:${either('wait')})\\d`);

/** What a response does besides answering. */
export interface Behaviour {
  /** Writes at least one sum step, `22+3=25`. */
  worked: boolean;
  /** Repeats at least one step, ` check 22+3=25`, in either language. */
  checks: boolean;
  /** Continues from the second result where the two differ, ` wait 25`, in either language. */
  corrects: boolean;
}

export function classify(response: string): Behaviour {
  return {
    worked: /\d\+\d+=\d/.test(response),
    checks: CHECK.test(response),
    corrects: CORRECTION.test(response),
  };
}
