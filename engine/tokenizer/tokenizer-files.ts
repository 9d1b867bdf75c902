/**
 * The files of a model's folder that say how text becomes tokens: their names, what is read of them, and the
 * package that encodes by them.
 */
import { Tokenizer as OpenTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';

export interface TokenizerFiles {
  /** the parsed `tokenizer.json` */
  tokenizer: unknown;
  /** the parsed `tokenizer_config.json` */
  config: unknown;
  /** the text of `chat_template.jinja`, which is used rather than the configuration's own template */
  chatTemplate?: string | undefined;
  /** the parsed `generation_config.json` and `config.json`, which may name further end tokens */
  generationConfig?: unknown;
  modelConfig?: unknown;
}

/** Files of a model's folder that say how text becomes tokens; the first two are required. */
export const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'chat_template.jinja',
  'generation_config.json',
  'config.json',
] as const;

/** Thrown when a tokenizer's files are absent or damaged, or a text cannot be encoded or templated. */
export class TokenizerError extends Error {
  override name = 'TokenizerError';
}

/** A special token is written as its text, or as an object around it. */
const tokenSchema = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform((token) => token.content)], {
    error: 'expected a token as a text, or as an object with its content',
  })
  .nullish();

/** `tokenizer_config.json`, as far as it is read here. */
export const configSchema = z.looseObject({
  bos_token: tokenSchema,
  eos_token: tokenSchema,
  pad_token: tokenSchema,
  unk_token: tokenSchema,
  chat_template: z
    .union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))])
    .nullish(),
});
export type TokenizerConfig = z.infer<typeof configSchema>;

/** `tokenizer.json`, as far as it is read here. */
export const jsonSchema = z.looseObject({
  model: z.looseObject({ type: z.string().optional() }),
  added_tokens: z
    .array(z.looseObject({ id: z.int(), content: z.string(), special: z.boolean().default(false) }))
    .default([]),
});
export type TokenizerJson = z.infer<typeof jsonSchema>;

/** The tokens that end a completion, in `generation_config.json` and `config.json`: one, or several. */
const endTokensSchema = z.looseObject({
  eos_token_id: z.union([z.int().min(0), z.array(z.int().min(0))]).nullish(),
});

/** As transformers does: the end tokens of `generation_config.json`, or those of `config.json` where it has none. */
export function furtherEndTokens({ generationConfig, modelConfig }: TokenizerFiles): number[] {
  const read = (name: string, json: unknown) => {
    const { eos_token_id: ids } = parseFile(name, json ?? {}, endTokensSchema);
    return ids == null ? null : [ids].flat();
  };
  return read('generation_config.json', generationConfig) ?? read('config.json', modelConfig) ?? [];
}

export function parseFile<T>(name: string, json: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || '(the whole)'}: ${message}`,
  );
  throw new TokenizerError(`${name} is damaged or has another form: ${problems.join('; ')}. Fetch it again.`);
}

/** The default chat template of `tokenizer_config.json`. */
export function defaultTemplate({ chat_template }: TokenizerConfig): string | undefined {
  if (!Array.isArray(chat_template)) return chat_template ?? undefined;
  return chat_template.find((named) => named.name === 'default')?.template;
}

/** Throws TokenizerError where a file's text is not JSON. */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TokenizerError(`${path} is damaged: ${reason(cause)}`, { cause });
  }
}

/** The part of the package that is used; Node's module resolution cannot follow its own declarations. */
export interface HuggingFaceTokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[]; tokens: string[] };
  decode(
    ids: number[],
    options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean },
  ): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  get_vocab(): Map<string, number>;
}

const digitsSchema = z.looseObject({
  type: z.literal('Digits'),
  individual_digits: z.boolean().default(false),
});
const byteLevelSchema = z.looseObject({
  type: z.literal('ByteLevel'),
  add_prefix_space: z.literal(false),
  use_regex: z.boolean().default(true),
});
const sequenceSchema = z.looseObject({ type: z.literal('Sequence'), pretokenizers: z.array(z.unknown()) });

/** GPT-2's, by which a `ByteLevel` pre-tokenizer splits words. */
const WORDS = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/**
 * The tokenizer with two pre-tokenizers as the splits that they are in Python's `tokenizers`. The package's own differ:
 * its digits are those of ASCII (`½`, `٣` and `⑤` are numbers too), and its words end at U+FEFF.
 */
export function withPythonSplits(json: TokenizerJson): TokenizerJson {
  const { pre_tokenizer } = json;
  return pre_tokenizer == null ? json : { ...json, pre_tokenizer: pythonSplit(pre_tokenizer) };
}

function pythonSplit(step: unknown): unknown {
  const split = (pattern: string) => ({
    type: 'Split',
    pattern: { Regex: pattern },
    behavior: 'Isolated',
    invert: false,
  });
  const sequence = sequenceSchema.safeParse(step);
  if (sequence.success)
    return { ...sequence.data, pretokenizers: sequence.data.pretokenizers.map(pythonSplit) };
  const digits = digitsSchema.safeParse(step);
  if (digits.success) return split(digits.data.individual_digits ? '\\p{N}' : '\\p{N}+');
  const bytes = byteLevelSchema.safeParse(step);
  if (!bytes.success || !bytes.data.use_regex) return step;
  return { type: 'Sequence', pretokenizers: [split(WORDS), { ...bytes.data, use_regex: false }] };
}

/** Throws TokenizerError where the package does not read such a tokenizer. */
export function openTokenizer(json: object, config: object): HuggingFaceTokenizer {
  try {
    return new OpenTokenizer(json, config);
  } catch (cause) {
    throw new TokenizerError(`tokenizer.json has a form that cannot be read here: ${reason(cause)}`, {
      cause,
    });
  }
}

/** Throws TokenizerError where a token has no id. */
export function idsOf(tokenizer: HuggingFaceTokenizer, text: string): number[] {
  const { ids, tokens } = tokenizer.encode(text, { add_special_tokens: false });
  const unknown = ids.findIndex((id) => !Number.isInteger(id));
  if (unknown < 0) return ids;
  throw new TokenizerError(
    `The tokenizer has no token for ${JSON.stringify(tokens[unknown])}, and no unknown token.`,
  );
}

export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
