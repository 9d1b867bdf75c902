import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawsFrom } from '../../../algorithm/random/draws.ts';
import {
  afterRound,
  type DynamicSamplingState,
  informativeGroups,
} from '../../../algorithm/rl/dynamic-sampling.ts';
import type { Verdict } from '../../../contracts/records/schemas.ts';

const verdicts = (scores: (number | null)[]): Verdict[] =>
  scores.map((score) => (score === null ? { error: { kind: 'k', message: 'm' } } : { score }));

test('a group teaches when some but not all of its scored completions are right', () => {
  const groups = [
    [0, 0, 0],
    [1, 0, 0],
    [1, 1, 1],
    [1, 1, 0],
    [1, null, 0],
    [1, null, null],
    [null, null, null],
  ];
  assert.deepEqual(informativeGroups(verdicts(groups.flat()), 3), [1, 3, 4]);
});

test('it refills until full, then trains on what there is, or says that there is nothing', () => {
  const state = { wanted: 16, kept: 4, sampled: 16, rounds: 1, maxExtraRounds: 2 };
  assert.deepEqual(afterRound({ ...state, kept: 16 }), { kind: 'full' });
  assert.deepEqual(afterRound({ ...state, kept: 20 }), { kind: 'full' });
  assert.deepEqual(afterRound({ ...state, kept: 12 }), { kind: 'refill', prompts: 6 });
  assert.deepEqual(afterRound(state), { kind: 'refill', prompts: 16 });
  assert.deepEqual(afterRound({ ...state, kept: 0 }), { kind: 'refill', prompts: 16 });
  assert.equal(afterRound({ ...state, rounds: 2 }).kind, 'refill');
  assert.deepEqual(afterRound({ ...state, rounds: 3 }), { kind: 'short', missing: 12 });
  assert.deepEqual(afterRound({ ...state, rounds: 3, kept: 0 }), { kind: 'empty' });
});

test('whatever share is kept, it ends within the rounds allowed, each no larger than a rollout', () => {
  for (let seed = 0n; seed < 200n; seed++) {
    const draws = drawsFrom(seed);
    const keepShare = draws.integer(0, 10) / 10;
    const state: DynamicSamplingState = {
      wanted: draws.integer(1, 32),
      kept: 0,
      sampled: 0,
      rounds: 0,
      maxExtraRounds: draws.integer(0, 8),
    };
    let prompts = state.wanted;
    for (;;) {
      assert.ok(prompts >= 1 && prompts <= state.wanted);
      for (let prompt = 0; prompt < prompts; prompt++) if (draws.chance(keepShare)) state.kept++;
      state.sampled += prompts;
      state.rounds++;
      const outcome = afterRound(state);
      if (outcome.kind !== 'refill') break;
      prompts = outcome.prompts;
    }
    assert.ok(state.rounds <= 1 + state.maxExtraRounds);
  }
});
