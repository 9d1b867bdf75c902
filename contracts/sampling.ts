/** Sampling from one model outside of any run, for `r1 eval` and `r1 generate`: a workflow leases a trainer for it. */
import type { StageKey } from './identity.ts';
import type { Reference } from './reference.ts';
import type { CommittedCheckpoint } from './stage-state.ts';

/** The stage in the lease of such a workflow: no run has rows of this name. */
export const samplingKey = (id: string): StageKey => ({ run: `eval-${id}`, stage: 'sampling' });

export interface SamplingInput {
  /** of `samplingKey` */
  key: StageKey;
  checkpoint: Pick<CommittedCheckpoint, 'step' | 'manifest' | 'digests'>;
  /** of each shard */
  requests: Reference[];
  /** also compute log-probabilities at this temperature; null: none */
  logprobsAt: number | null;
}

/** A sampled shard. */
export interface SampledPart {
  rollout: Reference;
  logprobs: Reference | null;
}

/** The answer to the query `progress`. */
export interface SamplingProgress {
  /** whether a trainer holds the model */
  leased: boolean;
  /** shards from the asked one on */
  sampled: SampledPart[];
}
