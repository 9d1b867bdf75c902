import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ARCHITECTURES } from '../../../engine/model/architecture.ts';
import { formatModelConfig, parsePolicyConfig } from '../../../engine/model/model-config.ts';
import { openRuntime } from '../../../engine/runtime/runtime.ts';
import { digestTensors } from '../../../engine/weights/digest.ts';
import { readWeightsFolder, writeWeightsFolder } from '../../../engine/weights/weights.ts';
import { compareWithAnswers, readAnswers } from './peer-answers.ts';

/** Written by test/peers/architectures_answers.py. */
const FOLDER = fileURLToPath(new URL('../../fixtures/architectures', import.meta.url));
const names = readdirSync(FOLDER);
const runtime = openRuntime({ threads: 1, spinning: false });

test('the answers hold a model of each family', async () => {
  const answers = await Promise.all(names.map((name) => readAnswers(`${FOLDER}/${name}`)));
  const families = new Set(answers.map(({ config }) => ARCHITECTURES[config.architecture].family.modelType));
  const known = Object.values(ARCHITECTURES).map(({ family }) => family.modelType);
  assert.deepEqual([...families].sort(), [...new Set(known)].sort());
});

for (const name of names) {
  test(`${name}: logits, gradients and greedy completions are those of transformers`, async (t) => {
    const answers = await readAnswers(`${FOLDER}/${name}`);
    const { logits, float32, float64 } = compareWithAnswers(runtime, answers);
    t.diagnostic(
      `logits ${logits.toExponential(1)}, gradients ${float32.toFixed(3)} and ${float64.toFixed(3)}`,
    );
  });

  test(`${name}: the configuration is the same as published, as transformers writes it and as the engine does`, async () => {
    const { config, written_by_transformers } = await readAnswers(`${FOLDER}/${name}`);
    assert.deepEqual(parsePolicyConfig(written_by_transformers), config);
    assert.deepEqual(parsePolicyConfig(JSON.parse(formatModelConfig(config))), config);
  });

  test(`${name}: weights that are written and read twice keep their digest`, async (t) => {
    const { config, weights } = await readAnswers(`${FOLDER}/${name}`);
    const folder = await mkdtemp(join(tmpdir(), 'architectures-'));
    t.after(() => rm(folder, { recursive: true }));
    const digests = [digestTensors(weights)];
    let kept = weights;
    for (const _ of ['once', 'twice']) {
      await writeWeightsFolder(folder, kept);
      kept = await readWeightsFolder(folder, config);
      digests.push(digestTensors(kept));
    }
    assert.equal(new Set(digests).size, 1);
    const [first] = kept.keys();
    await writeWeightsFolder(folder, new Map([...kept].slice(1)));
    await assert.rejects(readWeightsFolder(folder, config), new RegExp(`lacks the tensor ${first}`));
  });
}
