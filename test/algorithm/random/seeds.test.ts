import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  deriveSeed,
  fnv1a32,
  formatSeed,
  parseSeed,
  permutation,
  type SeedPurpose,
  uniformAt,
} from '../../../algorithm/random/seeds.ts';
import vectors from '../../../contracts/vectors/seeds.json' with { type: 'json' };

const purpose: SeedPurpose = {
  runSeed: 42n,
  stage: 'zero',
  branch: 0,
  purpose: 'sample',
  step: 3,
  slot: 5,
  sample: 7,
};

test('every committed vector of hashes, seeds, draws and permutations is met to the bit', () => {
  for (const { text, hash } of vectors.fnv1a32) assert.equal(fnv1a32(text), Number.parseInt(hash, 16));
  for (const { runSeed, seed, ...rest } of vectors.deriveSeed) {
    assert.equal(formatSeed(deriveSeed({ ...rest, runSeed: parseSeed(runSeed) })), seed);
  }
  for (const { seed, position, uniform } of vectors.uniformAt) {
    assert.equal(uniformAt(parseSeed(seed), position), uniform);
  }
  for (const { seed, n, order } of vectors.permutation) {
    assert.deepEqual(permutation(parseSeed(seed), n), order);
  }
});

test('a seed changes with each field of its purpose', () => {
  const changed: Partial<SeedPurpose>[] = [
    { runSeed: 43n },
    { runSeed: 42n + (1n << 40n) },
    { stage: 'one' },
    { branch: 1 },
    { purpose: 'shuffle' },
    { step: 4 },
    { slot: 6 },
    { sample: 8 },
  ];
  const seeds = [purpose, ...changed.map((change) => ({ ...purpose, ...change }))].map(deriveSeed);
  assert.equal(new Set(seeds).size, seeds.length);
});

test('ten thousand seeds of one step are all different', () => {
  const seeds = new Set<bigint>();
  for (let slot = 0; slot < 100; slot++) {
    for (let sample = 0; sample < 100; sample++) seeds.add(deriveSeed({ ...purpose, slot, sample }));
  }
  assert.equal(seeds.size, 10_000);
});

test('draws are in [0, 1) and spread evenly', () => {
  const bins = new Array<number>(10).fill(0);
  const draws = 20_000;
  for (let position = 0; position < draws; position++) {
    const value = uniformAt(99n, position);
    assert.ok(value >= 0 && value < 1);
    const bin = Math.floor(value * 10);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  const expected = draws / 10;
  const chiSquare = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  assert.ok(chiSquare < 27.9, `χ² with 9 degrees of freedom is ${chiSquare}; p = 0.001 lies at 27.9`);
});

test('a permutation holds each index once, and every order of three is about as frequent', () => {
  for (let n = 0; n < 40; n++) {
    const sorted = permutation(BigInt(n), n).sort((a, b) => a - b);
    assert.deepEqual(
      sorted,
      Array.from({ length: n }, (_, index) => index),
    );
  }
  const counts = new Map<string, number>();
  for (let seed = 0n; seed < 6_000n; seed++) {
    const order = permutation(seed, 3).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 6);
  for (const count of counts.values()) assert.ok(Math.abs(count - 1_000) < 150);
});

test('a seed crosses JSON as decimal digits without loss, and nothing else is read as a seed', () => {
  for (const seed of [0n, 1n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
    assert.equal(parseSeed(JSON.parse(JSON.stringify(formatSeed(seed)))), seed);
  }
  for (const text of ['', '-1', '1e3', '0x10', '007', ' 1', '18446744073709551616', '99999999999999999999']) {
    assert.throws(() => parseSeed(text), /seed: expected decimal digits from 0 to 2\^64−1/);
  }
});

test('a field that does not fit its word is refused by name', () => {
  assert.throws(() => deriveSeed({ ...purpose, step: -1 }), /step: expected an integer/);
  assert.throws(() => deriveSeed({ ...purpose, slot: 2 ** 32 }), /slot: expected an integer/);
  assert.throws(() => deriveSeed({ ...purpose, sample: 0.5 }), /sample: expected an integer/);
  assert.throws(() => deriveSeed({ ...purpose, stage: '' }), /stage: expected a name/);
  assert.throws(() => deriveSeed({ ...purpose, purpose: 'a/b' }), /purpose: expected a name without/);
  assert.throws(() => deriveSeed({ ...purpose, runSeed: 2n ** 64n }), /seed: expected an integer/);
  assert.throws(() => uniformAt(1n, -1), /position: expected an integer/);
});
