/** Synthetic candidates for a data set: prompts with 16 completions of at least 2 KiB each, of which 14 are accepted. */
import { createHash } from 'node:crypto';
import type { SampledCandidate } from '../../activities/orchestrator/examples/select-samples.ts';
import { type SelectSamplesInput, selectionRuleSchema } from '../../contracts/datasets.ts';
import { importPromptSet, promptHash } from '../../stores/data/prompts.ts';
import type { Database } from '../../stores/database/database.ts';
import { BRANCH, digest, reference } from '../stores/helpers.ts';

export const SAMPLES_PER_PROMPT = 16;
/** One of 16 is wrong, and one is a near-duplicate. */
export const KEPT_PER_PROMPT = 14;
export const PROMPTS_PER_PART = 256;

export const rule = selectionRuleSchema.parse({
  max_tokens: 8_192,
  min_language_share: 0.9,
  max_paragraph: 4_000,
  max_repeated_share: 0.5,
  near_duplicate: {},
});

const SENTENCES = 20_000;
const WORDS_PER_SENTENCE = 12;
const TEXT_CHARACTERS = 2_048;

export async function createCandidates(database: Database, count: number) {
  const sentences = Array.from({ length: SENTENCES }, (_, n) => sentenceOf(n));
  const prompts = Array.from({ length: count }, (_, n) => {
    const problem = `Problem ${n}: ${sentences[n % SENTENCES]}`;
    return {
      problem,
      answer: String(n),
      domain: 'math',
      split: 'train' as const,
      source: 'bench',
      line: n + 1,
    };
  });
  const hashes = prompts.map((prompt) => promptHash(prompt));
  await importPromptSet(database, {
    name: 'bench',
    prompts: prompts.map((prompt, n) => ({ ...prompt, hash: hashes[n] ?? '' })),
  });
  let milliseconds = 0;

  const sampleOf = (prompt: number, k: number): SampledCandidate => {
    const text = textOf(sentences, SAMPLES_PER_PROMPT * prompt + (k === 1 ? 0 : k), k);
    return {
      sequence: SAMPLES_PER_PROMPT * (prompt % PROMPTS_PER_PART) + k,
      prompt: hashes[prompt] ?? '',
      problem: prompts[prompt]?.problem ?? '',
      domain: 'math',
      seed: String(2n ** 63n + BigInt(SAMPLES_PER_PROMPT * prompt + k)),
      text,
      tokens: 600,
      truncated: false,
      rewards: {
        accuracy: { score: k === 2 ? 0 : 1, version: 1 },
        format: { score: 1, version: 1 },
        language: { score: 1, version: 1 },
      },
    };
  };
  return {
    /** problems of an evaluation, different from all prompts */
    evaluated: Array.from({ length: 1_000 }, (_, n) => sentenceOf(SENTENCES + n)),
    /** seconds spent on generating candidates so far */
    seconds: () => milliseconds / 1000,
    part(part: number): { input: SelectSamplesInput; samples: SampledCandidate[] } {
      const start = performance.now();
      const samples = Array.from({ length: PROMPTS_PER_PART * SAMPLES_PER_PROMPT }, (_, n) =>
        sampleOf(part * PROMPTS_PER_PART + Math.floor(n / SAMPLES_PER_PROMPT), n % SAMPLES_PER_PROMPT),
      );
      milliseconds += performance.now() - start;
      return { input: inputOf(part), samples };
    },
  };
}

function inputOf(part: number): SelectSamplesInput {
  const digests = { weights: digest('w0'), moments: null, reference: null };
  return {
    key: BRANCH,
    part,
    rollout: reference(`rollout-${part}`),
    scores: reference(`scores-${part}`),
    from: { stage: 'zero', checkpoint: { step: 0, manifest: reference('base'), digests } },
    rule,
  };
}

/** A unique sequence of words from a vocabulary of a few thousand. */
function sentenceOf(n: number): string {
  const bytes = createHash('sha512').update(String(n)).digest();
  const words = Array.from(
    { length: WORDS_PER_SENTENCE },
    (_, word) => `w${bytes.readUInt16BE(2 * word) % 4_000}`,
  );
  return `${words.join(' ')}.`;
}

/** A chain of thought of sentences drawn with the completion's number as seed, and an answer. */
function textOf(sentences: readonly string[], completion: number, k: number): string {
  const thought: string[] = [];
  let state = (completion + 1) * 2_654_435_761;
  for (let length = 0; length < TEXT_CHARACTERS; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const sentence = sentences[state % SENTENCES] ?? '';
    thought.push(sentence);
    length += sentence.length + 1;
  }
  return `<think>${thought.join(' ')}</think><answer>${k}</answer>`;
}
