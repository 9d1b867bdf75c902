/** The documentation names what exists, all of it, and its marked code blocks run. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { COMMANDS_PAGE, commandNamed, commandsPage } from '../cli/commands-page.ts';
import { commandNames } from '../cli/main.ts';
import { PROJECT_ROOT } from '../infra/paths.ts';
import { SETTING_NAMES } from '../infra/settings.ts';

const pages = ['README.md', ...readdirSync(join(PROJECT_ROOT, 'docs')).map((name) => join('docs', name))]
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, text: readFileSync(join(PROJECT_ROOT, name), 'utf8') }));

/** Options of each command, subcommands included. */
async function optionsOfCommands(): Promise<Map<string, Set<string>>> {
  const options = new Map<string, Set<string>>();
  for (const name of commandNames) {
    const command = await commandNamed(name);
    const all = [command, ...command.commands].flatMap((each) => each.options.map(({ long }) => long ?? ''));
    options.set(name, new Set([...all, '--help', '--debug', '--version']));
  }
  return options;
}

/** Code of a page: blocks and spans, one per line. */
const codeOf = (text: string) => [
  ...[...text.matchAll(/^```[^\n]*\n(.*?)^```$/gms)].flatMap(([, block = '']) => block.split('\n')),
  ...[...text.replaceAll(/^```.*?^```$/gms, '').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span),
];

test('docs/commands.md is what the commands say of themselves: `npm run docs`', async () => {
  assert.equal(readFileSync(COMMANDS_PAGE, 'utf8'), await commandsPage());
});

test('every command and option that a page names exists', async () => {
  const options = await optionsOfCommands();
  const wrong: string[] = [];
  for (const { name, text } of pages) {
    for (const code of codeOf(text)) {
      for (const [, command = '', rest = ''] of code.matchAll(/(?:^|[\s|])(?:\.\/)?r1 ([a-z]+)([^|#]*)/g)) {
        const known = options.get(command);
        if (known === undefined) wrong.push(`${name}: r1 ${command}`);
        for (const [option] of rest.matchAll(/(?<=\s\[?)--[a-z][a-z-]*/g))
          if (known !== undefined && !known.has(option)) wrong.push(`${name}: r1 ${command} ${option}`);
      }
      for (const [option] of code.matchAll(/^--[a-z][a-z-]*/g))
        if (![...options.values()].some((known) => known.has(option)) && !FOREIGN.has(option))
          wrong.push(`${name}: ${option}`);
    }
  }
  assert.deepEqual(wrong, []);
});

/** Options of other programs and of the benchmarks. */
const FOREIGN = new Set(['--python']);

test('every variable that a page names exists', () => {
  const known = new Set<string>([...SETTING_NAMES, 'R1_PEERS_PYTHON']);
  const wrong = pages.flatMap(({ name, text }) =>
    [...text.matchAll(/\bR1_[A-Z0-9_]+\b/g)].flatMap(([variable]) =>
      known.has(variable) ? [] : [`${name}: ${variable}`],
    ),
  );
  assert.deepEqual(wrong, []);
});

test('every script of npm that a page names exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8'));
  const wrong = pages.flatMap(({ name, text }) =>
    [...text.matchAll(/npm run (?:-s )?([a-z:0-9-]+)/g)].flatMap(([, script = '']) =>
      script in scripts ? [] : [`${name}: ${script}`],
    ),
  );
  assert.deepEqual(wrong, []);
});

test('every file and heading that a page links to or names exists', () => {
  const wrong: string[] = [];
  for (const { name, text } of pages) {
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [file = '', heading] = target.split('#');
      const path = file === '' ? name : join(dirname(name), file);
      if (!existsSync(join(PROJECT_ROOT, path))) wrong.push(`${name}: ${target}`);
      else if (heading !== undefined && !headingsOf(path).has(heading)) wrong.push(`${name}: ${target}`);
    }
    for (const [, path = ''] of text.matchAll(
      /`((?:algorithm|activities|cli|contracts|engine|infra|recipes|rewards|stores|test|workers|workflows)\/[\w./-]+\.\w+)`/g,
    ))
      if (!existsSync(join(PROJECT_ROOT, path))) wrong.push(`${name}: ${path}`);
  }
  assert.deepEqual(wrong, []);
});

/** Anchors as GitHub makes them. */
function headingsOf(path: string): Set<string> {
  const text = readFileSync(join(PROJECT_ROOT, path), 'utf8').replaceAll(/^```.*?^```$/gms, '');
  const anchor = (heading: string) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
  return new Set([...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchor(heading)));
}

const blocks = pages.flatMap(({ name, text }) =>
  [...text.matchAll(/<!-- run -->\n```sh\n(.*?)^```$/gms)].map(([, block = '']) => ({ name, block })),
);

test(`the ${blocks.length} code blocks that are marked to be run do`, () => {
  assert.ok(blocks.length >= 4);
  for (const { name, block } of blocks) {
    // What a reader has done already, and what the machine that tests may lack.
    const script = block
      .replace('npm ci\n', '')
      .replace('./r1 doctor', './r1 doctor --json >/dev/null || true');
    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-euc', script], {
      cwd: PROJECT_ROOT,
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${name}:\n${block}\n${stdout}${stderr}`);
  }
});
