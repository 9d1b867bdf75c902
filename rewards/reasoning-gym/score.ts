/** Scores entries of reasoning-gym as its own scorers do (version 0.1.25), with or without partial credits. */
import { z } from 'zod';
import { type Graded, refused } from '../verifier.ts';
import { answerOf } from './answer.ts';
import { countdown, puzzle24 } from './expression-tasks.ts';
import { knightsKnaves } from './knights-knaves.ts';
import { miniSudoku } from './mini-sudoku.ts';
import {
  decimalArithmetic,
  decimalText,
  firstNumber,
  fractionSimplification,
  solutions,
} from './number-tasks.ts';
import { strip } from './python-text.ts';
import { byAnswer, entrySchema, type Scorer, scorer } from './task.ts';
import { caseless, exactText, spelled } from './text-tasks.ts';

const trimmedCaseless = (answer: string, oracle: string) =>
  strip(answer).toLowerCase() === strip(oracle).toLowerCase() ? 1 : 0;

/** Every task that can be scored, by the name in `metadata.source_dataset`. */
export const reasoningGymTasks: Record<string, Scorer> = {
  base_conversion: byAnswer(exactText),
  basic_arithmetic: byAnswer(exactText),
  caesar_cipher: byAnswer(exactText),
  chain_sum: byAnswer(decimalText),
  countdown: scorer(countdown),
  decimal_arithmetic: scorer(decimalArithmetic),
  family_relationships: byAnswer(trimmedCaseless),
  fraction_simplification: scorer(fractionSimplification),
  gcd: byAnswer(exactText),
  gsm_symbolic: byAnswer(firstNumber),
  knights_knaves: byAnswer(knightsKnaves),
  lcm: byAnswer(exactText),
  leg_counting: byAnswer(exactText),
  letter_counting: byAnswer(exactText),
  list_functions: byAnswer(exactText),
  mini_sudoku: scorer(miniSudoku),
  number_sequence: byAnswer(exactText),
  polynomial_equations: byAnswer(solutions),
  puzzle24: scorer(puzzle24),
  simple_equations: byAnswer(exactText),
  spell_backward: byAnswer(spelled),
  syllogism: byAnswer(exactText),
  zebra_puzzles: byAnswer(caseless),
};

export interface ReasoningGymOptions {
  /** whether partial credits count; otherwise the score is 1 for full marks and 0 for less */
  partial?: boolean;
}

/**
 * The score, 0 … 1, of a response to an entry. The answer is the last `<answer>…</answer>`, or else the whole
 * response. An entry that does not have reasoning-gym's form, or whose task is unknown, is an error.
 */
export function scoreReasoningGym(
  entry: unknown,
  response: string,
  { partial = false }: ReasoningGymOptions = {},
): Graded {
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success) return wrongEntry(z.prettifyError(parsed.error));
  const task = parsed.data.metadata.source_dataset;
  const score = Object.hasOwn(reasoningGymTasks, task) ? reasoningGymTasks[task] : undefined;
  if (score === undefined) return refused('unknown-task', unknownTask(task));
  const extracted = answerOf(response);
  const result = score(extracted, parsed.data);
  if ('problem' in result) return wrongEntry(result.problem);
  const full = result.score === 1 ? 1 : 0;
  return { score: partial ? Math.min(1, result.score) : full, extracted };
}

function wrongEntry(problem: string): Graded {
  return refused('ground-truth', `reasoning-gym: expected an entry of this domain's form: ${problem}`);
}

function unknownTask(task: string): string {
  const known = Object.keys(reasoningGymTasks).join(', ');
  return `metadata.source_dataset: expected one of ${known}, found ${JSON.stringify(task)}`;
}
