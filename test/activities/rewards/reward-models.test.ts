import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchFiles, readManifest, tokenizerOf } from '../../../activities/checkpoints/checkpoint-files.ts';
import { rewardModelTokens } from '../../../activities/orchestrator/examples/reward-model-tokens.ts';
import { makeRewardModel } from '../../../activities/orchestrator/stages/make-reward-model.ts';
import { modelVerdicts } from '../../../activities/rewards/model-verdicts.ts';
import { createRewardModels } from '../../../activities/rewards/reward-models.ts';
import type { Verdict } from '../../../contracts/records/schemas.ts';
import type { Reference } from '../../../contracts/reference.ts';
import { parseModelConfig } from '../../../engine/model/model-config.ts';
import { memoryObjects, temporaryCache } from '../memory-objects.ts';
import { engineHere, importTinyPolicy } from '../tiny-policy.ts';

const scoreOf = (verdict: Verdict | undefined) =>
  verdict && 'score' in verdict ? verdict.score : assert.fail('an error');

/** A store with a policy and reward models made of it, one a name. */
async function rewardModels(...names: string[]) {
  const objects = memoryObjects();
  const origin = await importTinyPolicy(objects);
  const manifests: Reference[] = [];
  for (const name of names) {
    const made = await makeRewardModel(objects, { origin, runSeed: 7n, stage: `reward-model/${name}` });
    manifests.push(made.manifest);
  }
  const { engine, calls } = engineHere();
  const models = createRewardModels({ objects, cache: temporaryCache(), openEngine: () => engine });
  return { objects, origin, manifests, models, calls };
}

test('a reward model is made of a policy once: the same policy, seed and stage are the same checkpoint', async () => {
  const { objects, origin, manifests } = await rewardModels('safety', 'safety', 'helpfulness');
  const [safety, again, helpfulness] = manifests;
  assert.ok(safety && again && helpfulness);
  assert.deepEqual(again, safety);
  assert.notEqual(helpfulness.sha256, safety.sha256);
  const manifest = await readManifest(objects, safety);
  const files = await fetchFiles(objects, manifest);
  assert.deepEqual(Object.keys(files).sort(), [
    'config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  const config = parseModelConfig(JSON.parse(new TextDecoder().decode(files['config.json'])));
  assert.equal(config.architecture, 'LlamaForSequenceClassification');
  assert.notEqual(manifest.digests.weights, origin.digests.weights);
  await assert.rejects(
    makeRewardModel(objects, {
      origin: { ...origin, manifest: safety },
      runSeed: 7n,
      stage: 'reward-model/safety',
    }),
    { name: 'ModelConfigError', message: /expected a model that generates/ },
  );
});

test('helpfulness scores what follows the thinking alone, safety the whole response as a probability', async () => {
  const { manifests, models } = await rewardModels('helpfulness');
  const [manifest = assert.fail()] = manifests;
  const answers = ['<think>1</think>2', '<think>3 3</think>2', '<think>1</think>4'].map((completionText) => ({
    problem: '1+1',
    completionText,
  }));
  const helpful = await modelVerdicts(
    models,
    { name: 'helpfulness', manifest },
    { promptFormat: 'chat', textRules: 2 },
    answers,
  );
  assert.equal(scoreOf(helpful[1]), scoreOf(helpful[0]));
  assert.notEqual(scoreOf(helpful[2]), scoreOf(helpful[0]));
  const safe = (
    await modelVerdicts(models, { name: 'safety', manifest }, { promptFormat: 'chat', textRules: 2 }, answers)
  ).map(scoreOf);
  assert.equal(new Set(safe).size, 3);
  assert.ok(safe.every((score) => score > 0 && score < 1));
});

test('an answer longer than the model reads is an error, and the others keep their places', async () => {
  const { manifests, models } = await rewardModels('safety');
  const [manifest = assert.fail()] = manifests;
  const answers = ['1', '2'.repeat(100), '3'].map((completionText) => ({ problem: '1+1', completionText }));
  const verdicts = await modelVerdicts(
    models,
    { name: 'safety', manifest },
    { promptFormat: 'text', textRules: 2 },
    answers,
  );
  const alone = await modelVerdicts(
    models,
    { name: 'safety', manifest },
    { promptFormat: 'text', textRules: 2 },
    answers.slice(2),
  );
  assert.ok(Math.abs(scoreOf(verdicts[2]) - scoreOf(alone[0])) < 1e-6);
  const [, long] = verdicts;
  assert.ok(
    long && 'error' in long && long.error.kind === 'too-long' && /104 tokens/.test(long.error.message),
  );
});

test('two models are kept, and the one not used for longest goes', async () => {
  const { manifests, models, calls } = await rewardModels('a', 'b', 'c');
  const [a = assert.fail(), b = assert.fail(), c = assert.fail()] = manifests;
  const tokens = [Int32Array.of(3, 4)];
  for (const manifest of [a, b, a, b]) await models.score(manifest, tokens);
  assert.deepEqual(calls, [
    'readWeights',
    'loadScorer',
    'score',
    'readWeights',
    'loadScorer',
    'score',
    'score',
    'score',
  ]);
  calls.length = 0;
  await Promise.all([models.score(a, tokens), models.score(c, tokens), models.score(a, tokens)]);
  assert.deepEqual(calls, ['score', 'readWeights', 'loadScorer', 'dropScorer', 'score', 'score']);
  calls.length = 0;
  await models.score(b, tokens);
  assert.deepEqual(calls, ['readWeights', 'loadScorer', 'dropScorer', 'score']);
});

test('weights that are not those of the manifest are refused, and refused again', async () => {
  const { objects, manifests, models } = await rewardModels('a', 'b');
  const [a = assert.fail(), b = assert.fail()] = manifests;
  const [own, other] = await Promise.all([a, b].map((manifest) => readManifest(objects, manifest)));
  assert.ok(own && other);
  const mixed = new TextEncoder().encode(JSON.stringify({ ...own, files: other.files }));
  const damaged = await objects.put('mixed', mixed);
  for (const _ of [1, 2]) {
    await assert.rejects(models.score(damaged, [Int32Array.of(1)]), {
      name: 'CorruptObject',
      message: /expected weights with digest/,
    });
  }
});

test('a prompt that opens the thinking does so once, and not where no thinking is read', async () => {
  const { objects, origin } = await rewardModels();
  const tokenizer = await tokenizerOf(objects, origin.manifest, { textRules: 2 });
  const opening = { ...tokenizer, applyChatTemplate: () => '<|user|>1<|assistant|><think>' };
  const named = (judgedFor: 'helpfulness' | 'safety', response: string) => {
    const { prompt, completion } = rewardModelTokens(
      Object.assign(Object.create(tokenizer), opening),
      'chat',
      {
        judgedFor,
        problem: '1',
        response,
      },
    );
    return tokenizer.decode([...prompt, ...completion]);
  };
  assert.equal(named('helpfulness', '2</think>3'), '<|user|>1<|assistant|>3<|eos|>');
  assert.equal(named('safety', '2</think>3'), '<|user|>1<|assistant|><think>2</think>3<|eos|>');
  assert.equal(named('safety', '<think>2</think>3'), '<|user|>1<|assistant|><think>2</think>3<|eos|>');
});
