import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { documents, evalDocument } from '../../contracts/documents.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';
import type { Settings } from '../../infra/settings.ts';
import { localWorkers } from '../../infra/supervisor/workers.ts';
import { r1, r1Json } from './command.ts';
import { type Ground, openGround, startCrew } from './ground.ts';

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 600_000 };

let ground: Ground;
let settings: Settings;
let base: string;
let benchmark: string;

before(async () => {
  ground = await openGround();
  // Threads belong to the numerics: the same here and in the trainer.
  settings = { ...ground.settings, variables: { ...ground.settings.variables, R1_THREADS: '1' } };
  base = ground.recipe.base;
  benchmark = join(ground.folder, 'benchmark.jsonl');
  // More than one shard of 64 problems.
  const rows = Array.from({ length: 70 }, (_, n) => {
    const [a, b] = [n % 7, Math.floor(n / 7) % 10];
    return { problem: `${a}+${b}=?`, answer: String(a + b), domain: 'nano-sums' };
  });
  await writeFile(benchmark, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}, PATIENCE);
after(() => ground?.close());

async function evaluated(on: string, name: string) {
  const out = join(ground.folder, `${name}.jsonl`);
  const options = ['--prompts', benchmark, '--k', '2', '--max-tokens', '16', '--show', '3', '--out', out];
  const { seconds, ...document } = await r1Json(settings, evalDocument, 'eval', base, ...options, '--on', on);
  assert.ok(seconds > 0);
  return { document, samples: await readFile(out, 'utf8') };
}

const generate = (on: string, ...options: string[]) =>
  r1Json(
    settings,
    documents.generate,
    'generate',
    base,
    '--chat',
    '--prompt',
    '2+3=?',
    '--on',
    on,
    ...options,
  );

/** Rows that a run or its trainers' leases would have. */
async function rows(): Promise<number> {
  const database = await ground.connections.database();
  const [found] = await database.query<{ rows: number }>(
    `SELECT ((SELECT count(*) FROM runs) + (SELECT count(*) FROM stages) + (SELECT count(*) FROM terms))::integer AS rows`,
  );
  return found?.rows ?? -1;
}

test(
  'a trainer gives the figures, samples and answers of this process, also where it is killed; no row is written',
  PATIENCE,
  async () => {
    const crew = await startCrew(ground, 'measures', { failpoints: ['sampling:1'] });
    try {
      const here = await evaluated('here', 'here');
      assert.equal(here.document.problems, 70);
      const there = await evaluated('trainer', 'there');
      assert.deepEqual(there, here);
      assert.equal(crew.happened(), 1);
      const sampled = ['--temperature', '1', '--seed', '5', '--max-tokens', '12'];
      const answer = await generate('here', ...sampled);
      assert.ok(answer.tokens.length > 0 && answer.logprobs.length === answer.tokens.length);
      const { logprobs, ...others } = await generate('trainer', ...sampled);
      assert.deepEqual({ ...others, logprobs }, answer);
      assert.equal(await rows(), 0);
      const said = await r1(settings, 'generate', base, '--prompt', '2', '--on', 'trainer');
      assert.match(said.error, /is in the object store, for the trainer: s3:\/\/.*manifest\.json/);
    } finally {
      await crew.stop();
    }
  },
);

test(
  'a model that the engine does not compute goes to a trainer, whose refusal is shown',
  PATIENCE,
  async () => {
    const folder = join(ground.folder, 'other-architecture');
    await cp(base, folder, { recursive: true });
    const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
    const other = { ...config, model_type: 'mistral', architectures: ['MistralForCausalLM'] };
    await writeFile(join(folder, 'config.json'), JSON.stringify(other));
    const crew = await startCrew(ground, 'refuses');
    try {
      const here = await r1(settings, 'generate', folder, '--prompt', '2', '--on', 'here');
      assert.equal(here.code, 2);
      assert.match(here.error, /config\.json is not a configuration that the embedded engine can compute/);
      const there = await r1(settings, 'generate', folder, '--prompt', '2');
      assert.equal(there.code, 1);
      assert.match(there.error, /a trainer samples: .*config\.json is not a configuration/);
      assert.match(there.error, /The trainer could not sample: .*is not a configuration/);
    } finally {
      await crew.stop();
    }
  },
);

test(
  'without a free trainer the command waits, says so, and Ctrl-C ends its workflow',
  PATIENCE,
  async () => {
    const workers = localWorkers().filter(({ role }) => role === 'orchestrator');
    const crew = await startCrew(ground, 'waits', { workers });
    try {
      const { PATH, HOME } = process.env;
      const args = ['generate', base, '--prompt', '2', '--on', 'trainer'];
      const child = spawn(process.execPath, [join(PROJECT_ROOT, 'cli/r1.mjs'), ...args], {
        env: { PATH, HOME, ...settings.variables, R1_HOME: settings.home },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
      const error = text(child.stderr);
      const client = await ground.connections.temporal();
      const query = `WorkflowType = 'sampleModel' AND ExecutionStatus = 'Running'`;
      let workflowId: string | null = null;
      while (workflowId === null) {
        assert.equal(
          child.exitCode,
          null,
          'expected the command to wait for a trainer, found that it has ended',
        );
        for await (const found of client.workflow.list({ query })) workflowId = found.workflowId;
        await sleep(100);
      }
      assert.match(workflowId, /^r1\/eval-[0-9a-f]{8}\/sampling$/);
      const handle = client.workflow.getHandle(workflowId);
      while (((await handle.describe()).raw.pendingActivities ?? []).length === 0) await sleep(100);
      // Its progress is shown before it is interrupted.
      await sleep(3_000);
      child.kill('SIGINT');
      assert.equal(await code, 130);
      assert.match(await error, /waiting for a trainer[\s\S]*Cancelled: the trainer is free again/);
      await assert.rejects(handle.result(), /cancelled/i);
    } finally {
      await crew.stop();
    }
  },
);
