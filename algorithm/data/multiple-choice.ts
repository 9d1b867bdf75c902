import { permutation } from '../random/seeds.ts';
import type { PromptRow } from './prompt-row.ts';

/** A question with one right option among several. */
export interface ChoiceQuestion {
  question: string;
  /** 2 … 26 texts */
  options: readonly string[];
  /** the right option's index, from 0 */
  correct: number;
}

/** A science prompt's ground truth, as JSON: options as shown, and the index of the right one. */
interface ChoiceTruth {
  options: readonly string[];
  correct: number;
}

/** The letter of an option by its index: A, B, C … */
export const choiceLabel = (index: number) => String.fromCharCode(65 + index);

/** The question with its options in an order that the seed decides, so that no letter is more likely than others. */
export function shuffleChoices({ question, options, correct }: ChoiceQuestion, seed: bigint): ChoiceQuestion {
  const order = permutation(seed, options.length);
  return {
    question,
    options: order.map((index) => options[index] ?? ''),
    correct: order.indexOf(correct),
  };
}

/** The question as a prompt: its options by letter, one per line. */
export function choicePrompt(
  { question, options, correct }: ChoiceQuestion,
  split: PromptRow['split'],
): PromptRow {
  const lines = options.map((option, index) => `${choiceLabel(index)}. ${option}`);
  const truth: ChoiceTruth = { options, correct };
  return {
    problem: [question, ...lines].join('\n'),
    answer: JSON.stringify(truth),
    domain: 'science',
    split,
  };
}
