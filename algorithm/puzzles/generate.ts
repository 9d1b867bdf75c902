/**
 * Puzzles made from a seed, for training and held out. The split of a puzzle depends on its content alone, not on
 * the seed or the difficulty: it is held out if a hash of its identity is below 1/8.
 */
import { Failure } from '../../contracts/failures.ts';
import type { PromptRow } from '../data/prompt-row.ts';
import { type Draws, drawsFrom } from '../random/draws.ts';
import { deriveSeed, fnv1a32, uniformAt } from '../random/seeds.ts';

const HELD_OUT_SHARE = 1 / 8;
/** After this many draws without a new puzzle the generator counts as exhausted. */
const MOST_FRUITLESS_DRAWS = 5_000;

/** 1 is the easiest. */
export type Difficulty = 1 | 2 | 3 | 4 | 5;

interface Puzzle {
  problem: string;
  /** the entry of its verifier */
  truth: object;
  /** equal for puzzles that differ in wording or order alone */
  identity: string;
}

export interface PuzzleGenerator {
  /** also the name of its verifier */
  domain: string;
  /** A puzzle, or null where the draw is not a valid one. */
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

/** Training puzzles, then held-out ones, all different. Throws a Failure where there are too few. */
export function generatePuzzles(generator: PuzzleGenerator, set: PuzzleSet): PromptRow[] {
  return [...rowsOf(generator, set, 'train'), ...rowsOf(generator, set, 'test')];
}

function rowsOf(generator: PuzzleGenerator, set: PuzzleSet, split: PromptRow['split']): PromptRow[] {
  const { domain } = generator;
  const purpose = { stage: domain, branch: set.difficulty, purpose: split, step: 0, slot: 0, sample: 0 };
  const draws = drawsFrom(deriveSeed({ runSeed: BigInt(set.seed), ...purpose }));
  const rows = new Map<string, PromptRow>();
  const wanted = set[split];
  for (let fruitless = 0; rows.size < wanted && fruitless < MOST_FRUITLESS_DRAWS; fruitless++) {
    const puzzle = generator.draw(set.difficulty, draws);
    if (puzzle === null || isHeldOut(puzzle.identity) !== (split === 'test')) continue;
    const { problem, truth, identity } = puzzle;
    if (rows.has(identity)) continue;
    rows.set(identity, { problem, answer: JSON.stringify(truth), domain, split });
    fruitless = 0;
  }
  if (rows.size === wanted) return [...rows.values()];
  const found = `found ${rows.size} at difficulty ${set.difficulty}`;
  throw new Failure(
    'InvalidInput',
    `${domain}: ${split}: expected ${wanted} different puzzles, ${found}; ask for fewer, or raise it`,
  );
}
