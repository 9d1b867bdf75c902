/**
 * The nano model's tokenizer, as the two files that Hugging Face's libraries read: single characters, and
 * a few longer tokens. A step word with its spaces is one token, in either language, so that checking a step costs
 * few tokens.
 */
import { NANO_LANGUAGES, stepWords } from './words.ts';

/** Special tokens, ids from 0; left out where text is shown. */
const NANO_SPECIAL_TOKENS = ['<|pad|>', '<|eos|>', '<|unk|>', '<|user|>', '<|assistant|>'] as const;
/** Tokens of several characters that belong to the text. */
export const NANO_WORDS: readonly string[] = [
  '<think>',
  '</think>',
  '<answer>',
  '</answer>',
  ...NANO_LANGUAGES.flatMap((language) => Object.values(stepWords[language])),
];
/** Every other token is one of these characters; all other characters become `<|unk|>`. */
export const NANO_CHARACTERS = '0123456789+-=?,. abcdefghijklmnopqrstuvwxyz';

export const NANO_PAD_TOKEN_ID = 0;
export const NANO_EOS_TOKEN_ID = 1;

/** Every token by id. */
export const NANO_VOCABULARY: readonly string[] = [...NANO_SPECIAL_TOKENS, ...NANO_WORDS, ...NANO_CHARACTERS];

/** A user's turn opens the assistant's; an assistant's turn closes itself. */
const CHAT_TEMPLATE = [
  '{% for message in messages %}',
  "{% if message['role'] == 'user' %}{{ '<|user|>' + message['content'] }}",
  "{% elif message['role'] == 'assistant' %}{{ '<|assistant|>' + message['content'] + '<|eos|>' }}",
  "{% else %}{{ raise_exception('expected the roles user and assistant, found ' + message['role']) }}",
  '{% endif %}{% endfor %}',
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}",
].join('');

/** The content of `tokenizer.json`: byte-pair encoding without merges, which leaves single characters. */
export function nanoTokenizerJson(): Record<string, unknown> {
  const added = (content: string, id: number, special: boolean) => {
    return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
  };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [
      ...NANO_SPECIAL_TOKENS.map((token, id) => added(token, id, true)),
      ...NANO_WORDS.map((token, index) => added(token, NANO_SPECIAL_TOKENS.length + index, false)),
    ],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    // Joins tokens without spaces; without a decoder they would be joined by spaces.
    decoder: { type: 'Fuse' },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<|unk|>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(NANO_VOCABULARY.map((token, id) => [token, id])),
      merges: [],
    },
  };
}

/** The content of `tokenizer_config.json`. `maxLength`: tokens of prompt and completion together. */
export function nanoTokenizerConfigJson(maxLength: number): Record<string, unknown> {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_max_length: maxLength,
    clean_up_tokenization_spaces: false,
    pad_token: '<|pad|>',
    eos_token: '<|eos|>',
    unk_token: '<|unk|>',
    additional_special_tokens: ['<|user|>', '<|assistant|>'],
    chat_template: CHAT_TEMPLATE,
  };
}
