import type { StageKey } from '../contracts/identity.ts';
import type { QueuePosition } from '../contracts/workflows.ts';
import type { RewardTools } from '../rewards/tools.ts';
import type { Database } from '../stores/database/database.ts';
import type { ObjectStore } from '../stores/objects/objects.ts';
import type { Failpoints } from './failpoints.ts';
import type { RewardModels } from './rewards/reward-models.ts';

/** The two stores. */
export interface Stores {
  database: Database;
  objects: ObjectStore;
}

/** Stores and failpoints, for activities at whose commits a test can end the process. */
export interface WatchedStores extends Stores {
  failpoints: Failpoints;
}

/** Queries and signals to the stages' workflows. */
export interface StageWorkflows {
  /** Whether a stage's workflow is running and waits for a trainer. */
  waitsForTrainer(key: StageKey): Promise<boolean>;
  /** Sends a place in the queue for the workflow to show. Does nothing where the workflow has ended. */
  showPlace(key: StageKey, place: QueuePosition): Promise<void>;
}

/** Dependencies of the orchestrator's activities. */
export interface OrchestratorContext extends WatchedStores {
  workflows: StageWorkflows;
  /** how long objects that no row refers to are kept */
  graceSeconds: number;
}

/** Dependencies of the reward worker's activities: threads for math, the sandbox, the run's trained reward models. */
export interface RewardContext extends WatchedStores {
  tools: RewardTools;
  models: RewardModels;
}
