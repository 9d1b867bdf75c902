import type { PHASES } from '../../contracts/training.ts';

export type Phase = (typeof PHASES)[number];

/** Receives the progress of the engine's calls, for heartbeats. */
export interface ProgressReport {
  /** A phase begins; `of`: units that it has, such as micro-batches or tensors. */
  begin(phase: Phase, of: number): void;
  /** One more unit is done. */
  advance(tokens?: number): void;
}

export const noReport: ProgressReport = { begin: () => undefined, advance: () => undefined };
