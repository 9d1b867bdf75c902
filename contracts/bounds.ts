/**
 * Bounds on every number of a recipe, a record and a document. A bound is wider than any real use of the number. A
 * value beyond it is a mistake, which would otherwise show only as exhausted memory, an overflow or an endless wait.
 */
import { z } from 'zod';

/** Whether each value of an object is valid by itself; only then are rules over several values checked. */
export const isSoundByParts = ({ issues }: z.RefinementCtx): boolean =>
  issues.every(({ code }) => code === 'unrecognized_keys');

/** Steps of a stage: the paper's longest has 25,148; a million take weeks at one step per second. */
export const MOST_STEPS = 1_000_000;
/** Steps of all stages together. */
export const MOST_STEPS_OF_A_RUN = 5_000_000;
/** Tokens of a sequence: published models have up to ten million positions. */
export const MOST_TOKENS = 2 ** 24;
/** Sequences of one request, rollout or batch; one object contains the seeds and arrays of all. */
export const MOST_SEQUENCES = 1_000_000;
/** Samples of one evaluation; the largest benchmarks have about ten thousand problems. */
export const MOST_MEASURED = 10_000_000;
/** Problems of an evaluation, prompts of a step; one object contains the texts of all. */
export const MOST_PROMPTS = 1_000_000;
/** Samples of one prompt. */
export const MOST_GENERATIONS = 100_000;
/** Prompts that a stage samples for its data; the paper's has 88,000. */
export const MOST_SAMPLED_PROMPTS = 10_000_000;
/** Requests for these samples; each takes events of one workflow history. */
export const MOST_REQUESTS = 100_000;
/** Rows that a generator creates at launch, in memory. */
export const MOST_MADE_ROWS = 1_000_000;
/** Puzzles that a generator creates at launch; the hardest take milliseconds each. */
export const MOST_MADE_PUZZLES = 100_000;
/** Held-out rows that a generator creates at launch. */
export const MOST_MADE_TESTS = 100_000;
/** Entries of lists in a recipe: stages, students, sources, phases. */
export const MOST_LISTED = 1_000;
/** Phases of a stage; every step searches all of them. */
export const MOST_PHASES = 100;
/** Characters of a path; Linux allows 4,096 bytes. */
const LONGEST_PATH = 4_096;
/** Characters of a text in a recipe. */
export const LONGEST_TEXT = 100_000;

/** Updates of a policy, from 1. */
export const steps = z.int().min(1).max(MOST_STEPS);
/** Updates of a policy; 0 for none, or before the first. */
export const stepsOrNone = z.int().min(0).max(MOST_STEPS);
export const tokens = z.int().min(1).max(MOST_TOKENS);
export const sequences = z.int().min(1).max(MOST_SEQUENCES);
export const promptCount = z.int().min(1).max(MOST_PROMPTS);
export const generations = z.int().min(1).max(MOST_GENERATIONS);
/** A seed that a JSON number represents exactly. */
export const seedNumber = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
export const path = z
  .string()
  .min(1)
  .max(LONGEST_PATH)
  .refine((text) => !text.includes('\0'), 'expected a path without a zero byte');

/** Above 10, one update replaces the weights. */
export const learningRate = z.number().gt(0).max(10);
/**
 * The reciprocal scales the logits: a lower temperature overflows float32, a higher one makes all tokens equally
 * likely.
 */
export const LEAST_TEMPERATURE = 1e-4;
export const MOST_TEMPERATURE = 1_000;
export const temperature = z.number().min(LEAST_TEMPERATURE).max(MOST_TEMPERATURE);
/** 0 means greedy. */
export const temperatureOrGreedy = z
  .number()
  .min(0)
  .max(MOST_TEMPERATURE)
  .refine(
    (value) => value === 0 || value >= LEAST_TEMPERATURE,
    `expected 0 (greedy) or a temperature from ${LEAST_TEMPERATURE}`,
  );
export const topP = z.number().gt(0).max(1);
/** 0 means off; the bound exceeds any vocabulary. */
export const topK = z.int().min(0).max(10_000_000);
/** The largest distance of a ratio from 1; published runs use 0.2, the paper's later stages 10. */
export const clipRange = z.number().gt(0).max(1_000);
/** Weights of penalties: KL divergence, weight decay. */
export const penaltyWeight = z.number().min(0).max(1_000);
/** Weights of rewards in a sum. */
export const rewardWeight = z.number().min(-1_000_000).max(1_000_000);
/** A share of a whole. */
export const share = z.number().min(0).max(1);
/** A share of a whole, excluding 0 and 1. */
export const properShare = z.number().gt(0).lt(1);
export const probability = z.number().gt(0).max(1);
/** Parameters of a model. The largest published ones have about 10^12. */
export const parameterCount = z.int().min(1).max(1e15);

/** A measured value; sums of squares stay within the range of doubles. */
export const figure = z.number().min(-1e150).max(1e150);
/** A measured value that cannot be negative. */
export const amount = z.number().min(0).max(1e150);
/** A count; larger numbers are not exact in JSON. */
export const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** A model's shape under the names of `config.json`; the bounds far exceed the largest published models. */
export const shape = {
  vocab_size: z.int().min(1).max(10_000_000),
  num_hidden_layers: z.int().min(1).max(10_000),
  hidden_size: z.int().min(1).max(1_000_000),
  intermediate_size: z.int().min(1).max(10_000_000),
  num_attention_heads: z.int().min(1).max(10_000),
  head_dim: z.int().min(1).max(100_000),
  rms_norm_eps: z.number().gt(0).max(1),
  rope_theta: z.number().gt(0).max(1e15),
  initializer_range: z.number().gt(0).max(100),
};
