import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noFailpoints } from '../../../activities/failpoints.ts';
import { makeRewardModel } from '../../../activities/orchestrator/stages/make-reward-model.ts';
import { floats } from '../../../activities/ragged.ts';
import { putModelScores, putSequences, readModelScores } from '../../../activities/records/model-scoring.ts';
import { putSampleRequest } from '../../../activities/records/request.ts';
import { putRollout } from '../../../activities/records/rollout.ts';
import { putScores, putTexts, readScoresAndTexts } from '../../../activities/records/scores.ts';
import { createScoringActivities } from '../../../activities/rewards/index.ts';
import { createRewardModels } from '../../../activities/rewards/reward-models.ts';
import { addModelVerdicts } from '../../../activities/rewards/score-by-model.ts';
import type { Tensor } from '../../../contracts/format/dtypes.ts';
import type { Reference } from '../../../contracts/reference.ts';
import { encodeRecord } from '../../../stores/objects/records.ts';
import { digest, numerics, reference } from '../../stores/helpers.ts';
import { memoryObjects, temporaryCache } from '../memory-objects.ts';
import { engineHere, importTinyPolicy, tinyConfig } from '../tiny-policy.ts';

const key = (name: string) => (sha256: string) => `runs/r/${name}-${sha256.slice(0, 16)}.safetensors`;
const POSITIONS = tinyConfig.max_position_embeddings;

/** Two sequences, the second too long, scored by the call of the contract. */
async function scored() {
  const objects = memoryObjects();
  const origin = await importTinyPolicy(objects);
  const made = await makeRewardModel(objects, { origin, runSeed: 7n, stage: 'reward-model/safety' });
  const model = made.manifest;
  const { engine } = engineHere();
  const models = createRewardModels({ objects, cache: temporaryCache(), openEngine: () => engine });
  const sequencesN = [Int32Array.of(3, 4, 5), new Int32Array(POSITIONS + 1).fill(3), Int32Array.of(6)];
  const sequences = await putSequences(objects, key('sequences'), sequencesN);
  const { score } = createScoringActivities({ objects, models, failpoints: noFailpoints });
  return { objects, model, models, sequencesN, sequences, score };
}

test('the call `score` writes a score for each sequence beside them, and none where one is too long', async () => {
  const { objects, model, models, sequencesN, sequences, score } = await scored();
  const { version, scores, seconds } = await score({ version: 2, model, sequences });
  assert.equal(version, 2);
  assert.ok(seconds >= 0);
  assert.match(scores.uri, /\/runs\/r\/model-scores-[0-9a-f]{16}\.safetensors$/);
  const found = await readModelScores(objects, scores, { model, sequences, count: 3 });
  const [first, long, third] = found;
  assert.equal(long, null);
  assert.deepEqual(found, (await models.score(model, sequencesN)).scoresN);
  assert.notEqual(first, third);
  // A message without a version is of version 1; the same bits are the same object.
  assert.deepEqual((await score({ model, sequences })).scores, scores);
});

test('an input of `score` that breaks the contract is refused with its field', async () => {
  const { model, sequences, score } = await scored();
  const refused = (input: object, kind: string, message: RegExp) =>
    assert.rejects(score(input as Parameters<typeof score>[0]), { name: kind, message });
  await refused({ version: 2, model }, 'BrokenContract', /score: its input .*sequences/);
  await refused({ version: 2, model, sequences, lease: null }, 'BrokenContract', /lease/);
  await refused({ version: 3, model, sequences }, 'UnknownVersion', /version 3/);
  await refused({ version: 2, model, sequences: model }, 'CorruptObject', /manifest\.json/);
});

const [model, sequences] = [reference('model'), reference('sequences')];
const asked = { model, sequences, count: 2 };

test('scores of other sequences or of another model, too few, or not finite are refused with the field', async () => {
  const objects = memoryObjects();
  const written = (of: { model?: Reference; sequences?: Reference }, scoresN: (number | null)[]) =>
    putModelScores(objects, { model, sequences, numerics, ...of }, scoresN);
  const refused = async (scores: Promise<Reference>, name: string, message: RegExp) =>
    assert.rejects(readModelScores(objects, await scores, asked), { name, message });
  const other = reference('other');
  await refused(
    written({ model: other }, [1, 2]),
    'BrokenContract',
    /: model: expected .*bucket\/model, found/,
  );
  await refused(written({ sequences: other }, [1, 2]), 'BrokenContract', /: sequences: expected/);
  await refused(written({}, [1]), 'BrokenContract', /: scores: expected 2 scores, found 1/);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
    await refused(
      writtenAnyhow(objects, [1, value]),
      'CorruptObject',
      /"scores": element 1: expected a finite/,
    );
  await refused(written({ model: { ...model, sha256: digest('x') } }, [1, 2]), 'BrokenContract', /: model:/);
  assert.deepEqual(await readModelScores(objects, await written({}, [1, null]), asked), [1, null]);
});

