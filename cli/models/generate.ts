/** `r1 generate`. */
import { createHash } from 'node:crypto';
import type { Command } from 'commander';
import { z } from 'zod';
import type { DecodedRequest } from '../../activities/records/request.ts';
import { temperatureOrGreedy, topK, topP } from '../../contracts/bounds.ts';
import type { GenerateDocument } from '../../contracts/documents.ts';
import type { SamplingOptions } from '../../contracts/options.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import type { SampledModel } from '../../engine/weights/model-folder.ts';
import { InputError } from '../errors.ts';
import { probability, seed, temperatureOption, tokenCount } from '../options.ts';
import { examples, jsonOption, printDocument, printLine } from '../output/output.ts';
import { problemsOf } from '../recipe/problems.ts';
import { locationText } from './checkpoint-location.ts';
import { CHECKPOINT_HELP, type Place, withModel } from './open-model.ts';
import { onOption, progressLine, withSampler } from './sampler.ts';
import type { Sampler } from './sampling-work.ts';

interface Options {
  prompt: string;
  chat?: boolean;
  greedy?: boolean;
  temperature?: number;
  topP?: number;
  maxTokens?: number;
  seed?: bigint;
  json?: boolean;
  on?: Place;
}

export const commands = { generate: defineGenerate };

function defineGenerate(command: Command): void {
  command
    .description(
      'Generate an answer to a prompt. The prompt is used as it is, and special tokens are recognised. ' +
        'Sampling follows the model’s generation_config.json unless options change it.',
    )
    .argument('<checkpoint>', CHECKPOINT_HELP)
    .requiredOption('--prompt <text>', 'the prompt')
    .option('--chat', 'apply the chat template, with the prompt as a user message')
    .option('--greedy', 'always take the most likely token')
    .option('--temperature <t>', 'softmax(logits / t); 0 is greedy', temperatureOption)
    .option('--top-p <p>', 'sample from the most likely tokens with this total probability', probability)
    .option('--max-tokens <n>', 'token limit (default: what fits, up to 512)', tokenCount)
    .option('--seed <n>', 'random seed (default: 0); the same seed gives the same answer', seed)
    .addOption(onOption())
    .option(...jsonOption('generate'))
    .addHelpText(
      'after',
      examples(
        "r1 generate nano-zero-1 --chat --prompt '7+15+3+12=?'",
        "r1 generate models/nano-base --chat --greedy --prompt '7+15+3+12=?' --json",
      ),
    )
    .action(generate);
}

async function generate(name: string, options: Options): Promise<void> {
  if (options.greedy && options.temperature !== undefined) {
    throw new InputError('--greedy and --temperature: expected one of them, found both');
  }
  await withModel(name, options.on, (toSample, connections) =>
    withSampler(toSample, connections, async (sampler) => {
      const { model, name: checkpoint, origin, location } = toSample.opened;
      const answered = await answer(sampler, model, options);
      const of = { checkpoint, stage: origin?.stage ?? null, step: origin?.step ?? null };
      if (options.json) printDocument('generate', { ...of, ...answered.document });
      else printLine(answered.document.text);
      const notes = [
        ...(location === undefined ? [] : [locationText(location)]),
        ...notesOn(answered, model, options),
      ];
      for (const note of notes) process.stderr.write(`(${note})\n`);
    }),
  );
}

/** Why an answer is shorter than expected. */
export function notesOn(
  { document: { tokens }, truncated, endedBy }: Answer,
  { tokenizer }: { tokenizer: Pick<Tokenizer, 'hasChatTemplate'> },
  { chat }: Pick<Options, 'chat'>,
): string[] {
  if (truncated) return [`cut after ${tokens.length} tokens; --max-tokens allows more`];
  if (tokens.length > 1 || endedBy === null) return [];
  const ended = `ended at once: the first token was an end token, ${JSON.stringify(endedBy)}`;
  if (chat) return [ended];
  return [
    tokenizer.hasChatTemplate
      ? `${ended}. The model has a chat template, and the prompt was used without it: try --chat`
      : `${ended}. The model has no chat template: write the prompt as a text to be continued`,
  ];
}

interface Answer {
  document: Pick<GenerateDocument, 'promptTokens' | 'tokens' | 'logprobs' | 'text'>;
  truncated: boolean;
  /** text of the end token; null where the answer was cut */
  endedBy: string | null;
}

