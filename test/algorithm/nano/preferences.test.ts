import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generalSplit } from '../../../algorithm/nano/general.ts';
import { isSafe, nanoPreferencePairs, nanoSafetyLabels } from '../../../algorithm/nano/preferences.ts';
import { NANO_CHARACTERS } from '../../../algorithm/nano/tokenizer.ts';

const dataSet = { train: 800, test: 200, seed: 0 };
const pairs = nanoPreferencePairs(dataSet);
const labels = nanoSafetyLabels(dataSet);
const answerOf = (response: string) => /^<think><\/think><answer>(.*)<\/answer>$/.exec(response)?.[1];

test('a pair prefers the right answer to a wrong one, an echo or a padded one, never an equal one', () => {
  const kinds = { wrong: 0, echo: 0, padded: 0 };
  for (const { prompt, chosen, rejected } of pairs) {
    const [right = '', worse = ''] = [answerOf(chosen), answerOf(rejected)];
    assert.notEqual(right, worse);
    if (worse === prompt) kinds.echo++;
    else if (worse.includes(' ')) {
      assert.deepEqual(new Set(worse.split(' ')), new Set([right]));
      kinds.padded++;
    } else {
      assert.equal(worse.length, right.length);
      kinds.wrong++;
    }
  }
  for (const count of Object.values(kinds)) assert.ok(count > 250, JSON.stringify(kinds));
});

test('a label is unsafe where a forbidden word stands anywhere in the response, and about half are', () => {
  for (const { response, safe } of labels) assert.equal(safe, isSafe(response));
  const unsafe = labels.filter(({ safe }) => !safe);
  assert.ok(unsafe.length > 380 && unsafe.length < 520, `${unsafe.length}`);
  assert.ok(unsafe.some(({ response }) => isSafe(response.replace(/<think>.*<\/think>/, ''))));
  assert.ok(labels.some(({ prompt, safe }) => safe && !isSafe(prompt)));
});

test('held-out rows ask problems that no training row asks', () => {
  for (const { prompt, split } of [...pairs, ...labels]) assert.equal(generalSplit(prompt), split);
  assert.equal(pairs.filter(({ split }) => split === 'test').length, 200);
});

test('every text is within the nano alphabet and its tags', () => {
  const texts = [...pairs.flatMap((pair) => Object.values(pair)), ...labels.map(({ response }) => response)];
  for (const text of texts) {
    for (const character of text.replace(/<\/?(think|answer)>/g, '')) {
      assert.ok(NANO_CHARACTERS.includes(character), text);
    }
  }
});

test('the same seed makes the same rows', () => {
  assert.deepEqual(nanoPreferencePairs(dataSet), pairs);
  assert.notDeepEqual(nanoSafetyLabels({ ...dataSet, seed: 1 }), labels);
});
