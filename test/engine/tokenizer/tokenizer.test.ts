import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  NANO_CHARACTERS,
  NANO_EOS_TOKEN_ID,
  NANO_PAD_TOKEN_ID,
  NANO_VOCABULARY,
  nanoTokenizerConfigJson,
  nanoTokenizerJson,
} from '../../../algorithm/nano/tokenizer.ts';
import { loadTokenizer, readTokenizerFolder } from '../../../engine/tokenizer/tokenizer.ts';
import { TokenizerError } from '../../../engine/tokenizer/tokenizer-files.ts';

const files = (tokenizer: unknown = nanoTokenizerJson(), config: unknown = nanoTokenizerConfigJson(256)) => ({
  tokenizer,
  config,
});
const nano = loadTokenizer(files());
const tokensOf = (text: string) => nano.encode(text).map((id) => NANO_VOCABULARY[id]);

test('every text over the nano alphabet comes back as it went in', () => {
  const solved = '<think>first 17+5=22 check 17+5=22 luego 22+8=31 reviso 22+8=30 espera 30</think>';
  for (const text of [NANO_CHARACTERS, solved, '  a  b ', ' check  wait ', 'check', '3 +4']) {
    assert.equal(nano.decode(nano.encode(text)), text);
  }
});

test('tags and step words are one token each, everything else is characters', () => {
  assert.deepEqual(tokensOf('<think>1+2 check 3</think>'), [
    '<think>',
    '1',
    '+',
    '2',
    ' check ',
    '3',
    '</think>',
  ]);
  assert.deepEqual(tokensOf('a wait '), ['a', ' wait ']);
  assert.deepEqual(tokensOf(' wait'), [' ', 'w', 'a', 'i', 't']);
});

test('special tokens are recognised in the text, nothing is added, and they can be left out of it', () => {
  const ids = nano.encode('<|user|>1+1=?<|assistant|>2<|eos|>');
  assert.equal(ids.length, 9);
  assert.equal(ids.at(-1), nano.eosTokenId);
  assert.equal(nano.decode(ids), '<|user|>1+1=?<|assistant|>2<|eos|>');
  assert.equal(nano.decode(ids, { skipSpecialTokens: true }), '1+1=?2');
  assert.equal(nano.decode(nano.encode('<think>1</think>'), { skipSpecialTokens: true }), '<think>1</think>');
});

test('a character outside the alphabet is one unknown token', () => {
  assert.deepEqual(tokensOf('1é😀2'), ['1', '<|unk|>', '<|unk|>', '2']);
});

test('a word that could only be read as unknown is told, where the tokenizer has a token for the unknown', () => {
  assert.equal(nano.unknownIn('<think>1+2 check 3</think>'), null);
  assert.equal(nano.unknownIn('copy 1+2 <|im_start|>user now'), '<|im_start|>user');
  const { unk_token: _, ...config } = nanoTokenizerConfigJson(256);
  assert.equal(loadTokenizer(files(nanoTokenizerJson(), config)).unknownIn('É'), null);
});

test('the ids are those that the nano model is built for', () => {
  assert.equal(nano.vocabSize, NANO_VOCABULARY.length);
  assert.equal(nano.vocabSize, 60);
  assert.deepEqual([nano.eosTokenId, nano.padTokenId], [NANO_EOS_TOKEN_ID, NANO_PAD_TOKEN_ID]);
});

test('no tokens are no text, and an id beyond the vocabulary has none either', () => {
  assert.deepEqual(nano.encode(''), []);
  assert.equal(nano.decode([]), '');
  assert.equal(nano.decode(Int32Array.of(17, 18)), '01');
  assert.equal(nano.decode([60]), '');
});

test('the chat template opens the assistant’s turn when asked', () => {
  const messages = [{ role: 'user', content: '1+1=?' }] as const;
  assert.equal(nano.applyChatTemplate(messages), '<|user|>1+1=?');
  assert.equal(
    nano.applyChatTemplate(messages, { add_generation_prompt: true }),
    '<|user|>1+1=?<|assistant|>',
  );
  const answered = [...messages, { role: 'assistant', content: '2' }] as const;
  assert.equal(nano.applyChatTemplate(answered), '<|user|>1+1=?<|assistant|>2<|eos|>');
  assert.throws(
    () => nano.applyChatTemplate([{ role: 'system', content: 'x' }]),
    /expected the roles user and assistant, found system/,
  );
});

test('a chat template of its own file comes before the configuration’s', () => {
  const template = '{{ bos_token }}{% for m in messages %}{{ m.role }}:{{ m.content }}{% endfor %}';
  const config = { ...nanoTokenizerConfigJson(256), bos_token: { content: '<|user|>' } };
  const tokenizer = loadTokenizer({ ...files(undefined, config), chatTemplate: template });
  assert.equal(tokenizer.applyChatTemplate([{ role: 'user', content: 'hi' }]), '<|user|>user:hi');
});

test('a folder is read with the template that lies in it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tokenizer-'));
  t.after(() => rm(folder, { recursive: true }));
  await assert.rejects(readTokenizerFolder(folder), /Cannot read .*tokenizer\.json/);
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(nanoTokenizerJson()));
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(nanoTokenizerConfigJson(256)));
  const messages = [{ role: 'user', content: '1' }] as const;
  assert.equal((await readTokenizerFolder(folder)).applyChatTemplate(messages), '<|user|>1');
  await writeFile(join(folder, 'chat_template.jinja'), 'Q: {{ messages[0].content }}');
  assert.equal((await readTokenizerFolder(folder)).applyChatTemplate(messages), 'Q: 1');
  await writeFile(join(folder, 'tokenizer.json'), '{');
  await assert.rejects(readTokenizerFolder(folder), /tokenizer\.json is damaged/);
});

test('what a tokenizer lacks is said by name', () => {
  const { chat_template: _, ...plain } = nanoTokenizerConfigJson(256);
  const untemplated = loadTokenizer(files(undefined, plain));
  assert.throws(() => untemplated.applyChatTemplate([]), /no chat template.*chat_template\.jinja/);
  const { pad_token: _pad, ...unpadded } = plain;
  assert.equal(loadTokenizer(files(undefined, unpadded)).padTokenId, null);
  const { eos_token: _eos, ...endless } = plain;
  const refused = (given: Parameters<typeof loadTokenizer>[0], message: RegExp) =>
    assert.throws(
      () => loadTokenizer(given),
      (error) => error instanceof TokenizerError && message.test(error.message),
    );
  refused(files(undefined, endless), /eos_token should name a token .* found null/);
  refused(files(undefined, { ...plain, eos_token: '</s>' }), /found "<\/s>"/);
  refused(files('{'), /tokenizer\.json is damaged/);
  refused(files({ version: '1.0' }), /tokenizer\.json is damaged.*model/s);
});
