/** A rollout of a run's prompts and its scores, as a stage that samples data leaves them. */

import type { TestContext } from 'node:test';
import type { Stores, WatchedStores } from '../../activities/dependencies.ts';
import { noFailpoints } from '../../activities/failpoints.ts';
import { putSampleRequest } from '../../activities/records/request.ts';
import { putRollout } from '../../activities/records/rollout.ts';
import { putScores, putTexts } from '../../activities/records/scores.ts';
import { type SelectSamplesInput, selectionRuleSchema } from '../../contracts/datasets.ts';
import type { SampleRequest, Verdict } from '../../contracts/records/schemas.ts';
import { MIGRATIONS } from '../../infra/paths.ts';
import { promptHash } from '../../stores/data/prompts.ts';
import { migrate } from '../../stores/database/migrate.ts';
import { keys } from '../../stores/objects/keys.ts';
import { createObjectStore } from '../../stores/objects/objects.ts';
import { withStack } from '../helpers/stack.ts';
import {
  addRun,
  BRANCH,
  digest,
  KEY,
  numerics,
  openDatabase,
  prompts,
  reference,
} from '../stores/helpers.ts';

/** Both stores, with the run `calm` in them. */
export async function storesWithRun(t: TestContext, run = KEY.run): Promise<WatchedStores> {
  const stack = await withStack(t);
  const objects = createObjectStore(stack.s3);
  t.after(() => objects.close());
  const database = openDatabase(t, stack.postgres.url);
  await migrate(database, MIGRATIONS);
  await addRun(database, run);
  return { database, objects, failpoints: noFailpoints };
}

export interface Sampled {
  text: string;
  accuracy: Verdict;
  tokens?: number;
  truncated?: boolean;
}

export const right = (thinking: string): Sampled => ({
  text: `<think>${thinking}</think><answer>1</answer>`,
  accuracy: { score: 1 },
});
export const wrong: Sampled = {
  text: '<think>hm</think><answer>0</answer>',
  accuracy: { score: 0 },
};

export const rule = selectionRuleSchema.parse({ decontaminate: false });

/** Puts request, rollout and scores of these samples, `perPrompt` of each prompt in turn. */
export async function sampledPart(
  { objects }: Pick<Stores, 'objects'>,
  part: number,
  sampled: readonly Sampled[],
  perPrompt = Math.min(2, sampled.length),
): Promise<SelectSamplesInput> {
  const count = Math.ceil(sampled.length / perPrompt);
  const drawn = prompts(20).slice(0, count);
  const request: SampleRequest = {
    model: null,
    prompts: drawn.map(({ problem, answer, domain }, slot) => {
      return { slot, prompt: promptHash({ problem, answer, domain }), problem, answer, domain };
    }),
    numGenerations: perPrompt,
    seeds: sampled.map((_, n) => String(18446744073709551615n - BigInt(1000 * part + n))),
    sampling: { temperature: 1, top_p: 1, top_k: 0, max_completion_length: 64 },
    eosTokenIds: [1],
  };
  const requestAt = await putSampleRequest(objects, keys.request({ ...BRANCH, step: part + 1 }), {
    request,
    promptsP: drawn.map(() => Int32Array.of(2)),
  });
  const completionsN = sampled.map(({ tokens = 8 }) => new Int32Array(tokens));
  const truncatedN = Int32Array.from(sampled, ({ truncated }) => Number(truncated ?? false));
  const header = { request: requestAt, policy: digest('policy'), policyDigest: digest('w0'), numerics };
  const rolloutAt = await putRollout(objects, keys.rollout(requestAt), header, {
    completionsN,
    logprobsN: completionsN.map(({ length }) => new Float32Array(length)),
    truncatedN,
  });
  const texts = await putTexts(
    objects,
    rolloutAt,
    sampled.map(({ text }) => text),
  );
  const scoresAt = await putScores(objects, {
    rollout: rolloutAt,
    texts,
    rewards: [
      { name: 'accuracy', version: 3, verdicts: sampled.map(({ accuracy }) => accuracy) },
      { name: 'format', version: 1, verdicts: sampled.map(() => ({ score: 1 })) },
    ],
    lengthsN: Int32Array.from(completionsN, ({ length }) => length),
    truncatedN,
    thinkingN: sampled.map(() => 'present'),
  });
  const checkpoint = {
    step: 0,
    manifest: reference('base'),
    digests: { weights: digest('w0'), moments: null, reference: null },
  };
  const from = { stage: 'zero', checkpoint };
  return { key: BRANCH, part, rollout: rolloutAt, scores: scoresAt, from, rule };
}
