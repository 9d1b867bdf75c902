import type { ShowDocument } from '../../contracts/documents.ts';
import { besideRoles, roleOf } from '../../contracts/stage-name.ts';

/** The stage whose checkpoint a run was for: the last one of those that lead to R1, else the last. */
export function productOf(
  stages: readonly ShowDocument['stages'][number][],
): ShowDocument['stages'][number] | undefined {
  const saved = stages.filter(({ checkpoint }) => checkpoint !== null);
  return saved.findLast(({ stage }) => !besideRoles.includes(roleOf(stage))) ?? saved.at(-1);
}
