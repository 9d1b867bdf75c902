/** `r1 serve`. */
import type { Command } from 'commander';
import { DEFAULT_LIMITS, startRewardServer } from '../../workers/reward-server/server.ts';
import { InputError } from '../errors.ts';
import { whole } from '../options.ts';
import { examples, printLine } from '../output/output.ts';

interface Options {
  host: string;
  port: number;
  maxBatch: number;
  maxBody: number;
}

export const commands = { serve: defineServe };

function defineServe(command: Command): void {
  command
    .description(
      'Serve the verifiers over HTTP as a remote reward function for TRL and OpenRLHF. GET /openapi.json describes ' +
        'it. An error is never scored 0: its reward is null, and `errors` has the message.',
    )
    .argument('<what>', 'rewards')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port to listen on; 0 picks a free one', whole(0, 65_535), 8900)
    .option('--max-batch <n>', 'most completions of a request', whole(1, 100_000), DEFAULT_LIMITS.batch)
    .option(
      '--max-body <bytes>',
      'most bytes of a request',
      whole(1, 1_073_741_824),
      DEFAULT_LIMITS.bodyBytes,
    )
    .addHelpText(
      'after',
      examples(
        'r1 serve rewards',
        `curl -s localhost:8900/score -H 'content-type: application/json' \\
      -d '{"completions": ["so \\\\boxed{1/2}"], "answer": ["0.5"]}'`,
      ),
    )
    .action(serve);
}

async function serve(
  what: string,
  { host, port, maxBatch, maxBody }: Options,
  command: Command,
): Promise<void> {
  if (what !== 'rewards') throw new InputError(`expected rewards, found ${what}`);
  const limits = { batch: maxBatch, bodyBytes: maxBody };
  const server = await startRewardServer({
    host,
    port,
    version: command.parent?.version() ?? 'unknown',
    limits,
  });
  printLine(`Rewards at ${server.url}/score, described at ${server.url}/openapi.json; stop with Ctrl-C.`);
  await stopSignal();
  printLine('Finishing open requests …');
  await server.close();
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
