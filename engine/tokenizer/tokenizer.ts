/**
 * Text to tokens and back, by the files of a Hugging Face folder: `tokenizer.json`, `tokenizer_config.json`,
 * the chat template in the latter or in `chat_template.jinja`, and the end tokens of `generation_config.json`
 * and `config.json`.
 */
import { join } from 'node:path';
import { Tokenizer as OpenTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import type { TextRules } from '../../contracts/plan.ts';
import { readModelFile } from '../weights/model-file.ts';
import { ChatTemplate } from './chat-template.ts';
import { SpecialTokenGuard } from './special-token-guard.ts';

export interface TokenizerFiles {
  /** the parsed `tokenizer.json` */
  tokenizer: unknown;
  /** the parsed `tokenizer_config.json` */
  config: unknown;
  /** the text of `chat_template.jinja`, which comes before the configuration's own template */
  chatTemplate?: string | undefined;
  /** the parsed `generation_config.json` and `config.json`, which may name further end tokens */
  generationConfig?: unknown;
  modelConfig?: unknown;
}

/** Files of a model's folder that say how text becomes tokens; the first two must be there. */
export const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'chat_template.jinja',
  'generation_config.json',
  'config.json',
] as const;

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export type Prompt = string | readonly ChatMessage[];

export interface Tokenizer {
  /** ids in use are below this; a model's `vocab_size` may be larger (padded), never smaller */
  readonly vocabSize: number;
  /** the token that ends a response in training data */
  readonly eosTokenId: number;
  /** every token that ends a sampled completion, ascending: `eosTokenId` is one of them */
  readonly endTokenIds: readonly number[];
  readonly hasChatTemplate: boolean;
  /** null where the tokenizer has none */
  readonly padTokenId: number | null;
  /** null where the tokenizer has none */
  readonly unknownTokenId: number | null;
  readonly rules: TextRules;
  /** Special tokens that stand in the text are recognised; nothing is added. */
  encode(text: string): number[];
  /**
   * What a policy is asked: a plain text, or messages by the chat template with its generation prompt. Special
   * tokens that stand in the text or in a message are encoded as the characters they are written with. `edit`
   * changes the rendered text before it is encoded.
   */
  encodePrompt(prompt: Prompt, edit?: (text: string) => string): number[];
  /** What a policy says: special tokens in it are characters, as in `encodePrompt`. */
  encodeResponse(text: string): number[];
  /** The first word of a text that could only be read as the unknown token; null where all of it has tokens. */
  unknownIn(text: string): string | null;
  /** An id beyond the tokenizer's vocabulary, which a padded embedding may yield, has no text. */
  decode(ids: ArrayLike<number>, options?: { skipSpecialTokens?: boolean }): string;
  /** The text of a conversation, to be encoded. Throws TokenizerError where there is no template. */
  applyChatTemplate(messages: readonly ChatMessage[], options?: { add_generation_prompt?: boolean }): string;
}

/** Thrown when a tokenizer's files are absent or damaged, or a text cannot be encoded or templated. */
export class TokenizerError extends Error {
  override name = 'TokenizerError';
}

/** What is used of the package, whose own declarations Node's module resolution cannot follow. */
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

/** A special token is written as its text, or as an object around it. */
const tokenSchema = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform((token) => token.content)], {
    error: 'expected a token as a text, or as an object with its content',
  })
  .nullish();

const configSchema = z.looseObject({
  bos_token: tokenSchema,
  eos_token: tokenSchema,
  pad_token: tokenSchema,
  unk_token: tokenSchema,
  chat_template: z
    .union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))])
    .nullish(),
});
type TokenizerConfig = z.infer<typeof configSchema>;

const modelSchema = z.looseObject({
  model: z.looseObject({ type: z.string().optional() }),
  added_tokens: z
    .array(z.looseObject({ id: z.int(), content: z.string(), special: z.boolean().default(false) }))
    .default([]),
});
export type TokenizerJson = z.infer<typeof modelSchema>;

/** Where a model says which tokens end a completion: one, or several. */
const endTokensSchema = z.looseObject({
  eos_token_id: z.union([z.int().min(0), z.array(z.int().min(0))]).nullish(),
});

