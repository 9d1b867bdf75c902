/** Requests and responses of `POST /score`, in the formats in which trainers call a reward function. */
import { z } from 'zod';
import { isExactNumber } from '../../contracts/exact-json.ts';
import { rewardSchema } from '../../contracts/rewards.ts';
import { prefillOf } from '../../rewards/chain-of-thought.ts';
import { rewardNames } from '../../rewards/index.ts';
import type { RewardInput } from '../../rewards/reward.ts';

const message = z.looseObject({ role: z.string(), content: z.string() });
const said = z.union([z.string(), z.array(message).min(1)]);
type Said = z.infer<typeof said>;
const text = z.union([z.string(), z.number().transform(String)]);
const truths = z.array(
  z.preprocess((value) => (isExactNumber(value) ? String(value) : value), text.nullable()),
);
const column = z.array(z.unknown());

const shared = {
  domain: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe(
      'how answers are judged: math (the default), code, science, reasoning-gym, a logic task; any other: compared as text',
    ),
  entry: column
    .optional()
    .describe('what the domain’s verifier needs beyond the answer: options, tests, metadata'),
  verification_info: column.optional().describe('Open-R1’s tests of programs; the domain is then code'),
  metadata: column.optional().describe('reasoning-gym’s; the domain is then reasoning-gym'),
  tokens: z.array(z.int().min(0)).optional().describe('of each completion; needed by the reward length'),
  truncated: z.array(z.boolean()).optional().describe('whether the length limit cut a completion'),
  max_completion_length: z.int().positive().default(32_768),
  rewards: z
    .array(rewardSchema)
    .min(1)
    .default([{ name: 'accuracy', weight: 1 }])
    .describe(`a weighted sum of ${rewardNames.join(', ')}`),
  on_error: z
    .number()
    .nullable()
    .default(null)
    .describe('the reward of a completion without a verdict; null by default: an error does not count as 0'),
};

/** TRL's reward functions: the data set's columns as keyword arguments. */
export const trlRequestSchema = z
  .looseObject({
    completions: z.array(said).min(1),
    prompts: z.array(said).optional(),
    ground_truth: truths.optional(),
    answer: truths.optional(),
    solution: truths.optional(),
    labels: truths.optional(),
    ...shared,
  })
  .meta({ title: 'TRL: prompts, completions and columns' });

/** OpenRLHF's remote reward model: `query` is prompt and response in one text. */
export const openRlhfRequestSchema = z
  .looseObject({
    query: z.array(z.string()).min(1),
    prompts: z.array(z.string()).optional(),
    labels: truths.optional(),
    ...shared,
  })
  .meta({ title: 'OpenRLHF: query, prompts, labels' });

type TrlRequest = z.infer<typeof trlRequestSchema>;
type OpenRlhfRequest = z.infer<typeof openRlhfRequestSchema>;

const scoreErrorSchema = z.object({
  index: z.int().describe('of the completion'),
  reward: z.string(),
  kind: z.string(),
  message: z.string(),
});

export const scoreResponseSchema = z.object({
  rewards: z.array(z.number().nullable()).describe('one for each completion: the weighted sum, or on_error'),
  scores: z.array(z.number().nullable()).describe('the same, under the name that OpenRLHF filters by'),
  parts: z.record(z.string(), z.array(z.number().nullable())).describe('each reward by itself'),
  errors: z.array(scoreErrorSchema).describe('completions that cannot be judged because of their inputs'),
  extra_logs: z.record(z.string(), z.number()).describe('the mean of each reward, for OpenRLHF'),
});
export type ScoreResponse = z.infer<typeof scoreResponseSchema>;

export const failureSchema = z.object({ error: z.object({ kind: z.string(), message: z.string() }) });

/** A request in the form that rewards need. */
export interface ScoreTask {
  inputs: RewardInput[];
  rewards: z.infer<typeof rewardSchema>[];
  onError: number | null;
}