async function answer(sampler: Sampler, model: SampledModel, options: Options): Promise<Answer> {
  const { tokenizer } = model;
  const promptTokens = promptTokensOf(model, options);
  const sampling = samplingOf(model, promptTokens.length, options);
  const { tokens, logprobs, truncated } = await sampleOne(sampler, {
    request: {
      prompts: [promptAs(options.prompt)],
      numGenerations: 1,
      seeds: [String(options.seed ?? 0n)],
      sampling,
      model: null,
      eosTokenIds: [...tokenizer.endTokenIds],
    },
    promptsP: [Int32Array.from(promptTokens)],
  });
  return {
    document: {
      promptTokens,
      tokens: [...tokens],
      logprobs: [...logprobs],
      text: tokenizer.decode(tokens, { skipSpecialTokens: true }),
    },
    truncated,
    endedBy: truncated ? null : tokenizer.decode(tokens.slice(-1)),
  };
}

interface SampledOne {
  tokens: Int32Array;
  logprobs: Float32Array;
  truncated: boolean;
}

async function sampleOne(sampler: Sampler, shard: DecodedRequest): Promise<SampledOne> {
  const line = progressLine('generate', 1);
  // An answer that comes soon needs no line.
  const onProgress = (progress: { done: number; waiting?: string }) =>
    progress.waiting === undefined ? undefined : line.onProgress(progress);
  const answered: SampledOne = { tokens: new Int32Array(), logprobs: new Float32Array(), truncated: false };
  try {
    for await (const sampled of sampler({ shards: [shard], withLogprobs: true, onProgress, say: line.say })) {
      answered.tokens = sampled.completionsN[0] ?? answered.tokens;
      answered.logprobs = sampled.logprobsN?.[0] ?? answered.logprobs;
      answered.truncated = sampled.truncatedN[0] === 1;
    }
    return answered;
  } finally {
    line.end();
  }
}

/** Nothing is judged: the text alone is known of it. */
const promptAs = (problem: string) => ({
  slot: 0,
  prompt: createHash('sha256').update(problem).digest('hex'),
  problem,
  answer: '',
  domain: '',
});

function promptTokensOf({ tokenizer }: SampledModel, { prompt, chat }: Options): number[] {
  const tokens = chat
    ? tokenizer.encodePrompt([{ role: 'user', content: prompt }])
    : tokenizer.encode(prompt);
  if (tokens.length > 0) return tokens;
  throw new InputError('--prompt: expected a text, found none: the first token is predicted from it');
}

/** The default limit. */
const DEFAULT_TOKENS = 512;

function samplingOf(model: SampledModel, promptLength: number, options: Options): SamplingOptions {
  const positions = model.config.max_position_embeddings;
  const available = positions - promptLength;
  const limit = options.maxTokens ?? Math.min(available, DEFAULT_TOKENS);
  if (available < Math.max(1, limit)) {
    throw new InputError(
      `expected prompt and answer within the model's ${positions} positions, found ${promptLength} tokens of prompt ` +
        `and ${Math.max(1, limit)} to generate. Shorten the prompt, or lower --max-tokens.`,
    );
  }
  const defaults = generationConfig(model);
  return {
    temperature: options.greedy ? 0 : (options.temperature ?? defaults.temperature),
    top_p: options.topP ?? defaults.top_p,
    top_k: defaults.top_k,
    max_completion_length: limit,
  };
}

const generationSchema = z.object({
  temperature: temperatureOrGreedy.nullish(),
  top_p: topP.nullish(),
  top_k: topK.nullish(),
});

/** The sampling of the model's generation_config.json; temperature 1, top-p 1 where it is silent. */
function generationConfig({ files }: SampledModel) {
  const bytes = files.get('generation_config.json');
  const { temperature, top_p, top_k } = parseGenerationConfig(bytes);
  return { temperature: temperature ?? 1, top_p: top_p ?? 1, top_k: top_k ?? 0 };
}

function parseGenerationConfig(bytes: Uint8Array | undefined): z.infer<typeof generationSchema> {
  if (bytes === undefined) return {};
  const json = jsonOf(new TextDecoder().decode(bytes));
  const parsed = generationSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [problem] = problemsOf(parsed.error, generationSchema, json);
  throw new InputError(`generation_config.json: ${problem?.text}. Correct the file, or fetch it again.`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError('generation_config.json: expected JSON, found a damaged file. Fetch it again.');
  }
}
