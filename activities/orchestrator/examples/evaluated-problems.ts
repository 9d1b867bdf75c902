import {
  type EvaluationIndex,
  indexEvaluations,
  sampledIndices,
} from '../../../algorithm/data/decontamination.ts';
import { countPrompts, listProblems, readPrompts } from '../../../stores/data/prompts.ts';
import type { Queryable } from '../../../stores/database/database.ts';

/** A prompt set never changes, so each process reads its held-out problems once. */
const indices = new Map<string, EvaluationIndex>();

/** What a prompt set measures with, beside what its training prompts share. */
export async function evaluatedProblems(reader: Queryable, promptSet: string): Promise<EvaluationIndex> {
  const known = indices.get(promptSet);
  if (known !== undefined) return known;
  const places = sampledIndices(await countPrompts(reader, promptSet, 'train'));
  const learned = places.length === 0 ? [] : await readPrompts(reader, promptSet, 'train', places);
  const index = indexEvaluations(await listProblems(reader, promptSet, 'test'), {
    learned: learned.map(({ problem }) => [problem]),
  });
  indices.set(promptSet, index);
  return index;
}
