/**
 * The completions of the stub: texts of the corpus as tokens, with right and wrong answers, of lengths with a heavy
 * tail. All of it is a function of the sequence's seed.
 */
import type { Tokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import { problemOf, SENTENCES } from './corpus.ts';

export interface Lengths {
  /** mean tokens of a completion */
  mean: number;
  /** longer ones are cut */
  most: number;
}

export interface MadeCompletion {
  tokens: Int32Array;
  truncated: boolean;
}

/** Numbers in the texts are below this. */
const NUMBERS = 1000;
const SHARES = { right: 0.5, malformed: 0.04 };
/** of the logarithm of the lengths: a quarter of the tokens is in the longest 4 % of the completions */
const SPREAD = 1.1;

export class CompletionMaker {
  private readonly tokenizer: Tokenizer;
  private readonly lengths: Lengths;
  private readonly median: number;
  /** each sentence as the pieces between its numbers */
  private readonly sentences: Int32Array[][];
  private readonly numbers: Int32Array[];

  constructor(tokenizer: Tokenizer, lengths: Lengths) {
    const encode = (text: string) => Int32Array.from(tokenizer.encode(text));
    this.tokenizer = tokenizer;
    this.lengths = lengths;
    this.median = medianOf(lengths);
    this.numbers = Array.from({ length: NUMBERS }, (_, number) => encode(String(number)));
    this.sentences = SENTENCES.map((sentence) =>
      `${sentence}\n`.split('#').map((piece) => (piece === '' ? new Int32Array() : encode(piece))),
    );
  }

  /** The completion of a prompt of `problemOf`, at most `limit` tokens. */
  make(seed: string, problem: string, limit: number): MadeCompletion {
    const random = randomOf(seed);
    const wanted = Math.round(this.median * Math.exp(SPREAD * normal(random)));
    const [opening, closing] = [this.encode('<think>'), this.closing(problem, random)];
    const least = opening.length + closing.length;
    const length = Math.max(wanted, least);
    const most = Math.min(limit, this.lengths.most);
    const tokens = new Int32Array(Math.min(length, most));
    tokens.set(opening.subarray(0, tokens.length));
    const bodyEnd = Math.min(length - closing.length, tokens.length);
    this.fill(tokens, opening.length, bodyEnd, random);
    if (length > most) return { tokens, truncated: true };
    tokens.set(closing, bodyEnd);
    return { tokens, truncated: false };
  }

  /** The end of the chain of thought, an answer in one of several forms, the end token. */
  private closing(problem: string, random: Random): Int32Array {
    const { answer, wrong } = problemOf(numberOf(problem));
    const stated = random() < SHARES.right ? answer : wrong;
    const forms = [
      stated,
      `$${stated}$`,
      `The answer is $\\boxed{${stated}}$.`,
      `\\[ \\boxed{${stated}} \\]`,
    ];
    const answered = forms[Math.floor(random() * forms.length)] ?? stated;
    const tags = random() < SHARES.malformed ? ['\n\n', ''] : ['<answer>', '</answer>'];
    const text = `</think>${tags.join(answered)}`;
    return Int32Array.from([...this.tokenizer.encode(text), this.tokenizer.eosTokenId]);
  }

  private fill(tokens: Int32Array, begin: number, end: number, random: Random): void {
    let at = begin;
    const append = (piece: Int32Array) => {
      const part = piece.subarray(0, Math.max(0, end - at));
      tokens.set(part, at);
      at += part.length;
    };
    while (at < end) {
      const sentence = this.sentences[Math.floor(random() * this.sentences.length)] ?? [];
      for (const [index, piece] of sentence.entries()) {
        if (index > 0) append(this.numbers[Math.floor(random() * NUMBERS)] ?? new Int32Array());
        append(piece);
      }
    }
  }

  private encode(text: string): Int32Array {
    return Int32Array.from(this.tokenizer.encode(text));
  }
}

/** The number in the problem's first words. */
function numberOf(problem: string): number {
  const [, number] = /^Exercise (\d+)\./.exec(problem) ?? [];
  if (number !== undefined) return Number(number) - 1;
  throw new Error(`expected a problem "Exercise NUMBER. …", found ${JSON.stringify(problem.slice(0, 40))}`);
}

/** Log-probabilities that a batch carries; each a function of the token and its position alone. */
export const COLUMNS = { sampler: 1, old: 1 + 2 ** -10, reference: 1 + 2 ** -6 } as const;

/** Log-probabilities of a completion: mostly near 0, a few far below, as those of a trained policy. */
export function logprobsOf(tokens: Int32Array, column: keyof typeof COLUMNS): Float32Array {
  const scale = -6 * COLUMNS[column];
  const logprobs = new Float32Array(tokens.length);
  for (let position = 0; position < tokens.length; position++) {
    const token = tokens[position] ?? 0;
    const mixed = Math.imul(token + 1, 0x9e3779b1) ^ Math.imul(position + 1, 0x85ebca6b);
    const share = (Math.imul(mixed, 0xc2b2ae35) >>> 8) / 2 ** 24;
    logprobs[position] = scale * share * share * share * share;
  }
  return logprobs;
}

type Random = () => number;

/** xorshift128 under a seed of 64 bits: [0, 1). */
function randomOf(seed: string): Random {
  const bits = BigInt(seed);
  const words = new Int32Array(4);
  words[0] = Number(BigInt.asIntN(32, bits));
  words[1] = Number(BigInt.asIntN(32, bits >> 32n));
  words[2] = 0x2545f491;
  words[3] = 0x4f6cdd1d;
  const next = () => {
    const [a = 0, b = 0, c = 0, d = 0] = words;
    const mixed = a ^ (a << 11);
    words.set([b, c, d, d ^ (d >>> 19) ^ mixed ^ (mixed >>> 8)]);
    return ((words[3] ?? 0) >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 16; i++) next();
  return next;
}

const normal = (random: Random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** The median of log-normal lengths whose mean, cut at the longest, is the wanted one. */
function medianOf({ mean, most }: Lengths): number {
  const random = randomOf('1');
  const factors = Array.from({ length: 20_000 }, () => Math.exp(SPREAD * normal(random)));
  const meanAt = (median: number) =>
    factors.reduce((sum, factor) => sum + Math.min(most, median * factor), 0) / factors.length;
  let [low, high] = [1, 4 * mean];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (meanAt(middle) < mean) low = middle;
    else high = middle;
  }
  return low;
}