/** As a worker that checks nothing writes them. */
function writtenAnyhow(objects: ReturnType<typeof memoryObjects>, scoresN: number[]): Promise<Reference> {
  const record = { kind: 'model-scores', version: 2, sequences, model, numerics };
  const bytes = encodeRecord(
    record,
    new Map<string, Tensor>([
      ['scores', floats(Float32Array.from(scoresN))],
      ['tooLong', { dtype: 'U8', shape: [scoresN.length], data: new Uint8Array(scoresN.length) }],
    ]),
  );
  return objects.put((sha256) => `model-scores-${sha256}`, bytes);
}

/** A shard of three completions of two domains, with its scores by rule. */
async function shard() {
  const objects = memoryObjects();
  const prompts = ['math', 'general'].map((domain, slot) => ({
    ...{ slot, prompt: digest(domain), problem: `a ${domain} problem`, answer: '1', domain },
  }));
  const sampling = { temperature: 1, top_p: 1, top_k: 0, max_completion_length: 8 };
  const request = await putSampleRequest(objects, key('request'), {
    request: {
      prompts,
      numGenerations: 2,
      seeds: ['1', '2', '3', '4'],
      sampling,
      model: null,
      eosTokenIds: [1],
    },
    promptsP: [Int32Array.of(1), Int32Array.of(2)],
  });
  const completionsN = [1, 2, 3, 4].map((token) => Int32Array.of(token));
  const truncatedN = new Int32Array(4);
  const rollout = await putRollout(
    objects,
    key('rollout'),
    { request, policy: digest('p'), policyDigest: null, numerics },
    { completionsN, logprobsN: completionsN.map(() => new Float32Array(1)), truncatedN },
  );
  const texts = await putTexts(objects, rollout, ['a', 'b', 'c', 'd']);
  const verdicts = [1, 0, 0, 1].map((score) => ({ score }));
  const scores = await putScores(objects, {
    ...{ rollout, texts, truncatedN, lengthsN: new Int32Array(4).fill(1) },
    rewards: [{ name: 'accuracy', version: 3, verdicts }],
    thinkingN: ['none', 'none', 'present', 'empty'],
  });
  return { objects, rollout, scores };
}

test('verdicts of reward models join those by rule; a model judges the domains that it concerns', async () => {
  const { objects, rollout, scores } = await shard();
  const ofModel = await putSequences(objects, key('sequences'), [
    Int32Array.of(3),
    Int32Array.from({ length: 70 }, () => 3),
  ]);
  const modelScores = await putModelScores(objects, { model, sequences: ofModel, numerics }, [0, null]);
  const safety = { name: 'safety' as const, weight: 1, domains: ['general'] };
  const helpfulness = { name: 'helpfulness' as const, weight: 1, domains: ['code'] };
  const scored = { model, sequences: ofModel, scores: modelScores };
  const byModel = [
    { reward: safety, scored },
    { reward: helpfulness, scored: null },
  ];
  const joined = await addModelVerdicts({ objects }, { scores, byModel });
  const found = await readScoresAndTexts(objects, joined.scores);
  const absent = { score: 0, absent: true };
  assert.deepEqual(found.rewards.slice(1), [
    {
      name: 'safety',
      version: 1,
      verdicts: [
        absent,
        absent,
        { score: 0.5 },
        {
          error: {
            kind: 'too-long',
            message: 'safety: expected at most the positions of the reward model, found 70 tokens',
          },
        },
      ],
    },
    { name: 'helpfulness', version: 1, verdicts: [absent, absent, absent, absent] },
  ]);
  assert.deepEqual(
    [found.rewards[0]?.version, found.rollout, found.texts],
    [3, rollout, ['a', 'b', 'c', 'd']],
  );
  await assert.rejects(
    addModelVerdicts({ objects }, { scores, byModel: [{ reward: safety, scored: null }] }),
    {
      name: 'Contradiction',
      message: /safety: expected scores of 2 completions, found none/,
    },
  );
  const wrong = { ...scored, model: reference('other') };
  await assert.rejects(
    addModelVerdicts({ objects }, { scores, byModel: [{ reward: safety, scored: wrong }] }),
    {
      name: 'BrokenContract',
      message: /: model: expected/,
    },
  );
});
