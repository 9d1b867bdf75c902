import { Failure } from '../contracts/failures.ts';
import type { StageKey } from '../contracts/identity.ts';
import type { ReinforcementPlan, RunPlan, StagePlan, SupervisedPlan } from '../contracts/plan.ts';
import type { CommittedCheckpoint } from '../contracts/stage-state.ts';
import type { Database } from '../stores/database/database.ts';
import { getRun } from '../stores/runs/runs.ts';
import { readInitial } from '../stores/runs/stages.ts';

/** A run's plan never changes once it is launched, so each process reads it once. */
const plans = new Map<string, RunPlan>();

/** The plan of a run. */
export async function planOf(database: Database, run: string): Promise<RunPlan> {
  const known = plans.get(run);
  if (known !== undefined) return known;
  const { plan } = await getRun(database, run);
  plans.set(run, plan);
  return plan;
}

export function stagePlanOf(plan: RunPlan, stage: string): StagePlan {
  const found = plan.stages.find((candidate) => candidate.stage === stage);
  if (found !== undefined) return found;
  const known = plan.stages.map((candidate) => candidate.stage).join(', ');
  throw new Failure('InvalidInput', `stage ${stage}: expected one of ${known}`);
}

export function reinforcementPlanOf(plan: RunPlan, stage: string): ReinforcementPlan {
  const found = stagePlanOf(plan, stage);
  return found.algorithm === 'grpo' ? found : otherAlgorithm(found, 'grpo');
}

export function supervisedPlanOf(plan: RunPlan, stage: string): SupervisedPlan {
  const found = stagePlanOf(plan, stage);
  return found.algorithm === 'sft' ? found : otherAlgorithm(found, 'sft');
}

export function otherAlgorithm({ stage, algorithm }: StagePlan, expected: string): never {
  throw new Failure(
    'InvalidInput',
    `stage ${stage}: expected one trained by ${expected}, found ${algorithm}`,
  );
}

const initials = new Map<string, CommittedCheckpoint>();

/** The checkpoint that a stage starts from. It is settled once, when the stage is opened. */
export async function initialOf(database: Database, { run, stage }: StageKey): Promise<CommittedCheckpoint> {
  const name = `${run}/${stage}`;
  const known = initials.get(name);
  if (known !== undefined) return known;
  const found = await readInitial(database, { run, stage });
  if (found === null) throw new Failure('Contradiction', `${name}: expected an opened stage, found none`);
  initials.set(name, found);
  return found;
}
