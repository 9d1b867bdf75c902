import {
  ApplicationFailure,
  CancellationScope,
  executeChild,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import { type RunInput, type StageOutcome, stageWorkflowId } from '../contracts/workflows.ts';
import { orchestrator } from './activities.ts';
import { describeFailure } from './errors.ts';
import { reinforcementStage } from './reinforcement-stage.ts';

/** One launch of a recipe: its stages, one after the other, each a child workflow. */
export async function trainingRun({ run }: RunInput): Promise<{ stages: StageOutcome[] }> {
  const { stages } = await orchestrator.loadPlan({ run });
  const outcomes: StageOutcome[] = [];
  try {
    for (const plan of stages) {
      const key = { run, stage: plan.stage };
      const outcome = await executeChild(reinforcementStage, {
        workflowId: stageWorkflowId(key),
        args: [{ key, historyStep: null, trainer: null }],
        staticSummary: `${plan.stage} of ${run}: ${plan.options.max_steps} steps of GRPO`,
        typedSearchAttributes: workflowInfo().typedSearchAttributes,
      });
      outcomes.push(outcome);
      if (outcome.status === 'aborted') break;
    }
  } catch (error) {
    if (isCancellation(error)) throw error;
    throw ApplicationFailure.nonRetryable(describeFailure(error), 'StageFailed');
  }
  const status = outcomes.every((outcome) => outcome.status === 'complete') ? 'complete' : 'aborted';
  // Who cancels the run's workflow aborts the run, and that is to be written down.
  await CancellationScope.nonCancellable(() =>
    orchestrator.setRunStatus.executeWithOptions({ summary: `run ${status}` }, [{ run, status }]),
  );
  return { stages: outcomes };
}
