import {
  type EvaluationIndex,
  indexEvaluations,
  sampledIndices,
} from '../../../algorithm/data/decontamination.ts';
import { countPrompts, listProblems, readPrompts } from '../../../stores/data/prompts.ts';
import type { Queryable } from '../../../stores/database/database.ts';

/** A prompt set never changes, so each process reads its held-out problems once. */
const indices = new Map<string, EvaluationIndex>();

/** An index of a prompt set's held-out problems, with phrases that are common among its training prompts left out. */
export async function evaluatedProblems(reader: Queryable, promptSet: string): Promise<EvaluationIndex> {
  const known = indices.get(promptSet);
  if (known !== undefined) return known;
  const ordinals = sampledIndices(await countPrompts(reader, promptSet, 'train'));
  const learned = ordinals.length === 0 ? [] : await readPrompts(reader, promptSet, 'train', ordinals);
  const index = indexEvaluations(await listProblems(reader, promptSet, 'test'), {
    learned: learned.map(({ problem }) => [problem]),
  });
  indices.set(promptSet, index);
  return index;
}
