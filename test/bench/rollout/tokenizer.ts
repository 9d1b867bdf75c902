/**
 * A tokenizer of 128,000 entries like those of published models: byte-level BPE. Its first merges are learned from the
 * corpus, so that its texts have 3 to 4 characters a token. The others join tokens across words, which the encoding of
 * a text never does; they are there for their number. The same at every start.
 */
import { SENTENCES } from './corpus.ts';

export const VOCABULARY = 128_000;
/** Merges that are learned: enough for most words of the corpus. */
const LEARNED = 1400;

const END = '<|im_end|>';
/** Tokens beside the merges. The tags of answers are part of a text, so they are not special. */
const ADDED = [
  ...['<|endoftext|>', '<|im_start|>', END].map((content) => ({ content, special: true })),
  ...['<think>', '</think>', '<answer>', '</answer>'].map((content) => ({ content, special: false })),
];

/** How GPT-2 cuts a text into words before it joins their bytes. */
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** `tokenizer.json` and `tokenizer_config.json`. */
export function makeTokenizer(): { json: object; config: object } {
  const bytes = byteCharacters();
  const vocabulary = [...bytes];
  const known = new Set(vocabulary);
  const merges: [string, string][] = [];
  const add = (left: string, right: string) => {
    const token = left + right;
    merges.push([left, right]);
    if (known.has(token)) return;
    known.add(token);
    vocabulary.push(token);
  };
  joinDigits(add);
  learnMerges(bytes, add);
  const learned = vocabulary.slice(bytes.length);
  const [starts, others] = [learned.filter(startsWord), learned.filter((token) => !startsWord(token))];
  for (const left of [...others, ...starts])
    for (const right of starts) {
      if (vocabulary.length + ADDED.length >= VOCABULARY) break;
      if (!known.has(left + right)) add(left, right);
    }
  return { json: tokenizerJson(vocabulary, merges), config: CONFIG };
}

const CONFIG = {
  tokenizer_class: 'PreTrainedTokenizerFast',
  model_max_length: 131_072,
  eos_token: END,
  pad_token: '<|endoftext|>',
  clean_up_tokenization_spaces: false,
  chat_template:
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}" +
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
};

/** A byte-level token that begins with a space. */
const startsWord = (token: string) => token.startsWith('Ġ') && token.length > 1;

function tokenizerJson(vocabulary: readonly string[], merges: readonly [string, string][]): object {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const added = ADDED.map((token, index) => ({
    id: vocabulary.length + index,
    ...token,
    ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
  }));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: byteLevel,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries([
        ...vocabulary.map((token, id) => [token, id]),
        ...added.map(({ content, id }) => [content, id]),
      ]),
      merges,
    },
  };
}

/** The characters by which byte-level tokenizers write bytes: printable ones for themselves, others from U+0100 on. */
function byteCharacters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte < 256 && byte !== 173);
    return String.fromCharCode(printable ? byte : next++);
  });
}

/** Joins the most frequent pair of neighbours in the corpus's words, again and again. Of equal ones the smallest. */
function learnMerges(bytes: readonly string[], onMerge: (left: string, right: string) => void): void {
  const encoder = new TextEncoder();
  const counts = new Map<string, number>();
  for (const sentence of SENTENCES)
    for (const [word] of ` ${sentence}`.replaceAll('#', '37').matchAll(WORDS))
      counts.set(word, (counts.get(word) ?? 0) + 1);
  const words = [...counts].map(([word, count]) => ({
    parts: [...encoder.encode(word)].map((byte) => bytes[byte] ?? ''),
    count,
  }));
  for (let merge = 0; merge < LEARNED; merge++) {
    const pair = mostFrequentPair(words);
    if (pair === null) return;
    const [left, right] = pair;
    onMerge(left, right);
    for (const word of words) word.parts = joined(word.parts, left, right);
  }
}

/** Numbers of up to three digits are one token, as in Llama's tokenizer. */
function joinDigits(onMerge: (left: string, right: string) => void): void {
  const digits = [...'0123456789'];
  const pairs = digits.flatMap((left) => digits.map((right) => left + right));
  for (const [left = '', right = ''] of pairs) onMerge(left, right);
  for (const pair of pairs) for (const digit of digits) onMerge(pair, digit);
}

const SEPARATOR = ' ';

function mostFrequentPair(words: readonly { parts: string[]; count: number }[]): [string, string] | null {
  const pairs = new Map<string, number>();
  for (const { parts, count } of words)
    for (let i = 1; i < parts.length; i++) {
      const pair = `${parts[i - 1]}${SEPARATOR}${parts[i]}`;
      pairs.set(pair, (pairs.get(pair) ?? 0) + count);
    }
  let best: [string, number] | null = null;
  for (const [pair, count] of pairs)
    if (best === null || count > best[1] || (count === best[1] && pair < best[0])) best = [pair, count];
  const [left, right] = best?.[0].split(SEPARATOR) ?? [];
  return left === undefined || right === undefined ? null : [left, right];
}

function joined(parts: readonly string[], left: string, right: string): string[] {
  const found: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] ?? '';
    if (part === left && parts[i + 1] === right) {
      found.push(left + right);
      i++;
    } else found.push(part);
  }
  return found;
}
