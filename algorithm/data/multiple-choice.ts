import { permutation } from '../random/seeds.ts';
import type { PromptRow } from './prompt-row.ts';

/** A question with one right option among several. */
export interface ChoiceQuestion {
  question: string;
  /** 2 … 26 texts */
  options: readonly string[];
  /** the right option's place, from 0 */
  correct: number;
}

/** What a science prompt's ground truth holds, as JSON: options as shown, and the place of the right one. */
interface ChoiceTruth {
  options: readonly string[];
  correct: number;
}

/** The letter of an option's place: A, B, C … */
export const choiceLabel = (place: number) => String.fromCharCode(65 + place);

/** The question with its options in an order that the seed decides, so that no letter is likelier than others. */
export function shuffleChoices({ question, options, correct }: ChoiceQuestion, seed: bigint): ChoiceQuestion {
  const order = permutation(seed, options.length);
  return {
    question,
    options: order.map((place) => options[place] ?? ''),
    correct: order.indexOf(correct),
  };
}

/** The question as a prompt: its options one a line under their letters. */
export function choicePrompt(
  { question, options, correct }: ChoiceQuestion,
  split: PromptRow['split'],
): PromptRow {
  const lines = options.map((option, place) => `${choiceLabel(place)}. ${option}`);
  const truth: ChoiceTruth = { options, correct };
  return {
    problem: [question, ...lines].join('\n'),
    answer: JSON.stringify(truth),
    domain: 'science',
    split,
  };
}
