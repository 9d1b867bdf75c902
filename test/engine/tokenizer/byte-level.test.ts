/** Byte-level tokenizers of published families give the ids of Python's `tokenizers`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { loadTokenizer } from '../../../engine/tokenizer/tokenizer.ts';

/** Written by test/peers/tokenizers_answers.py. */
const file = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../fixtures/tokenizers/${name}.json`, import.meta.url), 'utf8'));

const { texts, answers } = z
  .object({
    texts: z.array(z.string()),
    answers: z.record(z.string(), z.object({ ids: z.array(z.array(z.int())), decoded: z.array(z.string()) })),
  })
  .parse(file('answers'));

for (const [name, { ids, decoded }] of Object.entries(answers)) {
  test(`${name}: texts of many scripts, emoji, code and formulas have the ids of Python's tokenizers`, () => {
    const tokenizer = loadTokenizer({ tokenizer: file(name), config: { eos_token: '<|im_end|>' } });
    for (const [index, text] of texts.entries()) {
      assert.deepEqual(tokenizer.encode(text), ids[index], JSON.stringify(text));
      assert.equal(tokenizer.decode(ids[index] ?? []), decoded[index], JSON.stringify(text));
    }
  });
}

test('runs of earlier rules keep the tokens that they were launched with', () => {
  const files = { tokenizer: file('smollm'), config: { eos_token: '<|im_end|>' } };
  const [earlier, present] = [loadTokenizer(files, 2), loadTokenizer(files)];
  assert.deepEqual(earlier.encode('x2 = 14 times'), present.encode('x2 = 14 times'));
  const other = texts.filter((text) => earlier.encode(text).join() !== present.encode(text).join());
  assert.ok(other.length > 0 && other.every((text) => /[½\ufeff]/.test(text)), JSON.stringify(other));
});
