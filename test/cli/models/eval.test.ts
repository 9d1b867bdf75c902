import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { chooseMeasure, type MeasureOptions } from '../../../cli/models/measure.ts';
import type { OpenModel } from '../../../cli/models/open-model.ts';
import type { Connections } from '../../../cli/stack/connections.ts';
import { completionDocument } from '../../../contracts/completion-document.ts';
import { evalDocument } from '../../../contracts/documents.ts';
import { readModelFolder } from '../../../engine/weights/model-folder.ts';
import { PROJECT_ROOT } from '../../../infra/paths.ts';
import { databaseWithRun, KEY, prompts } from '../../stores/helpers.ts';

const NANO_BASE = join(PROJECT_ROOT, 'models/nano-base');

async function benchmark(t: TestContext, ...rows: object[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'r1-eval-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'benchmark.jsonl');
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}

/** `r1 eval` of the nano base as a process of its own, with no stack under its home. */
async function evalBase(...args: string[]) {
  const child = spawn(process.execPath, [join(PROJECT_ROOT, 'cli/r1.mjs'), 'eval', NANO_BASE, ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, R1_HOME: join(tmpdir(), 'r1-eval-no-stack') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, out, error };
}

const sums = [
  { problem: '7+15+3+12=?', answer: '37', domain: 'nano-sums', level: 'easy' },
  { problem: '3+5+3+12=?', answer: '23', domain: 'nano-sums', split: 'test' },
  { problem: '8+1+3+12=?', answer: '24', domain: 'more-sums', split: 'test' },
];

/** A model's folder is measured without servers. */
const noServers = { database: () => assert.fail('the database was asked') };

test('any benchmark in JSONL is measured by domain, and the same seed gives the same figures', async (t) => {
  const path = await benchmark(t, ...sums);
  const measured = async (...args: string[]) => {
    const { code, out, error } = await evalBase('--prompts', path, '--k', '4', '--json', ...args);
    assert.equal(code, 0, error);
    const { seconds, ...figures } = evalDocument.parse(JSON.parse(out));
    assert.ok(seconds > 0);
    return figures;
  };
  const [first, again, other] = [await measured(), await measured(), await measured('--seed', '5')];
  assert.deepEqual(again, first);
  assert.notDeepEqual(other, first);
  // Rows with a split: the held-out ones.
  assert.deepEqual([first.problems, first.k], [2, 4]);
  assert.deepEqual(Object.keys(first.byDomain ?? {}), ['more-sums', 'nano-sums']);
});

test('the samples of an evaluation are shown and written with all that explains their verdicts', async (t) => {
  const path = await benchmark(t, ...sums.slice(0, 2));
  const out = `${path.slice(0, -'.jsonl'.length)}-samples.jsonl`;
  const {
    code,
    out: printed,
    error,
  } = await evalBase('--prompts', path, '--k', '3', '--json', '--show', '2', '--out', out);
  assert.equal(code, 0, error);
  const { samples, counts, passAt1, problems, k } = evalDocument.parse(JSON.parse(printed));
  const lines = (await readFile(out, 'utf8')).trim().split('\n');
  const written = lines.map((line) => completionDocument.parse(JSON.parse(line)));
  assert.equal(written.length, problems * k);
  // Shown are the first samples of the first problems, whatever was answered.
  assert.deepEqual(samples, [written[0], problems > 1 ? written[k] : written[1]]);
  const right = written.filter(({ verdict }) => verdict === 'right').length;
  assert.equal(counts.right, right);
  assert.equal(counts.right + counts.wrong + counts.errors, written.length);
  assert.ok(Math.abs(passAt1 - right / written.length) < 1e-9);
  for (const { prompt, problem, completion, extracted, truth, verdict, tokens } of written) {
    assert.ok(prompt.includes(problem) && prompt.startsWith('<|user|>'), prompt);
    assert.match(completion, /^<think>/);
    assert.equal(verdict === 'right', extracted === truth);
    assert.ok(tokens > 0);
  }
  const again = await evalBase('--prompts', path, '--k', '1', '--out', out);
  assert.deepEqual([again.code, /expected a new file, found one there/.test(again.error)], [2, true]);
});

test('a benchmark whose answers no verifier can read is refused with the first of them', async (t) => {
  const path = await benchmark(t, { problem: '2+3=?', answer: '\\frac{', domain: 'math' });
  const { code, error } = await evalBase('--prompts', path, '--k', '2');
  assert.equal(code, 1);
  assert.match(error, /evaluation: math: expected a verdict on at least one of 2 answers.*"2\+3=\?"/);
  assert.doesNotMatch(error, /not foreseen/);
});

const ofFolder = async (): Promise<OpenModel> => ({
  name: NANO_BASE,
  model: await readModelFolder(NANO_BASE),
  origin: null,
});

async function refused(options: MeasureOptions, message: RegExp): Promise<void> {
  await assert.rejects(chooseMeasure(await ofFolder(), noServers, options), { message });
}

test('a damaged row is refused with its file, line and field before anything is computed', async (t) => {
  const [sum = assert.fail()] = sums;
  const { answer: _, ...unanswered } = sum;
  await refused(
    { prompts: await benchmark(t, sum, unanswered) },
    /benchmark\.jsonl line 2: answer: expected/,
  );
  await refused({ prompts: await benchmark(t, sum, { ...sum, problem: 3 }) }, /line 2: problem: expected/);
  await refused({ prompts: await benchmark(t) }, /benchmark\.jsonl: expected at least one row, found none/);
  await refused({ prompts: '/nowhere.jsonl' }, /\/nowhere\.jsonl: expected a file or folder, found none/);
  await refused(
    { prompts: await benchmark(t, { prompt: 'p', chosen: 'a', rejected: 'b' }) },
    /expected problems with answers to measure with, found preferences/,
  );
  await refused({ prompts: await benchmark(t, { hello: 1 }) }, /expected a row of a known layout/);
  await refused({}, /expected --prompts FILE or --recipe FILE, found neither/);
});

test('more problems than there are, and answers without positions, are refused', async (t) => {
  const path = await benchmark(t, ...sums);
  await refused({ prompts: path, problems: 3 }, /--problems 3: expected at most 2/);
  await refused(
    { prompts: path, maxTokens: 250 },
    /"3\+5\+3\+12=\?": expected the problem and --max-tokens within the 256 positions of .*found \d+ \+ 250/,
  );
});

test('a benchmark in a layout of others is read, its domain told or by its layout', async (t) => {
  const [first = assert.fail(), second = assert.fail()] = sums.map(({ problem, answer }) => ({
    problem,
    answer,
  }));
  const math500 = { ...first, solution: 'We add: \\boxed{37}', subject: 'Prealgebra', level: 1 };
  const path = await benchmark(t, math500, second, second);
  const read = async (options: MeasureOptions) =>
    chooseMeasure(await ofFolder(), noServers, { prompts: path, ...options });
  const { notes, prompts: measured } = await read({});
  assert.deepEqual(notes, [
    `${path}: 3 rows, read as open-r1-math`,
    'rows that repeat an earlier one, left out: 1',
    '2 problems, judged as math',
  ]);
  assert.deepEqual(
    measured.map(({ answer, domain }) => [answer, domain]),
    [
      ['37', 'math'],
      ['23', 'math'],
    ],
  );
  const named = await read({ domain: 'nano-sums' });
  assert.deepEqual(named.prompts[0]?.domain, 'nano-sums');
});

test('a benchmark that overlaps the training prompts of the checkpoint’s run is refused, unless that is meant', async (t) => {
  const database = await databaseWithRun(t);
  await database.query(
    `UPDATE prompts SET problem_hash = encode(sha256(convert_to(problem, 'UTF8')), 'hex')`,
  );
  const connections = { database: async () => database } as Pick<Connections, 'database'> as Connections;
  const folder = await ofFolder();
  const digests = { weights: folder.model.digest, moments: null, reference: null };
  const manifest = { uri: 's3://b/manifest.json', sha256: folder.model.digest, bytes: 1 };
  const opened = { ...folder, origin: { ...KEY, branch: 0, step: 4, manifest, digests } };
  const trained = prompts(20).find(({ split }) => split === 'train') ?? assert.fail();
  const [other = assert.fail()] = sums;
  const row = { problem: ` ${trained.problem}`, answer: trained.answer, domain: trained.domain };
  const path = await benchmark(t, other, row);
  const measure = (of: MeasureOptions) => chooseMeasure(opened, connections, { prompts: path, ...of });
  await assert.rejects(measure({}), {
    name: 'InputError',
    message:
      /benchmark\.jsonl line 2: expected a problem that calm was not trained on.*\(1 of 2 problems are\).*--trained-too/,
  });
  assert.equal((await measure({ trainedToo: true, promptFormat: 'chat' })).prompts.length, 2);
});
