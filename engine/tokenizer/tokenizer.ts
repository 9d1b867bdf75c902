/**
 * Text to tokens and back, by the files of a Hugging Face folder: `tokenizer.json`, `tokenizer_config.json`,
 * the chat template in the latter or in `chat_template.jinja`, and the end tokens of `generation_config.json`
 * and `config.json`.
 */
import { join } from 'node:path';
import type { TextRules } from '../../contracts/plan.ts';
import { readModelFile } from '../weights/model-file.ts';
import { type ChatMessage, ChatTemplate, type Prompt } from './chat-template.ts';
import { SpecialTokenGuard } from './special-token-guard.ts';
import {
  configSchema,
  defaultTemplate,
  furtherEndTokens,
  type HuggingFaceTokenizer,
  idsOf,
  jsonSchema,
  openTokenizer,
  parseFile,
  parseJson,
  reason,
  TOKENIZER_FILES,
  type TokenizerConfig,
  TokenizerError,
  type TokenizerFiles,
  type TokenizerJson,
  withPythonSplits,
} from './tokenizer-files.ts';

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
  /** Special tokens in the text are recognised; nothing is added. */
  encode(text: string): number[];
  /**
   * A prompt for a policy: plain text, or messages rendered by the chat template with its generation prompt.
   * Special tokens in the text or in a message are encoded as plain characters. `edit` changes the rendered text
   * before it is encoded.
   */
  encodePrompt(prompt: Prompt, edit?: (text: string) => string): number[];
  /** Renders several prompts at once. They need not be prepared, but are rendered faster. */
  preparePrompts(prompts: readonly Prompt[]): void;
  /** A policy's response: special tokens in it are plain characters, as in `encodePrompt`. */
  encodeResponse(text: string): number[];
  /** The first word of a text that would be encoded as the unknown token; null where all of it has tokens. */
  unknownIn(text: string): string | null;
  /** An id beyond the tokenizer's vocabulary, which a padded embedding may yield, has no text. */
  decode(ids: ArrayLike<number>, options?: { skipSpecialTokens?: boolean }): string;
  /** A conversation as text, to be encoded. Throws TokenizerError where there is no template. */
  applyChatTemplate(messages: readonly ChatMessage[], options?: { add_generation_prompt?: boolean }): string;
}

/** Throws TokenizerError. */
export function loadTokenizer(files: TokenizerFiles, rules: TextRules = 3): Tokenizer {
  const parsed = parseFile('tokenizer.json', files.tokenizer, jsonSchema);
  const json = rules < 3 ? parsed : withPythonSplits(parsed);
  const config = parseFile('tokenizer_config.json', files.config, configSchema);
  const [first, second] = [files.chatTemplate, defaultTemplate(config)];
  const template = rules === 1 ? (second ?? first) : (first ?? second);
  return new FileTokenizer(json, config, template, rules === 1 ? [] : furtherEndTokens(files), rules);
}

/**
 * `loadTokenizer` of the texts of `TOKENIZER_FILES`, by name. `source` names their folder or manifest in errors.
 */
export function tokenizerOfTexts(
  texts: ReadonlyMap<string, string>,
  source: string,
  rules: TextRules = 3,
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
  /** null under rules 1, by which special tokens in prompts and responses are recognised */
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

  preparePrompts(prompts: readonly Prompt[]): void {
    const conversations = prompts.filter((prompt) => typeof prompt !== 'string');
    this.template?.prepare(conversations.map((messages) => this.templateVariables(messages, true)));
  }

  encodeResponse(text: string): number[] {
    return this.guarded(text, (same) => same);
  }

  private promptText(prompt: Prompt): string {
    return typeof prompt === 'string'
      ? prompt
      : this.applyChatTemplate(prompt, { add_generation_prompt: true });
  }

  /** Encodes a rendered prompt; special tokens that the prompt itself contains become plain characters. */
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
    // Embeddings are often padded beyond the vocabulary: such a token has no text, and is left out.
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
    try {
      return this.template.render(this.templateVariables(messages, add_generation_prompt));
    } catch (cause) {
      throw new TokenizerError(`The chat template refused the messages: ${reason(cause)}`, { cause });
    }
  }

  private templateVariables(messages: readonly ChatMessage[], add_generation_prompt: boolean) {
    const { bos_token, eos_token, pad_token, unk_token } = this.config;
    return { bos_token, eos_token, pad_token, unk_token, messages: [...messages], add_generation_prompt };
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

function parseTemplate(text: string): ChatTemplate {
  try {
    return new ChatTemplate(text);
  } catch (cause) {
    throw new TokenizerError(`The chat template is not Jinja that can be read here: ${reason(cause)}`, {
      cause,
    });
  }
}

function largest(ids: Iterable<number>): number {
  let most = -1;
  for (const id of ids) most = Math.max(most, id);
  return most;
}
