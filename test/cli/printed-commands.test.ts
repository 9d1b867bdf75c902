import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandFrom } from '../../cli/output/output.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';

/** A package of the name `r1` is somebody else's: what we print or teach must not fetch it. */
const REACHES_A_REGISTRY = /\b(?:npx|npm (?:exec|x)|pnpm dlx|pnpx|bunx|yarn dlx)\b[^\n|;&]*\br1\b/;

const OTHERS = new Set(['node_modules', 'package-lock.json']);

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(({ name }) => {
    if (name.startsWith('.') || OTHERS.has(name)) return [];
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesIn(path) : [path];
  });
}

test('no command that is printed or taught asks a registry for r1', () => {
  const texts = filesIn(PROJECT_ROOT).filter((file) => /\.(?:ts|mjs|cjs|md|ya?ml|json|sh)$/.test(file));
  assert.ok(texts.length > 100);
  const found = texts.filter((file) => REACHES_A_REGISTRY.test(readFileSync(file, 'utf8')));
  assert.deepEqual(found, []);
});

test('the command that is printed runs from where it is printed, whatever folder that is', () => {
  const { version } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8'));
  for (const cwd of [PROJECT_ROOT, join(PROJECT_ROOT, 'docs'), tmpdir()]) {
    const { stdout, stderr } = spawnSync('/bin/sh', ['-c', `${commandFrom(cwd)} --version`], {
      cwd,
      encoding: 'utf8',
    });
    assert.equal(stdout.trim(), version, `${cwd}: ${stderr}`);
  }
});
