/** How many bytes of checkpoints a stage has in S3 while it trains, and at its end, by its options of retention. */
import type { RetentionOptions } from '../../contracts/options.ts';

interface SavingOptions extends RetentionOptions {
  max_steps: number;
  save_steps: number;
}

export interface CheckpointSizes {
  options: SavingOptions;
  /** of a checkpoint's own objects */
  own: number;
  /** of a reference policy; 0 where checkpoints have none */
  reference: number;
  /** numbers the reference policies: those that share an object have one number */
  referenceAt(step: number): number;
}

export interface KeptCheckpoints {
  saved: number;
  kept: number;
  /** of all that are saved */
  writtenBytes: number;
  /** before the deletion that follows the last commit */
  peakBytes: number;
  finalBytes: number;
}

/** `save_best` is counted with a checkpoint that no other rule keeps. What waits for its deletion is not counted. */
export function keptCheckpoints(sizes: CheckpointSizes): KeptCheckpoints {
  const saves = savesOf(sizes.options);
  const before = keptAfter(saves.slice(0, -1), sizes);
  const after = keptAfter(saves, sizes);
  const atLast = { steps: [...before.steps, ...saves.slice(-1)], best: before.best };
  return {
    saved: saves.length,
    kept: after.steps.length + after.best,
    writtenBytes: bytesOf({ steps: saves, best: 0 }, sizes),
    peakBytes: Math.max(bytesOf(atLast, sizes), bytesOf(after, sizes)),
    finalBytes: bytesOf(after, sizes),
  };
}

function savesOf({ max_steps, save_steps }: SavingOptions): number[] {
  const planned = Array.from({ length: Math.floor(max_steps / save_steps) }, (_, n) => (n + 1) * save_steps);
  return max_steps % save_steps === 0 ? planned : [...planned, max_steps];
}

interface Kept {
  steps: number[];
  /** 1 where a further checkpoint is the best */
  best: number;
}

function keptAfter(saves: readonly number[], { options }: CheckpointSizes): Kept {
  const { save_total_limit: limit, keep_every: every, save_best } = options;
  if (limit === undefined) return { steps: [...saves], best: 0 };
  const recent = saves.length - limit;
  const steps = saves.filter((step, n) => n >= recent || (every !== undefined && step % every === 0));
  return { steps, best: save_best !== undefined && steps.length < saves.length ? 1 : 0 };
}

function bytesOf({ steps, best }: Kept, { own, reference, referenceAt }: CheckpointSizes): number {
  const references = new Set(steps.map(referenceAt)).size + best;
  return (steps.length + best) * own + references * reference;
}
