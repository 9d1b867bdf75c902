/** The part of a stage's workflow that reward models score for, as a workflow of its own. */
import { ApplicationFailure } from '@temporalio/workflow';
import { Failure } from '../../contracts/failures.ts';
import * as workflows from '../../workflows/model-scoring.ts';

type Input = Parameters<typeof workflows.addScoresByModel>[0];

/** A stage parks for an error; a workflow of its own fails. */
export async function addScoresByModel(input: Input): Promise<unknown> {
  try {
    return await workflows.addScoresByModel(input);
  } catch (error) {
    if (error instanceof Failure) throw ApplicationFailure.nonRetryable(error.message, error.kind);
    throw error;
  }
}
