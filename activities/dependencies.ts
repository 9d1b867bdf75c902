import type { RewardTools } from '../rewards/tools.ts';
import type { Database } from '../stores/database.ts';
import type { ObjectStore } from '../stores/objects.ts';
import type { Failpoints } from './failpoints.ts';
import type { RewardModels } from './reward-models.ts';

/** What the orchestrator's activities are given: the two stores. */
export interface Stores {
  database: Database;
  objects: ObjectStore;
}

/** What activities are given at whose commits a test can have the process die. */
export interface WatchedStores extends Stores {
  failpoints: Failpoints;
}

/** What the reward worker's activities are given besides: threads for math, the sandbox, the run's own reward models. */
export interface RewardRoom extends WatchedStores {
  tools: RewardTools;
  models: RewardModels;
}
