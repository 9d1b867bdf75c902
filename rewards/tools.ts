import { availableParallelism } from 'node:os';
import { createSandbox, type Sandbox } from './code/index.ts';
import { MathPool, type MathVerifier } from './math/pool.ts';

/** What verifiers share that is costly to start: made once a process, started by first use. */
export interface RewardTools {
  math: MathVerifier;
  sandbox: Sandbox;
  /** Ends the threads; programs under way end by themselves. */
  close(): Promise<void>;
}

export interface RewardToolsOptions {
  /** threads for math, and programs that run at once; left out: the machine's cores */
  parallel?: number;
}

export function createRewardTools({
  parallel = availableParallelism(),
}: RewardToolsOptions = {}): RewardTools {
  const math = new MathPool({ threads: parallel });
  return { math, sandbox: createSandbox({ parallel }), close: () => math.close() };
}

/** The same tools for work that a signal ends: what waits for its turn is dropped, programs under way are killed. */
export function cancelledBy(tools: RewardTools, signal: () => AbortSignal): RewardTools {
  const { math, sandbox } = tools;
  return {
    math: { verify: (requests) => math.verify(requests, signal()) },
    sandbox: { ...sandbox, run: (command) => sandbox.run(command, signal()) },
    close: () => tools.close(),
  };
}
