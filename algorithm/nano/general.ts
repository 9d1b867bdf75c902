/**
 * The nano run's general ability: three tasks that need no reasoning, answered with empty thinking.
 *
 *     copy 7+15+3                <think></think><answer>7+15+3</answer>
 *     reverse 7+15+3             <think></think><answer>3+15+7</answer>
 *     find b in a4 b7 c2         <think></think><answer>b7</answer>
 *
 * The first two are written over sums, so that a policy trained on sums alone tends to work them out.
 *
 * The split of a problem depends on its text alone, not on the seed: it is held out if a hash of it is below 1/8.
 */
import { Failure } from '../../contracts/failures.ts';
import type { PromptRow } from '../data/prompt-row.ts';
import { type Draws, drawsFrom } from '../random/draws.ts';
import { deriveSeed, fnv1a32, uniformAt } from '../random/seeds.ts';

const HELD_OUT_SHARE = 1 / 8;
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];
/** Entries that a look-up chooses among. */
const PAIRS = 3;

export const NANO_GENERAL_TASKS = ['copy', 'reverse', 'lookup'] as const;
export type NanoGeneralTask = (typeof NANO_GENERAL_TASKS)[number];

export interface NanoGeneralProblem {
  problem: string;
  answer: string;
}

const problems: Record<NanoGeneralTask, (draws: Draws) => NanoGeneralProblem> = {
  copy(draws) {
    const sum = drawNumbers(draws).join('+');
    return { problem: `copy ${sum}`, answer: sum };
  },
  reverse(draws) {
    const numbers = drawNumbers(draws);
    return { problem: `reverse ${numbers.join('+')}`, answer: [...numbers].reverse().join('+') };
  },
  lookup(draws) {
    const pairs = drawKeys(draws).map((key) => ({ key, value: String(draws.integer(0, 9)) }));
    const { key, value } = draws.among(pairs);
    const table = pairs.map((pair) => pair.key + pair.value).join(' ');
    return { problem: `find ${key} in ${table}`, answer: key + value };
  },
};

export interface NanoGeneralDataSet {
  /** Problems to train on, the three tasks in turn, all different. */
  train: number;
  /** Held-out problems, in the same way. */
  test: number;
  seed: number;
}

/** The data set: training problems first, then the held-out ones; domains `nano-copy`, `nano-reverse`, `nano-lookup`. */
export function nanoGeneralRows(dataSet: NanoGeneralDataSet): PromptRow[] {
  return (['train', 'test'] as const).flatMap((split) => drawDistinct(dataSet, split));
}

/** One problem of the wanted split. */
export function drawGeneral(
  task: NanoGeneralTask,
  split: PromptRow['split'],
  draws: Draws,
): NanoGeneralProblem {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const drawn = problems[task](draws);
    if (generalSplit(drawn.problem) === split) return drawn;
  }
  throw new Error(`${task}: a thousand draws and none in the split "${split}"`);
}

/** The response that answers without thinking, as the base learns it and as SFT teaches it. */
export function plainResponse(answer: string): string {
  return `<think></think><answer>${answer}</answer>`;
}

/** The domain's name of a task, and whether a domain is one of these. */
export const domainOf = (task: NanoGeneralTask) => `nano-${task}`;
export const isGeneralDomain = (domain: string) =>
  NANO_GENERAL_TASKS.some((task) => domain === domainOf(task));

/** The split that a problem's text belongs to. */
export function generalSplit(problem: string): PromptRow['split'] {
  return uniformAt(BigInt(fnv1a32(problem)), 0) < HELD_OUT_SHARE ? 'test' : 'train';
}

function drawDistinct(dataSet: NanoGeneralDataSet, split: PromptRow['split']): PromptRow[] {
  const wanted = dataSet[split];
  // Tasks come in turn, so the task with the fewest problems limits the set: more draws would find none.
  if (wanted > MOST_OF_A_TASK * NANO_GENERAL_TASKS.length)
    refuse(split, wanted, `at most ${MOST_OF_A_TASK} of each task`);
  const purpose = { stage: 'nano-general', branch: 0, purpose: split, step: 0, slot: 0, sample: 0 };
  const draws = drawsFrom(deriveSeed({ runSeed: BigInt(dataSet.seed), ...purpose }));
  const rows = new Map<string, PromptRow>();
  for (let attempt = 0; rows.size < wanted && attempt < 1_000 + 10 * wanted; attempt++) {
    const task = NANO_GENERAL_TASKS[rows.size % NANO_GENERAL_TASKS.length] ?? 'copy';
    const drawn = drawGeneral(task, split, draws);
    rows.set(drawn.problem, { ...drawn, domain: domainOf(task), split });
  }
  return rows.size === wanted ? [...rows.values()] : refuse(split, wanted, String(rows.size));
}

function refuse(split: PromptRow['split'], wanted: number, found: string): never {
  throw new Failure(
    'InvalidInput',
    `general: ${split}: expected ${wanted} different problems, found ${found}; ask for fewer`,
  );
}

const LARGEST_NUMBER = 19;
/** Two or three numbers, each order another problem. */
const MOST_OF_A_TASK = LARGEST_NUMBER ** 2 + LARGEST_NUMBER ** 3;

function drawNumbers(draws: Draws): number[] {
  return Array.from({ length: draws.integer(2, 3) }, () => draws.integer(1, LARGEST_NUMBER));
}

function drawKeys(draws: Draws): string[] {
  const keys = new Set<string>();
  while (keys.size < PAIRS) keys.add(draws.among(LETTERS));
  return [...keys];
}
