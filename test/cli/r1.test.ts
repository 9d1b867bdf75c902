import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { commandNames, programFor } from '../../cli/main.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';

interface Ended {
  code: number | null;
  out: string;
  error: string;
}

/** Runs `r1` as a process of its own in an empty folder, with no stack under its home. */
async function r1(t: TestContext, ...args: string[]): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), 'r1-cli-'));
  t.after(() => rm(folder, { recursive: true }));
  const child = spawn(process.execPath, [join(PROJECT_ROOT, 'cli/r1.mjs'), ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, R1_HOME: join(folder, '.r1') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, out, error };
}

test('every command tells what it does, its options and an example', async () => {
  for (const name of commandNames) {
    const command = (await programFor([name])).commands.find((each) => each.name() === name);
    const help: string[] = [];
    command?.configureOutput({ writeOut: (line) => void help.push(line) }).outputHelp();
    assert.match(
      help.join(''),
      /Usage: r1 [a-z]+ [\s\S]*Options:[\s\S]*--debug[\s\S]*Examples:\n {2}\$ /,
      name,
    );
    assert((command?.description().length ?? 0) > 30, name);
  }
});

test('r1 works from any working directory and prints nothing but what was asked for', async (t) => {
  const { version } = JSON.parse(await readFile(join(PROJECT_ROOT, 'package.json'), 'utf8'));
  assert.deepEqual(await r1(t, '--version'), { code: 0, out: `${version}\n`, error: '' });
});

test('without a command r1 shows its commands', async (t) => {
  const { code, out, error } = await r1(t);
  assert.deepEqual([code, error], [0, '']);
  for (const name of commandNames) assert.match(out, new RegExp(`^  ${name} `, 'm'));
});

test('an unknown command is refused with the one that was meant', async (t) => {
  const { code, error } = await r1(t, 'lanch');
  assert.equal(code, 2);
  assert.match(error, /unknown command 'lanch'\n\(Did you mean launch\?\)/);
});

test('without a stack, commands that need it say how to start it', async (t) => {
  const ended = await r1(t, 'show', '--json');
  assert.deepEqual(ended, {
    code: 1,
    out: '',
    error: 'error: the stack is not running: start it with `r1 up`\n',
  });
});

test('a broken recipe is told by line and key, before anything else and without a stack trace', async (t) => {
  const text = await readFile(join(PROJECT_ROOT, 'recipes/nano-zero.yaml'), 'utf8');
  const folder = await mkdtemp(join(tmpdir(), 'r1-cli-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'x.yaml');
  await writeFile(path, text.replace('  learning_rate:', '  learning_rat:').replace('k: 16', 'k: many'));
  const { code, out, error } = await r1(t, 'launch', path, '--set', 'max_step=8');
  assert.deepEqual([code, out], [2, '']);
  assert.equal(
    error.split('\n')[0],
    'error: --set max_step=8: unknown key max_step; did you mean max_steps? Expected an option of a stage, or a dotted path from the recipe’s root.',
  );
  const again = await r1(t, 'launch', path);
  assert.match(
    again.error,
    /x\.yaml line \d+: stages\[0\]\.options\.learning_rat: unknown key; did you mean learning_rate\?/,
  );
  assert.match(again.error, /x\.yaml line \d+: evaluation\.k: expected a number, found "many"/);
  assert.doesNotMatch(again.error, /\n {4}at /);
});

test('a stack trace is shown with --debug alone', async (t) => {
  const { code, error } = await r1(t, 'status', '--debug');
  assert.equal(code, 1);
  assert.match(error, /^error: the stack is not running.*\n[\s\S]*\n {4}at /);
});

test('a variable of the environment that is wrong is named', async () => {
  const child = spawn(process.execPath, [join(PROJECT_ROOT, 'cli/r1.mjs'), 'status'], {
    env: { PATH: process.env.PATH, R1_PORT_S3: 'no' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  assert.match(await text(child.stderr), /^error: [\s\S]*R1_PORT_S3: expected a port number/);
  assert.equal(await code, 2);
});
