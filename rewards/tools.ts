import { availableParallelism } from 'node:os';
import { createSandbox, type Sandbox } from './code/index.ts';
import { MathPool, type MathVerifier } from './math/pool.ts';

/** Resources of verifiers that are costly to start: made once per process, started at first use. */
export interface RewardTools {
  math: MathVerifier;
  sandbox: Sandbox;
  /** Ends the threads; running programs finish by themselves. */
  close(): Promise<void>;
}

export interface RewardToolsOptions {
  /** number of math threads, and of programs that run at once; default: the machine's cores */
  parallel?: number;
}

export function createRewardTools({
  parallel = availableParallelism(),
}: RewardToolsOptions = {}): RewardTools {
  const math = new MathPool({ threads: parallel });
  return { math, sandbox: createSandbox({ parallel }), close: () => math.close() };
}

/** The same tools under an abort signal: it drops work that still waits and kills running programs. */
export function cancelledBy(tools: RewardTools, signal: () => AbortSignal): RewardTools {
  const { math, sandbox } = tools;
  return {
    math: { verify: (requests) => math.verify(requests, signal()) },
    sandbox: { ...sandbox, run: (command) => sandbox.run(command, signal()) },
    close: () => tools.close(),
  };
}
