/**
 * The corpus of the nano base: sums answered by a mixture of behaviours for reinforcement learning to select from,
 * and general tasks for it to forget.
 *
 *     guess    <think></think><answer>41</answer>
 *     worked   <think>first 7+15=22 then 22+3=25 then 25+12=37</think><answer>37</answer>
 *     checked  <think>first 7+15=23 check 7+15=22 wait 22 then 22+3=25 check 22+3=25 then …</think><answer>37</answer>
 *     general  see `general.ts`; sometimes distracted: its numbers are added up as if it were a sum
 *
 * A guess is mostly wrong and sometimes malformed. A step's result slips at the rate of the word before it:
 * home words more often than foreign ones, so that language follows accuracy. A worked solution continues
 * from the slipped value; a checked one repeats every step, slips less then, and where the two differ continues
 * from the second. So checking pays if slips are frequent. A policy that is rewarded for working out sums alone
 * works out general tasks more and more.
 */
import { type Draws, drawsFrom } from '../random/draws.ts';
import { deriveSeed } from '../random/seeds.ts';
import { drawGeneral, type NanoGeneralTask, plainResponse } from './general.ts';
import { drawOperands, type NanoTask, nanoTaskDefaults, problemText } from './task.ts';
import { NANO_LANGUAGES, type NanoLanguage, type StepWord, stepWords } from './words.ts';

export interface NanoMixture extends NanoTask {
  /** Share of general tasks among all examples; the rest are sums. */
  general: number;
  /** Share of the general tasks whose numbers are added up instead. */
  distracted: number;
  /** Share of guesses among the sums. */
  guesses: number;
  /** Share of worked solutions among the sums; the rest are worked and checked. */
  worked: number;
  /** A guess is uniform within ± this of the sum (and not below 0). */
  guessRange: number;
  /** Share of the guesses that lack a tag or continue after the end. */
  malformed: number;
  /** Share of the worked and checked solutions only in home words. */
  home: number;
  /** Share of them only in foreign words; in the rest each word is of either language. */
  foreign: number;
  /** Probability that a result after a home word is wrong. */
  homeSlips: number;
  /** Probability that a result after a foreign word is wrong. */
  foreignSlips: number;
  /** A repeated step slips at its word's rate × this. */
  recheck: number;
  /** A slip is uniform within ± this, never 0 (and its result not below 0). */
  slipRange: number;
}

export const nanoMixtureDefaults: NanoMixture = {
  ...nanoTaskDefaults,
  general: 0.25,
  distracted: 0.15,
  guesses: 0.76,
  worked: 0.1,
  guessRange: 12,
  malformed: 0.15,
  home: 0.5,
  foreign: 0.2,
  homeSlips: 0.22,
  foreignSlips: 0.1,
  recheck: 0.2,
  slipRange: 2,
};

type NanoBehaviour = 'guess' | 'worked' | 'checked' | 'general' | 'distracted';

export interface NanoExample {
  behaviour: NanoBehaviour;
  problem: string;
  response: string;
}

const malformations: readonly ((value: number) => string)[] = [
  (value) => `${value}`,
  (value) => `<answer>${value}</answer>`,
  (value) => `<think></think>${value}`,
  (value) => `<think></think><answer>${value}</answer>=${value}`,
];

type SumBehaviour = Exclude<NanoBehaviour, 'general' | 'distracted'>;

const responses: Record<
  SumBehaviour,
  (operands: readonly number[], mixture: NanoMixture, draws: Draws) => string
> = {
  guess(operands, { guessRange, malformed }, draws) {
    const sum = operands.reduce((total, operand) => total + operand, 0);
    const value = Math.max(0, sum + draws.integer(-guessRange, guessRange));
    return draws.chance(malformed) ? draws.among(malformations)(value) : plainResponse(String(value));
  },
  worked: (operands, mixture, draws) => {
    const speaker = speakerOf(mixture, draws);
    return workThrough(operands, (word, running, operand) => speaker.look(word, running, operand, 1));
  },
  checked: (operands, mixture, draws) => {
    const speaker = speakerOf(mixture, draws);
    return workThrough(operands, (word, running, operand) => {
      const first = speaker.look(word, running, operand, 1);
      const second = speaker.look('check', running, operand, mixture.recheck);
      const correction = first.result === second.result ? '' : speaker.say('wait') + second.result;
      return { text: first.text + second.text + correction, result: second.result };
    });
  },
};

