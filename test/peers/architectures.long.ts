/**
 * The comparison of test/engine/model/architectures.test.ts with transformers as it is installed and with other weights.
 * Runs where `R1_PEERS_PYTHON` names a Python with torch, transformers and safetensors; skipped elsewhere.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parsePolicyConfig } from '../../engine/model/model-config.ts';
import { openRuntime } from '../../engine/runtime/runtime.ts';
import { compareWithAnswers, readAnswers } from '../engine/model/peer-answers.ts';

const python = process.env.R1_PEERS_PYTHON;
const skip = python === undefined && 'R1_PEERS_PYTHON does not name a Python with torch and transformers';
const SCRIPT = fileURLToPath(new URL('./architectures_answers.py', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../fixtures/architectures', import.meta.url));
const runtime = openRuntime({ threads: 1, spinning: false });

test('logits, gradients and greedy completions are those of transformers, of every model and other weights', {
  skip,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'peers-'));
  t.after(() => rm(folder, { recursive: true }));
  const child = spawnSync(python ?? '', [SCRIPT, folder, '1000'], { encoding: 'utf8' });
  assert.equal(child.status, 0, child.stderr);
  const names = (await readdir(folder)).sort();
  assert.deepEqual(names, (await readdir(FIXTURES)).sort());
  for (const name of names) {
    const answers = await readAnswers(join(folder, name));
    assert.deepEqual(parsePolicyConfig(answers.written_by_transformers), answers.config);
    const { logits, float32, float64 } = compareWithAnswers(runtime, answers);
    t.diagnostic(
      `${name}: logits ${logits.toExponential(1)}, gradients ${float32.toFixed(3)} and ${float64.toFixed(3)} of what is allowed`,
    );
  }
});
