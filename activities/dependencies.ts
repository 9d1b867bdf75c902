import type { Database } from '../stores/database.ts';
import type { ObjectStore } from '../stores/objects.ts';

/** What the orchestrator's and the reward worker's activities are given: the two stores. */
export interface Stores {
  database: Database;
  objects: ObjectStore;
}