/** Reads a request of either format. Throws ZodError naming the field. */
export function readScoreRequest(body: unknown, limits: { batch: number }): ScoreTask {
  const isQuery = typeof body === 'object' && body !== null && 'query' in body;
  const request = isQuery ? openRlhfRequestSchema.parse(body) : trlRequestSchema.parse(body);
  const texts =
    'query' in request ? responsesIn(request as OpenRlhfRequest) : completionsIn(request as TrlRequest);
  refuseSizes(request, texts.length, limits.batch);
  const { rewards, on_error: onError, tokens } = request;
  if (tokens === undefined && rewards.some(({ name }) => name === 'length'))
    throw issueAt('tokens', 'how many each completion has, for the reward length', 'none');
  return { inputs: texts.map((text, n) => inputOf(request, text, n)), rewards, onError };
}

const completionsIn = ({ completions }: TrlRequest) => completions.map(textOf);

function responsesIn({ query, prompts = [] }: OpenRlhfRequest): string[] {
  return query.map((text, n) => {
    const prompt = prompts[n] ?? '';
    const response = text.startsWith(prompt) ? text.slice(prompt.length) : text;
    return withoutEndTokens(response);
  });
}

const END_TOKEN = /^<(?:\|[\w-]+\||\/s|eos|｜[^｜]*｜)>$/;

/** A text without the special tokens at its end, which OpenRLHF does not remove from its queries. */
function withoutEndTokens(text: string): string {
  let kept = text;
  for (;;) {
    const end = kept.trimEnd();
    const start = end.endsWith('>') ? end.lastIndexOf('<') : -1;
    if (start < 0 || !END_TOKEN.test(end.slice(start))) return kept;
    kept = end.slice(0, start).trimEnd();
  }
}

/** The last message of a conversation, or a text itself. */
const textOf = (text: Said) => (typeof text === 'string' ? text : (text.at(-1)?.content ?? ''));

const TRUTHS = ['ground_truth', 'answer', 'solution', 'labels'] as const;
const COLUMNS = [
  ...TRUTHS,
  'prompts',
  'entry',
  'verification_info',
  'metadata',
  'tokens',
  'truncated',
  'domain',
] as const;

function refuseSizes(request: Record<string, unknown>, size: number, batch: number): void {
  const name = 'query' in request ? 'query' : 'completions';
  if (size > batch) throw issueAt(name, `at most ${batch} in a request`, size);
  for (const key of COLUMNS) {
    const value = request[key];
    if (Array.isArray(value) && value.length !== size)
      throw issueAt(key, `as many as ${name} (${size})`, value.length);
  }
}

function issueAt(path: string, expected: string, found: string | number): z.ZodError {
  const message = `expected ${expected}, found ${found}`;
  return new z.ZodError([{ code: 'custom', path: [path], message, input: found }]);
}

/** `response`: without the part of the answer that the prompt's template has begun, as trainers send it. */
function inputOf(request: TrlRequest | OpenRlhfRequest, response: string, n: number): RewardInput {
  const columns: Record<string, unknown> = request;
  const at = (name: string) => (Array.isArray(columns[name]) ? (columns[name][n] ?? null) : null);
  const truth = TRUTHS.map(at).find((each) => each !== null);
  const { domain, entry } = judgedBy(request, n, at);
  const problem = textOf((request.prompts?.[n] ?? '') as Said);
  return {
    problem,
    answer: truth === undefined ? '' : String(truth),
    domain,
    entry: withAnswer(entry, truth),
    completionText: prefillOf(problem) + response,
    completionTokens: request.tokens?.[n] ?? 0,
    maxCompletionLength: request.max_completion_length,
    truncated: request.truncated?.[n] ?? false,
  };
}

/** The named domain, or the one that the columns imply. */
function judgedBy(
  { domain }: Pick<TrlRequest, 'domain'>,
  n: number,
  at: (name: string) => unknown,
): { domain: string; entry: unknown } {
  const named = Array.isArray(domain) ? domain[n] : domain;
  const [tests, metadata] = [at('verification_info'), at('metadata')];
  if (tests !== null) return { domain: named ?? 'code', entry: { verification_info: tests } };
  if (metadata !== null) return { domain: named ?? 'reasoning-gym', entry: { metadata } };
  return { domain: named ?? 'math', entry: at('entry') };
}

/** reasoning-gym's entries and options of questions also need the answer. */
function withAnswer(entry: unknown, truth: unknown): unknown {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry) || truth === undefined)
    return entry;
  return { answer: String(truth), ...entry };
}
