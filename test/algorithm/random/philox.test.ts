import assert from 'node:assert/strict';
import { test } from 'node:test';
import { philox4x32, type Words2, type Words4 } from '../../../algorithm/random/philox.ts';
import vectors from '../../../contracts/vectors/seeds.json' with { type: 'json' };

const hex = (words: readonly number[]) => words.map((word) => word.toString(16).padStart(8, '0')).join(' ');
const words = (text: string) => text.split(' ').map((word) => Number.parseInt(word, 16));

function words4(text: string): Words4 {
  const [a = 0, b = 0, c = 0, d = 0] = words(text);
  return [a, b, c, d];
}

function words2(text: string): Words2 {
  const [a = 0, b = 0] = words(text);
  return [a, b];
}

test("philox4x32-10 gives Random123's known answers", () => {
  const known = [
    '6627e8d5 e169c58d bc57ac4c 9b00dbd8',
    '408f276d 41c83b0e a20bc7c6 6d5451fd',
    'd16cfe09 94fdcceb 5001e420 24126ea1',
  ];
  for (const [index, { counter, key, output }] of vectors.philox4x32.entries()) {
    assert.equal(output, known[index]);
    assert.equal(hex(philox4x32(words4(counter), words2(key))), output);
  }
});

test('philox4x32-10 equals the definition in exact integers over many counters and keys', () => {
  const mask = 0xffff_ffffn;
  const exact = (counter: Words4, key: Words2): number[] => {
    let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
    let [k0, k1] = key.map(BigInt) as [bigint, bigint];
    for (let round = 0; round < 10; round++) {
      const [p0, p1] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
      [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask];
      [k0, k1] = [(k0 + 0x9e3779b9n) & mask, (k1 + 0xbb67ae85n) & mask];
    }
    return [c0, c1, c2, c3].map(Number);
  };
  let state: Words4 = [1, 2, 3, 4];
  for (let index = 0; index < 500; index++) {
    const key: Words2 = [state[3], state[1]];
    const next = philox4x32(state, key);
    assert.deepEqual([...next], exact(state, key));
    state = next;
  }
});
