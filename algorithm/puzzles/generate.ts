/**
 * Puzzles made from a seed, for training and held out. Which split a puzzle belongs to is a property of its
 * content, whatever the seed and the difficulty: it is held out if a hash of its identity falls below 1/8.
 */
import { Failure } from '../../contracts/failures.ts';
import type { PromptRow } from '../data/prompt-row.ts';
import { type Draws, drawsFrom } from '../random/draws.ts';
import { deriveSeed, fnv1a32, uniformAt } from '../random/seeds.ts';

const HELD_OUT_SHARE = 1 / 8;
/** Draws without a new puzzle after which there are taken to be no more. */
const MOST_DRAWS_IN_VAIN = 5_000;

/** The dial: 1 is the easiest. */
export type Difficulty = 1 | 2 | 3 | 4 | 5;

interface Puzzle {
  problem: string;
  /** what its verifier takes as the entry */
  truth: object;
  /** the same for two puzzles that are one puzzle in other words or another order */
  identity: string;
}

export interface PuzzleGenerator {
  /** names the verifier as well */
  domain: string;
  /** A puzzle, or null where what was drawn makes none. */
  draw(difficulty: Difficulty, draws: Draws): Puzzle | null;
}

export interface PuzzleSet {
  difficulty: Difficulty;
  /** puzzles to train on */
  train: number;
  /** held-out puzzles */
  test: number;
  seed: number;
}

/** Whether the puzzle of this identity belongs to the held-out split. */
function isHeldOut(identity: string): boolean {
  return uniformAt(BigInt(fnv1a32(identity)), 0) < HELD_OUT_SHARE;
}

/** Training puzzles, then held-out ones, all different. Throws a Failure where there are not so many. */
export function generatePuzzles(generator: PuzzleGenerator, set: PuzzleSet): PromptRow[] {
  return [...rowsOf(generator, set, 'train'), ...rowsOf(generator, set, 'test')];
}

function rowsOf(generator: PuzzleGenerator, set: PuzzleSet, split: PromptRow['split']): PromptRow[] {
  const { domain } = generator;
  const purpose = { stage: domain, branch: set.difficulty, purpose: split, step: 0, slot: 0, sample: 0 };
  const draws = drawsFrom(deriveSeed({ runSeed: BigInt(set.seed), ...purpose }));
  const rows = new Map<string, PromptRow>();
  const wanted = set[split];
  for (let inVain = 0; rows.size < wanted && inVain < MOST_DRAWS_IN_VAIN; inVain++) {
    const puzzle = generator.draw(set.difficulty, draws);
    if (puzzle === null || isHeldOut(puzzle.identity) !== (split === 'test')) continue;
    const { problem, truth, identity } = puzzle;
    if (rows.has(identity)) continue;
    rows.set(identity, { problem, answer: JSON.stringify(truth), domain, split });
    inVain = 0;
  }
  if (rows.size === wanted) return [...rows.values()];
  const found = `found ${rows.size} at difficulty ${set.difficulty}`;
  throw new Failure(
    'InvalidInput',
    `${domain}: ${split}: expected ${wanted} different puzzles, ${found}; ask for fewer, or raise it`,
  );
}
