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

/** What activities are given at whose commits a test can have the process die. */
export interface WatchedStores extends Stores {
  failpoints: Failpoints;
}

/** What activities ask of the stages' workflows, or send them. */
export interface StageWorkflows {
  /** Whether a stage's workflow is under way and waits for a trainer. */
  waitsForTrainer(key: StageKey): Promise<boolean>;
  /** Has it shown; a workflow that is gone needs no showing. */
  showPlace(key: StageKey, place: QueuePosition): Promise<void>;
}

/** What the orchestrator's activities are given. */
export interface OrchestratorContext extends WatchedStores {
  workflows: StageWorkflows;
}

/** What the reward worker's activities are given besides: threads for math, the sandbox, the run's own reward models. */
export interface RewardContext extends WatchedStores {
  tools: RewardTools;
  models: RewardModels;
}
