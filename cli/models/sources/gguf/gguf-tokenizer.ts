/** The tokenizer of a GGUF file as `tokenizer.json` and `tokenizer_config.json`: byte-level BPE. */
import { z } from 'zod';
import { InputError } from '../../../errors.ts';
import type { GgufFile } from './gguf-file.ts';

const byteLevel = (useRegex: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: useRegex,
  use_regex: useRegex,
});

/** Splits by a regular expression, then maps bytes. */
const split = (regex: string) => ({
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false },
    byteLevel(false),
  ],
});

const words = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

interface PreTokenizer {
  pre_tokenizer: object;
  normalizer: object | null;
  /** a word that is a token needs no merges */
  ignoreMerges: boolean;
}

const llama3: PreTokenizer = {
  pre_tokenizer: split(words('\\p{N}{1,3}')),
  normalizer: null,
  ignoreMerges: true,
};

/** By `tokenizer.ggml.pre`, as the tokenizer.json of the models that it is named after. */
const PRE_TOKENIZERS: Record<string, PreTokenizer> = {
  'gpt-2': { pre_tokenizer: byteLevel(true), normalizer: null, ignoreMerges: false },
  smollm: {
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(true)],
    },
    normalizer: null,
    ignoreMerges: false,
  },
  qwen2: { pre_tokenizer: split(words('\\p{N}')), normalizer: { type: 'NFC' }, ignoreMerges: false },
  'llama-bpe': llama3,
  llama3,
  'llama-v3': llama3,
};

/** `llama_token_type`: a control token is special; a user-defined one is matched whole; an unused one pads. */
const TYPE = { control: 3, userDefined: 4, unused: 5 };

const id = z.int().min(0).optional();
const schema = z.object({
  'tokenizer.ggml.model': z.literal('gpt2'),
  'tokenizer.ggml.pre': z.enum(Object.keys(PRE_TOKENIZERS)),
  'tokenizer.ggml.tokens': z.array(z.string()).min(1),
  'tokenizer.ggml.token_type': z.array(z.int()),
  'tokenizer.ggml.merges': z.array(z.string().regex(/^\S+ \S+$/)),
  'tokenizer.ggml.bos_token_id': id,
  'tokenizer.ggml.eos_token_id': z.int().min(0),
  'tokenizer.ggml.padding_token_id': id,
  'tokenizer.ggml.unknown_token_id': id,
  'tokenizer.ggml.add_bos_token': z.boolean().optional(),
  'tokenizer.chat_template': z.string().optional(),
});

/** The two files. Throws InputError where the tokenizer is of a kind that is not rebuilt. */
export function tokenizerOf({ path, metadata }: Pick<GgufFile, 'path' | 'metadata'>): {
  tokenizer: object;
  config: Record<string, unknown>;
} {
  const parsed = schema.safeParse(metadata);
  if (!parsed.success) throw refusal(path, metadata, parsed.error);
  const { data } = parsed;
  const tokens = data['tokenizer.ggml.tokens'];
  const types = data['tokenizer.ggml.token_type'];
  const refuse = (what: string) => new InputError(`${path}: tokenizer: ${what}. Fetch the file again.`);
  if (types.length !== tokens.length)
    throw refuse(`expected a type for each of ${tokens.length} tokens, found ${types.length}`);
  const used = tokens.flatMap((content, index) =>
    types[index] === TYPE.unused ? [] : [{ content, id: index, type: types[index] }],
  );
  const named = (key: 'bos' | 'eos' | 'padding' | 'unknown') => {
    const index = data[`tokenizer.ggml.${key}_token_id`];
    if (index === undefined) return undefined;
    const token = tokens[index];
    if (token === undefined) throw refuse(`expected ${key}_token_id below ${tokens.length}, found ${index}`);
    return token;
  };
  const bos = named('bos');
  const isAdded = (type: number | undefined) => type === TYPE.control || type === TYPE.userDefined;
  const { pre_tokenizer, normalizer, ignoreMerges } = PRE_TOKENIZERS[data['tokenizer.ggml.pre']] ?? llama3;
  const addsBos = data['tokenizer.ggml.add_bos_token'] === true && bos !== undefined;
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: used
        .filter(({ type }) => isAdded(type))
        .map(({ content, id, type }) => ({
          ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false },
          special: type === TYPE.control,
        })),
      normalizer,
      pre_tokenizer,
      post_processor: addsBos ? beginningWith(bos, tokens.indexOf(bos)) : byteLevel(true),
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: {
        ...{ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null },
        ...{ end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ignore_merges: ignoreMerges },
        vocab: Object.fromEntries(used.map(({ content, id }) => [content, id])),
        merges: data['tokenizer.ggml.merges'].map((merge) => merge.split(' ')),
      },
    },
    config: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      add_prefix_space: false,
      clean_up_tokenization_spaces: false,
      ...(bos === undefined ? {} : { bos_token: bos }),
      eos_token: named('eos'),
      ...(named('padding') === undefined ? {} : { pad_token: named('padding') }),
      ...(named('unknown') === undefined ? {} : { unk_token: named('unknown') }),
      ...(data['tokenizer.chat_template'] === undefined
        ? {}
        : { chat_template: data['tokenizer.chat_template'] }),
    },
  };
}

const beginningWith = (token: string, id: number) => ({
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: token, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  pair: [
    { SpecialToken: { id: token, type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: token, type_id: 1 } },
    { Sequence: { id: 'B', type_id: 1 } },
  ],
  special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
});

const EXPECTED: Record<string, string> = {
  'tokenizer.ggml.model': 'gpt2 (byte-level BPE)',
  'tokenizer.ggml.pre': `one of ${Object.keys(PRE_TOKENIZERS).join(', ')}`,
};

function refusal(path: string, metadata: GgufFile['metadata'], error: z.ZodError): InputError {
  const issue = error.issues[0];
  const key = String(issue?.path[0]);
  const found = metadata[key];
  const text = Array.isArray(found) ? `a list (${issue?.message})` : (JSON.stringify(found) ?? 'nothing');
  return new InputError(
    `${path}: ${key}: expected ${EXPECTED[key] ?? 'what a byte-level BPE tokenizer needs'}, found ${text}. ` +
      'Fetch the model in Hugging Face layout instead, with its own tokenizer.json.',
  );
}
