import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleTokens } from '../../activities/orchestrator/examples/example-tokens.ts';
import { completionTexts } from '../../activities/rewards/reward-inputs.ts';
import { sampleRequest } from '../../activities/sample-request.ts';
import { nanoTokenizerConfigJson, nanoTokenizerJson } from '../../algorithm/nano/tokenizer.ts';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer.ts';
import { isWellFormed } from '../../rewards/format.ts';

const open = (opening: string, rules?: 1) =>
  loadTokenizer(
    {
      tokenizer: nanoTokenizerJson(),
      config: nanoTokenizerConfigJson(256),
      chatTemplate: `{{ '<|user|>' + messages[0]['content'] }}{% if add_generation_prompt %}{{ '<|assistant|>${opening}' }}{% endif %}`,
      generationConfig: { eos_token_id: [2, 1] },
    },
    rules,
  );

const drawn = (problem: string, slot: number) => ({
  slot,
  prompt: 'a'.repeat(64),
  problem,
  answer: '2',
  domain: 'sums',
});

const requestOf = (
  tokenizer: ReturnType<typeof open>,
  problems: string[],
  promptFormat: 'chat' | 'text' = 'chat',
) =>
  sampleRequest({
    tokenizer,
    model: null,
    promptFormat,
    prompts: problems.map(drawn),
    numGenerations: 2,
    seedOf: () => 1n,
    sampling: { temperature: 1, top_p: 1, top_k: 0, max_completion_length: 8 },
  }).request;

const tokens = (tokenizer: ReturnType<typeof open>, text: string) => Int32Array.from(tokenizer.encode(text));

test('a <think> that the template writes counts as the beginning of every answer', async () => {
  for (const opening of ['<think>', '<think> ', '<think>\\n']) {
    const tokenizer = open(opening);
    const request = requestOf(tokenizer, ['1+1=?', '1+2=?']);
    const said = '1+1=2</think><answer>2</answer>';
    const texts = await completionTexts(request, Array(4).fill(tokens(tokenizer, said)), tokenizer);
    for (const text of texts) {
      assert.ok(isWellFormed(text), text);
      const { prompt, completion } = exampleTokens(tokenizer, 'chat', '1+1=?', text);
      const whole = tokenizer.decode([...prompt, ...completion]);
      assert.equal(whole.split('<think>').length, 2, whole);
    }
    const twice = await completionTexts(request, [tokens(tokenizer, `<think>${said}`)], tokenizer);
    assert.ok(!isWellFormed(twice[0] ?? ''));
  }
});

test('a template that writes none leaves completions as they are', async () => {
  const tokenizer = open('');
  const request = requestOf(tokenizer, ['1+1=?', '<think>']);
  const texts = await completionTexts(request, [tokens(tokenizer, '</think>2')], tokenizer);
  assert.deepEqual(texts, ['</think>2']);
});

test('a plain prompt may open the thinking too, each its own', () => {
  const tokenizer = open('');
  const { prompts } = requestOf(tokenizer, ['1+1=? <think>', '1+2=?'], 'text');
  assert.deepEqual(
    prompts.map(({ prefill }) => prefill),
    ['<think>', undefined],
  );
});

test('runs that an earlier release launched keep their end token and count no prefilled tag', () => {
  const request = requestOf(open('<think>', 1), ['1+1=?']);
  assert.deepEqual(request.eosTokenIds, [1]);
  assert.equal(request.prompts[0]?.prefill, undefined);
  assert.deepEqual(requestOf(open('<think>'), ['1+1=?']).eosTokenIds, [1, 2]);
});
