/**
 * Text to tokens and back, by the files of a Hugging Face folder: `tokenizer.json`, `tokenizer_config.json`,
 * and the chat template in the latter or in `chat_template.jinja`.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer as OpenTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { ChatTemplate } from './chat-template.ts';

export interface TokenizerFiles {
  /** the parsed `tokenizer.json` */
  tokenizer: unknown;
  /** the parsed `tokenizer_config.json` */
  config: unknown;
  /** the text of `chat_template.jinja`, which comes before the configuration's own template */
  chatTemplate?: string | undefined;
}

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface Tokenizer {
  /** ids in use are below this; a model's `vocab_size` may be larger (padded), never smaller */
  readonly vocabSize: number;
  readonly eosTokenId: number;
  readonly hasChatTemplate: boolean;
  /** null where the tokenizer has none */
  readonly padTokenId: number | null;
  /** Special tokens that stand in the text are recognised; nothing is added. */
  encode(text: string): number[];
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
interface HuggingFaceTokenizer {
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
  .union([z.string(), z.looseObject({ content: z.string() }).transform((token) => token.content)])
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
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string() })).default([]),
});

/** Throws TokenizerError. */
export function loadTokenizer(files: TokenizerFiles): Tokenizer {
  const json = parseFile('tokenizer.json', files.tokenizer, modelSchema);
  const config = parseFile('tokenizer_config.json', files.config, configSchema);
  return new FileTokenizer(
    openTokenizer(json, config),
    config,
    files.chatTemplate ?? defaultTemplate(config),
  );
}

/** `loadTokenizer` of a folder on disk. */
export async function readTokenizerFolder(folder: string): Promise<Tokenizer> {
  return loadTokenizer({
    tokenizer: await readJson(join(folder, 'tokenizer.json')),
    config: await readJson(join(folder, 'tokenizer_config.json')),
    chatTemplate: await readFile(join(folder, 'chat_template.jinja'), 'utf8').catch(absent),
  });
}

class FileTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly eosTokenId: number;
  readonly padTokenId: number | null;
  private readonly tokenizer: HuggingFaceTokenizer;
  private readonly config: TokenizerConfig;
  private readonly template: ChatTemplate | undefined;
  private readonly unknownTokenId: number | null;

  constructor(tokenizer: HuggingFaceTokenizer, config: TokenizerConfig, template: string | undefined) {
    this.tokenizer = tokenizer;
    this.config = config;
    this.template = template === undefined ? undefined : parseTemplate(template);
    this.vocabSize = 1 + largest(tokenizer.get_vocab().values());
    this.eosTokenId = this.specialTokenId('eos_token');
    this.padTokenId = config.pad_token ? this.specialTokenId('pad_token') : null;
    this.unknownTokenId = config.unk_token ? (tokenizer.token_to_id(config.unk_token) ?? null) : null;
  }

  encode(text: string): number[] {
    const { ids, tokens } = this.tokenizer.encode(text, { add_special_tokens: false });
    const unknown = ids.findIndex((id) => !Number.isInteger(id));
    if (unknown >= 0) {
      throw new TokenizerError(
        `The tokenizer has no token for ${JSON.stringify(tokens[unknown])} and none that stands for the unknown.`,
      );
    }
    return ids;
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

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new TokenizerError(`Cannot read ${path}, which a model's folder needs: ${reason(cause)}`, {
      cause,
    });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TokenizerError(`${path} is damaged: ${reason(cause)}`, { cause });
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function parseFile<T>(name: string, json: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new TokenizerError(`${name} is damaged or of another kind: ${z.prettifyError(parsed.error)}`);
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
