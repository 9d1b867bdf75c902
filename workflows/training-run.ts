import {
  ApplicationFailure,
  CancellationScope,
  executeChild,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import { stageWaves } from '../algorithm/run/stage-order.ts';
import type { StagePlan } from '../contracts/plan.ts';
import { type RunInput, type StageOutcome, stageWorkflowId } from '../contracts/workflows.ts';
import { orchestrator } from './activities.ts';
import { describeFailure } from './errors.ts';
import { reinforcementStage } from './reinforcement-stage.ts';
import { rewardModelStage } from './reward-model-stage.ts';
import { supervisedStage } from './supervised-stage.ts';

const workflows: Record<StagePlan['algorithm'], typeof reinforcementStage> = {
  grpo: reinforcementStage,
  sft: supervisedStage,
  'reward-model': rewardModelStage,
};

const titles: Record<StagePlan['algorithm'], string> = {
  grpo: 'GRPO',
  sft: 'supervised fine-tuning',
  'reward-model': 'training a reward model',
};

/** One launch of a recipe. Its stages are child workflows; those that need nothing of each other run side by side. */
export async function trainingRun({ run }: RunInput): Promise<{ stages: StageOutcome[] }> {
  const { stages } = await orchestrator.loadPlan({ run });
  const outcomes: StageOutcome[] = [];
  try {
    for (const wave of stageWaves(stages)) {
      const ended = await Promise.all(wave.map((plan) => runStage(run, plan)));
      outcomes.push(...ended);
      if (ended.some(({ status }) => status === 'aborted')) break;
    }
  } catch (error) {
    if (isCancellation(error)) throw error;
    throw ApplicationFailure.nonRetryable(describeFailure(error), 'StageFailed');
  }
  const status = outcomes.every((outcome) => outcome.status === 'complete') ? 'complete' : 'aborted';
  // Cancelling the run's workflow aborts the run; the row must say so.
  await CancellationScope.nonCancellable(() =>
    orchestrator.setRunStatus.executeWithOptions({ summary: `run ${status}` }, [{ run, status }]),
  );
  return { stages: outcomes };
}

function runStage(run: string, { stage, algorithm, options }: StagePlan): Promise<StageOutcome> {
  const key = { run, stage };
  return executeChild(workflows[algorithm], {
    workflowId: stageWorkflowId(key),
    args: [{ key, historyStep: null, trainer: null }],
    staticSummary: `${stage} of ${run}: ${options.max_steps} steps of ${titles[algorithm]}`,
    typedSearchAttributes: workflowInfo().typedSearchAttributes,
  });
}
