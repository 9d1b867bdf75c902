import type { StageKey } from '../../../contracts/identity.ts';
import type { StageOrigin, StagePlan } from '../../../contracts/plan.ts';
import type { CommittedCheckpoint } from '../../../contracts/stage-state.ts';
import type { Database } from '../../../stores/database/database.ts';
import { readInitial, settleInitial } from '../../../stores/runs/stages.ts';
import { finalCheckpoint } from '../../../stores/steps/checkpoints.ts';
import type { Stores } from '../../dependencies.ts';
import { planOf, stagePlanOf } from '../../plan-of.ts';
import { makeRewardModel } from './make-reward-model.ts';

/** Settles the checkpoint that a stage starts from, when the stage is opened for the first time. */
export async function settleOrigin(stores: Stores, key: StageKey): Promise<void> {
  const { database } = stores;
  if ((await readInitial(database, key)) !== null) return;
  const run = await planOf(database, key.run);
  const plan = stagePlanOf(run, key.stage);
  const origin = await checkpointOf(database, key, plan.origin);
  await settleInitial(database, key, await initialOf(stores, key, plan, origin, BigInt(run.seed)));
}

async function checkpointOf(
  database: Database,
  { run }: StageKey,
  origin: StageOrigin,
): Promise<CommittedCheckpoint> {
  return origin.kind === 'model'
    ? origin.checkpoint
    : finalCheckpoint(database, { run, stage: origin.stage });
}

/** A reward model begins as its policy with a fresh scalar head; every other stage begins with the policy itself. */
async function initialOf(
  { objects }: Stores,
  { stage }: StageKey,
  { algorithm }: StagePlan,
  origin: CommittedCheckpoint,
  runSeed: bigint,
): Promise<CommittedCheckpoint> {
  return algorithm === 'reward-model' ? makeRewardModel(objects, { origin, runSeed, stage }) : origin;
}
