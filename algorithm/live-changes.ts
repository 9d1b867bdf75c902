import { type Change, type GrpoOptions, grpoSchema } from '../contracts/options.ts';
import { optionsInForce } from './schedules.ts';

/**
 * What is wrong with the options at any step from the first of the `added` changes on, given those that are
 * `committed` already: `learning_rate: expected number to be >0, found -1`. Empty where all is well.
 */
export function problemsOfChanges(
  options: GrpoOptions,
  committed: readonly Change[],
  added: readonly Change[],
): string[] {
  const all = [...committed, ...added];
  const first = Math.min(...added.map(({ effectiveStep }) => effectiveStep));
  const steps = all.map(({ effectiveStep }) => effectiveStep).filter((step) => step >= first);
  const inForce = steps.map((step) => optionsInForce(step, options, all));
  return [
    ...new Set(inForce.flatMap((changed) => [...outOfBounds(changed), ...unprepared(options, changed)])),
  ];
}

function outOfBounds(changed: GrpoOptions): string[] {
  const parsed = grpoSchema.safeParse(changed);
  if (parsed.success) return [];
  return parsed.error.issues.map(({ code, path, message }) => {
    const field = String(path[0]);
    if (code === 'custom') return `${field}: ${message}`;
    const found = (changed as Record<string, unknown>)[field];
    return `${field}: ${message.replace(/^Too (small|big): /, '')}, found ${found}`;
  });
}

/** A stage that began with beta 0 holds no reference policy. */
function unprepared(options: GrpoOptions, changed: GrpoOptions): string[] {
  if (options.beta > 0 || changed.beta === 0) return [];
  return [`beta: expected 0, as the stage began without a reference policy, found ${changed.beta}`];
}