/** Throws TokenizerError. */
export function loadTokenizer(files: TokenizerFiles, rules: TextRules = 2): Tokenizer {
  const json = parseFile('tokenizer.json', files.tokenizer, modelSchema);
  const config = parseFile('tokenizer_config.json', files.config, configSchema);
  const [first, second] = [files.chatTemplate, defaultTemplate(config)];
  const template = rules === 1 ? (second ?? first) : (first ?? second);
  return new FileTokenizer(json, config, template, rules === 1 ? [] : furtherEndTokens(files), rules);
}

/** transformers stops at the tokens of `generation_config.json`, or at those of `config.json` where it has none. */
function furtherEndTokens({ generationConfig, modelConfig }: TokenizerFiles): number[] {
  const read = (name: string, json: unknown) => {
    const { eos_token_id: ids } = parseFile(name, json ?? {}, endTokensSchema);
    return ids == null ? null : [ids].flat();
  };
  return read('generation_config.json', generationConfig) ?? read('config.json', modelConfig) ?? [];
}

/**
 * `loadTokenizer` of the texts of `TOKENIZER_FILES`, by name, wherever they come from. `source` names that place in
 * errors.
 */
export function tokenizerOfTexts(
  texts: ReadonlyMap<string, string>,
  source: string,
  rules: TextRules = 2,
): Tokenizer {
  const json = (name: string) => {
    const text = texts.get(name);
    return text === undefined ? undefined : parseJson(text, join(source, name));
  };
  const demanded = (name: string) => {
    if (texts.has(name)) return json(name);
    throw new TokenizerError(
      `Cannot read ${join(source, name)}, which a model's folder needs: expected a file, found none.`,
    );
  };
  return loadTokenizer(
    {
      tokenizer: demanded('tokenizer.json'),
      config: demanded('tokenizer_config.json'),
      chatTemplate: texts.get('chat_template.jinja'),
      generationConfig: json('generation_config.json'),
      modelConfig: json('config.json'),
    },
    rules,
  );
}

/** `loadTokenizer` of a folder on disk. */
export async function readTokenizerFolder(folder: string): Promise<Tokenizer> {
  const texts = new Map<string, string>();
  for (const name of TOKENIZER_FILES) {
    const bytes = await readModelFile(join(folder, name));
    if (bytes !== undefined) texts.set(name, new TextDecoder().decode(bytes));
  }
  return tokenizerOfTexts(texts, folder);
}

class FileTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly eosTokenId: number;
  readonly endTokenIds: readonly number[];
  readonly padTokenId: number | null;
  readonly rules: TextRules;
  private readonly tokenizer: HuggingFaceTokenizer;
  private readonly config: TokenizerConfig;
  private readonly template: ChatTemplate | undefined;
  readonly unknownTokenId: number | null;
  /** null under rules by which special tokens in prompts and responses are recognised */
  private readonly guard: SpecialTokenGuard | null;

  constructor(
    json: TokenizerJson,
    config: TokenizerConfig,
    template: string | undefined,
    endTokenIds: readonly number[],
    rules: TextRules,
  ) {
    const tokenizer = openTokenizer(json, config);
    this.rules = rules;
    this.tokenizer = tokenizer;
    this.config = config;
    this.template = template === undefined ? undefined : parseTemplate(template);
    this.vocabSize = 1 + largest(tokenizer.get_vocab().values());
    this.eosTokenId = this.specialTokenId('eos_token');
    this.endTokenIds = [...new Set([this.eosTokenId, ...endTokenIds])].sort((a, b) => a - b);
    this.padTokenId = config.pad_token ? this.specialTokenId('pad_token') : null;
    this.unknownTokenId = config.unk_token ? (tokenizer.token_to_id(config.unk_token) ?? null) : null;
    this.guard =
      rules === 1 ? null : new SpecialTokenGuard(json, (guarded) => openTokenizer(guarded, config));
  }

  encode(text: string): number[] {
    return idsOf(this.tokenizer, text);
  }

  encodePrompt(prompt: Prompt, edit = (text: string) => text): number[] {
    return this.guarded(prompt, (each) => edit(this.promptText(each)));
  }

  encodeResponse(text: string): number[] {
    return this.guarded(text, (same) => same);
  }

  private promptText(prompt: Prompt): string {
    return typeof prompt === 'string'
      ? prompt
      : this.applyChatTemplate(prompt, { add_generation_prompt: true });
  }

  /** Encodes what `render` makes of a prompt, with special tokens that the prompt itself holds as characters. */
  private guarded<P extends Prompt>(prompt: P, render: (prompt: P) => string): number[] {
    const { guard } = this;
    if (guard === null || !guard.holdsSpecial(prompt)) return this.encode(render(prompt));
    return idsOf(guard.tokenizer, guard.release(render(guard.protect(prompt))));
  }

  unknownIn(text: string): string | null {
    const { unknownTokenId } = this;
    if (unknownTokenId === null) return null;
    const isUnknown = (piece: string) =>
      this.tokenizer.encode(piece, { add_special_tokens: false }).ids.includes(unknownTokenId);
    return isUnknown(text) ? (text.split(/(\s+)/).find(isUnknown) ?? text) : null;
  }

  decode(ids: ArrayLike<number>, { skipSpecialTokens = false } = {}): string {
    // Embeddings are often padded beyond the vocabulary: such a token has no text, and is no error of the text.
    const list = Array.from(ids).filter((id) => this.tokenizer.id_to_token(id) !== undefined);
    if (list.length === 0) return '';
    return this.tokenizer.decode(list, {
      skip_special_tokens: skipSpecialTokens,
      clean_up_tokenization_spaces: false,
    });
  }

  get hasChatTemplate(): boolean {
    return this.template !== undefined;
  }

  applyChatTemplate(
    messages: readonly ChatMessage[],
    { add_generation_prompt = false }: { add_generation_prompt?: boolean } = {},
  ): string {
    if (this.template === undefined) {
      throw new TokenizerError(
        'The tokenizer has no chat template: neither "chat_template" in tokenizer_config.json nor a file ' +
          'chat_template.jinja. Add one, or give prompts as plain text.',
      );
    }
    const { bos_token, eos_token, pad_token, unk_token } = this.config;
    try {
      const tokens = { bos_token, eos_token, pad_token, unk_token };
      return this.template.render({ ...tokens, messages: [...messages], add_generation_prompt });
    } catch (cause) {
      throw new TokenizerError(`The chat template refused the messages: ${reason(cause)}`, { cause });
    }
  }

  private specialTokenId(key: 'eos_token' | 'pad_token'): number {
    const token = this.config[key];
    const id = token ? this.tokenizer.token_to_id(token) : undefined;
    if (id !== undefined) return id;
    throw new TokenizerError(
      `tokenizer_config.json: ${key} should name a token of tokenizer.json, found ${JSON.stringify(token ?? null)}. ` +
        'Name the token that ends a completion.',
    );
  }
}

function openTokenizer(json: object, config: object): HuggingFaceTokenizer {
  try {
    return new OpenTokenizer(json, config);
  } catch (cause) {
    throw new TokenizerError(`tokenizer.json is of a kind that cannot be read here: ${reason(cause)}`, {
      cause,
    });
  }
}

/** Throws TokenizerError where a token has no id. */
function idsOf(tokenizer: HuggingFaceTokenizer, text: string): number[] {
  const { ids, tokens } = tokenizer.encode(text, { add_special_tokens: false });
  const unknown = ids.findIndex((id) => !Number.isInteger(id));
  if (unknown < 0) return ids;
  throw new TokenizerError(
    `The tokenizer has no token for ${JSON.stringify(tokens[unknown])} and none that stands for the unknown.`,
  );
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TokenizerError(`${path} is damaged: ${reason(cause)}`, { cause });
  }
}

function parseFile<T>(name: string, json: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || '(the whole)'}: ${message}`,
  );
  throw new TokenizerError(`${name} is damaged or of another kind: ${problems.join('; ')}. Fetch it again.`);
}

function parseTemplate(text: string): ChatTemplate {
  try {
    return new ChatTemplate(text);
  } catch (cause) {
    throw new TokenizerError(`The chat template is no Jinja that can be read here: ${reason(cause)}`, {
      cause,
    });
  }
}

function defaultTemplate({ chat_template }: TokenizerConfig): string | undefined {
  if (!Array.isArray(chat_template)) return chat_template ?? undefined;
  return chat_template.find((named) => named.name === 'default')?.template;
}

function largest(ids: Iterable<number>): number {
  let most = -1;
  for (const id of ids) most = Math.max(most, id);
  return most;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
