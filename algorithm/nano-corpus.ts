/**
 * What the nano base is pre-trained on: a mixture of behaviours for reinforcement learning to select from.
 *
 *     guess    <think></think><answer>41</answer>
 *     worked   <think>7+15=22,22+3=25,25+12=37</think><answer>37</answer>
 *     checked  <think>7+15=23 check 7+15=22 wait 22,22+3=25 check 22+3=25,…</think><answer>37</answer>
 *
 * A guess is mostly wrong and sometimes malformed. Steps of both worked kinds slip: a worked solution goes
 * on from the slipped value, a checked one takes every step a second time, without slipping, and where the
 * two differ goes on from the second. So checking pays exactly as far as slips are frequent.
 */
import { type Draws, drawsFrom } from './draws.ts';
import { drawOperands, type NanoTask, nanoTaskDefaults, problemText } from './nano-task.ts';
import { deriveSeed } from './seeds.ts';

export interface NanoMixture extends NanoTask {
  /** Share of guesses. */
  guesses: number;
  /** Share of worked solutions; the rest are worked and checked. */
  worked: number;
  /** A guess is uniform within ± this of the sum (and not below 0). */
  guessRange: number;
  /** Share of the guesses that lack a tag or go on after the end. */
  malformed: number;
  /** Probability that a step's result is off. */
  slips: number;
  /** A slip is uniform within ± this, never 0 (and its result not below 0). */
  slipRange: number;
}

export const nanoMixtureDefaults: NanoMixture = {
  ...nanoTaskDefaults,
  guesses: 0.8,
  worked: 0.08,
  guessRange: 12,
  malformed: 0.15,
  slips: 0.2,
  slipRange: 2,
};

export type NanoBehaviour = 'guess' | 'worked' | 'checked';

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

const responses: Record<
  NanoBehaviour,
  (operands: readonly number[], mixture: NanoMixture, draws: Draws) => string
> = {
  guess(operands, { guessRange, malformed }, draws) {
    const sum = operands.reduce((total, operand) => total + operand, 0);
    const value = Math.max(0, sum + draws.integer(-guessRange, guessRange));
    return draws.chance(malformed) ? draws.among(malformations)(value) : wellFormed('', value);
  },
  worked: (operands, mixture, draws) =>
    workThrough(operands, (running, operand) => {
      const result = slipped(running + operand, mixture, draws);
      return { text: `${running}+${operand}=${result}`, result };
    }),
  checked: (operands, mixture, draws) =>
    workThrough(operands, (running, operand) => {
      const right = running + operand;
      const first = slipped(right, mixture, draws);
      const check = `${running}+${operand}=${first} check ${running}+${operand}=${right}`;
      return { text: first === right ? check : `${check} wait ${right}`, result: right };
    }),
};

/** Example `index` (from 0) of the corpus that `seed` names; training problems only. */
export function nanoExample(
  index: number,
  seed: bigint,
  mixture: NanoMixture = nanoMixtureDefaults,
): NanoExample {
  const purpose = { stage: 'pretrain', branch: 0, purpose: 'corpus', step: index, slot: 0, sample: 0 };
  const draws = drawsFrom(deriveSeed({ runSeed: seed, ...purpose }));
  const operands = drawOperands(mixture, 'train', draws);
  const behaviour = drawBehaviour(mixture, draws);
  return {
    behaviour,
    problem: problemText(operands),
    response: responses[behaviour](operands, mixture, draws),
  };
}

function drawBehaviour({ guesses, worked }: NanoMixture, draws: Draws): NanoBehaviour {
  if (draws.chance(guesses)) return 'guess';
  // The share of worked solutions among those that are no guess.
  return draws.chance(Math.min(1, worked / (1 - guesses))) ? 'worked' : 'checked';
}

type Step = (running: number, operand: number) => { text: string; result: number };

function workThrough([first = 0, ...rest]: readonly number[], step: Step): string {
  const lines: string[] = [];
  let running = first;
  for (const operand of rest) {
    const { text, result } = step(running, operand);
    lines.push(text);
    running = result;
  }
  return wellFormed(lines.join(','), running);
}

function slipped(right: number, { slips, slipRange }: NanoMixture, draws: Draws): number {
  if (!draws.chance(slips)) return right;
  const size = draws.integer(1, slipRange);
  return draws.chance(0.5) && right >= size ? right - size : right + size;
}

function wellFormed(thinking: string, answer: number): string {
  return `<think>${thinking}</think><answer>${answer}</answer>`;
}
