import type { RunPlan, StagePlan } from '../contracts/activities.ts';
import { Failure } from '../contracts/failures.ts';
import type { Database } from '../stores/database.ts';
import { getRun } from '../stores/runs.ts';

/** A run's plan never changes once it is launched, so each process reads it once. */
const plans = new Map<string, RunPlan>();

/** What the run was launched with. */
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