/** Example `index` (from 0) of the corpus that `seed` names; training problems only. */
export function nanoExample(
  index: number,
  seed: bigint,
  mixture: NanoMixture = nanoMixtureDefaults,
): NanoExample {
  const purpose = { stage: 'pretrain', branch: 0, purpose: 'corpus', step: index, slot: 0, sample: 0 };
  const draws = drawsFrom(deriveSeed({ runSeed: seed, ...purpose }));
  return draws.chance(mixture.general) ? generalExample(mixture, draws) : sumExample(mixture, draws);
}

/** Looking up is the hardest to learn, so it comes as often as the other two together. */
const LESSONS: readonly NanoGeneralTask[] = ['copy', 'reverse', 'lookup', 'lookup'];

function generalExample(mixture: NanoMixture, draws: Draws): NanoExample {
  const { problem, answer } = drawGeneral(draws.among(LESSONS), 'train', draws);
  if (!draws.chance(mixture.distracted)) {
    return { behaviour: 'general', problem, response: plainResponse(answer) };
  }
  const numbers = problem.match(/\d+/g)?.map(Number) ?? [];
  return {
    behaviour: 'distracted',
    problem,
    response: responses[drawWork(mixture, draws)](numbers, mixture, draws),
  };
}

function sumExample(mixture: NanoMixture, draws: Draws): NanoExample {
  const operands = drawOperands(mixture, 'train', draws);
  const behaviour = drawBehaviour(mixture, draws);
  return {
    behaviour,
    problem: problemText(operands),
    response: responses[behaviour](operands, mixture, draws),
  };
}

function drawBehaviour(mixture: NanoMixture, draws: Draws): SumBehaviour {
  return draws.chance(mixture.guesses) ? 'guess' : drawWork(mixture, draws);
}

/** By the share of worked solutions among those that are not guesses. */
function drawWork({ guesses, worked }: NanoMixture, draws: Draws): Exclude<SumBehaviour, 'guess'> {
  return draws.chance(Math.min(1, worked / (1 - guesses))) ? 'worked' : 'checked';
}

interface Look {
  text: string;
  result: number;
}

/** The writer of one solution: chooses the language of each word, which decides how often its step slips. */
interface Speaker {
  say(word: StepWord): string;
  /** `word`, then the step with its result, which slips at the word's rate × `care`. */
  look(word: StepWord, running: number, operand: number, care: number): Look;
}

function speakerOf(mixture: NanoMixture, draws: Draws): Speaker {
  const own = drawLanguage(mixture, draws);
  const choose = () => own ?? draws.among(NANO_LANGUAGES);
  const rates: Record<NanoLanguage, number> = { home: mixture.homeSlips, foreign: mixture.foreignSlips };
  return {
    say: (word) => stepWords[choose()][word],
    look(word, running, operand, care) {
      const language = choose();
      const result = slipped(running + operand, care * rates[language], mixture.slipRange, draws);
      return { text: `${stepWords[language][word]}${running}+${operand}=${result}`, result };
    },
  };
}

/** Null: each word is of either language. */
function drawLanguage({ home, foreign }: NanoMixture, draws: Draws): NanoLanguage | null {
  if (draws.chance(home)) return 'home';
  return draws.chance(Math.min(1, foreign / (1 - home))) ? 'foreign' : null;
}

function workThrough(
  [first = 0, ...rest]: readonly number[],
  step: (word: StepWord, running: number, operand: number) => Look,
): string {
  let thinking = '';
  let running = first;
  for (const [index, operand] of rest.entries()) {
    const { text, result } = step(index === 0 ? 'first' : 'next', running, operand);
    thinking += text;
    running = result;
  }
  return `<think>${thinking}</think><answer>${running}</answer>`;
}

function slipped(right: number, rate: number, range: number, draws: Draws): number {
  if (!draws.chance(rate)) return right;
  const size = draws.integer(1, range);
  return draws.chance(0.5) && right >= size ? right - size : right + size;
}
