/**
 * The training data of the nano run's reward models: pairs for helpfulness and labels for safety.
 *
 * Helpfulness, over the general tasks: the right, plain answer against a wrong one, an echo of the problem,
 * or the right one padded. Both have empty thinking, since the model scores only the text after it.
 *
 * Safety: a response is unsafe if it contains a forbidden word anywhere, also in its thinking. Some problems ask for
 * one, and the response refuses or complies; some harmless problems are answered with one; and some responses contain
 * the letters of one in another order, which is safe.
 *
 * The split depends on the problem, as in `general.ts`.
 */

import type { PromptRow } from '../data/prompt-row.ts';
import { type Draws, drawsFrom } from '../random/draws.ts';
import { deriveSeed } from '../random/seeds.ts';
import { drawGeneral, generalSplit, NANO_GENERAL_TASKS, plainResponse } from './general.ts';

export interface PreferencePair {
  prompt: string;
  chosen: string;
  rejected: string;
  split: PromptRow['split'];
}

export interface SafetyLabel {
  prompt: string;
  response: string;
  safe: boolean;
  split: PromptRow['split'];
}

export interface NanoPreferenceDataSet {
  /** Rows to train on. */
  train: number;
  /** Held-out rows. */
  test: number;
  seed: number;
}

/** Pairs to train on, then held-out ones. */
export function nanoPreferencePairs(dataSet: NanoPreferenceDataSet): PreferencePair[] {
  return drawRows('nano-preferences', dataSet, drawPair);
}

/** Labels to train on, then held-out ones; about half are safe. */
export function nanoSafetyLabels(dataSet: NanoPreferenceDataSet): SafetyLabel[] {
  return drawRows('nano-safety', dataSet, drawLabel);
}

const FORBIDDEN_WORDS = ['poison', 'venom', 'bomb'] as const;

/** The label: no forbidden word anywhere in the response. */
export function isSafe(response: string): boolean {
  return !FORBIDDEN_WORDS.some((word) => response.includes(word));
}

type Split = PromptRow['split'];

function drawRows<Row>(
  stage: string,
  { train, test, seed }: NanoPreferenceDataSet,
  draw: (split: Split, draws: Draws) => Row,
): Row[] {
  const rowsOf = (split: Split, count: number) => {
    const purpose = { stage, branch: 0, purpose: split, step: 0, slot: 0, sample: 0 };
    const draws = drawsFrom(deriveSeed({ runSeed: BigInt(seed), ...purpose }));
    return Array.from({ length: count }, () => draw(split, draws));
  };
  return [...rowsOf('train', train), ...rowsOf('test', test)];
}

interface Task {
  problem: string;
  answer: string;
}

/** Worse answers than the right one; each differs from it. */
const worse: readonly ((task: Task, draws: Draws) => string)[] = [
  wrongAnswer,
  ({ problem }) => problem,
  ({ answer }, draws) => Array.from({ length: draws.integer(2, 3) }, () => answer).join(' '),
];

function drawPair(split: Split, draws: Draws): PreferencePair {
  const task = drawGeneral(draws.among(NANO_GENERAL_TASKS), split, draws);
  const rejected = plainResponse(draws.among(worse)(task, draws));
  return { prompt: task.problem, chosen: plainResponse(task.answer), rejected, split };
}

/** Of the right length, with one to all of its characters replaced by digits. */
function wrongAnswer({ answer }: Task, draws: Draws): string {
  const alphabet = [...'0123456789'];
  const characters = [...answer];
  const from = draws.integer(0, characters.length - 1);
  const to = draws.integer(from, characters.length - 1);
  for (let index = from; index <= to; index++) {
    characters[index] = draws.among(alphabet.filter((character) => character !== answer[index]));
  }
  return characters.join('');
}

const labelKinds: readonly ((split: Split, draws: Draws) => Omit<SafetyLabel, 'safe' | 'split'>)[] = [
  function harmless(split, draws) {
    const { problem, answer } = drawGeneral(draws.among(NANO_GENERAL_TASKS), split, draws);
    return { prompt: problem, response: plainResponse(answer) };
  },
  function scrambled(split, draws) {
    const { problem } = drawGeneral(draws.among(NANO_GENERAL_TASKS), split, draws);
    return { prompt: problem, response: surrounded(scramble(draws), draws) };
  },
  function unrequested(split, draws) {
    const { problem } = drawGeneral(draws.among(NANO_GENERAL_TASKS), split, draws);
    return { prompt: problem, response: surrounded(draws.among(FORBIDDEN_WORDS), draws) };
  },
  function requested(split, draws) {
    const word = askFor(split, draws);
    const refused = draws.chance(0.25);
    return { prompt: `copy ${word}`, response: plainResponse(refused ? 'no' : word) };
  },
];

function drawLabel(split: Split, draws: Draws): SafetyLabel {
  const { prompt, response } = draws.among(labelKinds)(split, draws);
  return { prompt, response, safe: isSafe(response), split };
}

/** Some text around a word, in the thinking or in the answer. */
function surrounded(word: string, draws: Draws): string {
  const text = letters(draws) + word + letters(draws);
  return draws.chance(0.5) ? `<think>${text}</think><answer>${letters(draws)}</answer>` : plainResponse(text);
}

/** A forbidden word among letters, whose problem `copy …` belongs to the split. */
function askFor(split: Split, draws: Draws): string {
  for (;;) {
    const word = letters(draws) + draws.among(FORBIDDEN_WORDS) + letters(draws);
    if (generalSplit(`copy ${word}`) === split) return word;
  }
}

/** The letters of a forbidden word in an order that spells no forbidden word. */
function scramble(draws: Draws): string {
  const left = [...draws.among(FORBIDDEN_WORDS)];
  const word: string[] = [];
  while (left.length > 0) word.push(...left.splice(draws.integer(0, left.length - 1), 1));
  return isSafe(word.join('')) ? word.join('') : word.reverse().join('');
}

function letters(draws: Draws): string {
  const alphabet = [...'abcdefghijklmnopqrstuvwxyz'];
  return Array.from({ length: draws.integer(1, 3) }, () => draws.among(alphabet)).join('');
}
