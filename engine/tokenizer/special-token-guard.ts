/**
 * Keeps special tokens in a user's text from becoming control tokens: `<|im_end|>` in a problem is ten characters,
 * and only the template's own `<|im_end|>` ends the turn.
 *
 * The text is encoded in one piece by a copy of the tokenizer. In the copy, the content of every special token is a
 * marker of private-use characters. Only the special tokens of the template are replaced by their markers, so no
 * other text can become a special token.
 */
import type { Prompt } from './chat-template.ts';
import type { HuggingFaceTokenizer, TokenizerJson } from './tokenizer-files.ts';

/** Private-use characters, which training texts do not contain. */
const [TOKEN, ORIGINAL, END] = ['\uE0F0', '\uE0F1', '\uE0F2'];
const MARKERS = /[\uE0F0-\uE0F2]/g;

export class SpecialTokenGuard {
  private readonly json: TokenizerJson;
  private readonly open: (json: TokenizerJson) => HuggingFaceTokenizer;
  /** contents of the special tokens */
  private readonly special: string[];
  /** any special token; null where the tokenizer has none */
  private readonly pattern: RegExp | null;
  private opened: HuggingFaceTokenizer | undefined;

  constructor(json: TokenizerJson, open: (json: TokenizerJson) => HuggingFaceTokenizer) {
    this.json = json;
    this.open = open;
    this.special = json.added_tokens.filter((token) => token.special).map(({ content }) => content);
    // The longest first: a token may begin with another.
    const found = this.special.filter((content) => content !== '').sort((a, b) => b.length - a.length);
    this.pattern = found.length === 0 ? null : new RegExp(found.map(escaped).join('|'), 'g');
  }

  /** The copy whose special tokens are markers; made at its first use. */
  get tokenizer(): HuggingFaceTokenizer {
    this.opened ??= this.open(withMarkers(this.json));
    return this.opened;
  }

  holdsSpecial(prompt: Prompt): boolean {
    const { pattern } = this;
    return pattern !== null && textsOf(prompt).some((text) => text.search(pattern) >= 0);
  }

  /** The prompt with its special tokens replaced, so that neither template nor tokenizer recognises them. */
  protect<P extends Prompt>(prompt: P): P;
  protect(prompt: Prompt): Prompt {
    if (typeof prompt === 'string') return this.hidden(prompt);
    return prompt.map((message) => ({ ...message, content: this.hidden(message.content) }));
  }

  /** A rendered prompt for `tokenizer`: the template's special tokens as markers, those of the prompt as text. */
  release(rendered: string): string {
    const { special } = this;
    const marked = this.replaced(rendered, (index) => marker(TOKEN, index));
    return marked.replace(/\uE0F1(\d+)\uE0F2/g, (_, index: string) => special[Number(index)] ?? '');
  }

  private hidden(text: string): string {
    return this.replaced(text.replace(MARKERS, '\uFFFD'), (index) => marker(ORIGINAL, index));
  }

  private replaced(text: string, by: (index: number) => string): string {
    return this.pattern === null
      ? text
      : text.replace(this.pattern, (content) => by(this.special.indexOf(content)));
  }
}

const marker = (kind: string, index: number) => `${kind}${index}${END}`;
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const textsOf = (prompt: Prompt) =>
  typeof prompt === 'string' ? [prompt] : prompt.map(({ content }) => content);

/** The tokenizer with each special token's content replaced by its marker; ids stay. */
function withMarkers(json: TokenizerJson): TokenizerJson {
  const special = json.added_tokens.filter((token) => token.special).map(({ content }) => content);
  const markerOf = new Map(special.map((content, index) => [content, marker(TOKEN, index)]));
  const { unk_token, vocab } = json.model;
  const renamed = (content: string) => (content === unk_token ? content : (markerOf.get(content) ?? content));
  return {
    ...json,
    added_tokens: json.added_tokens.map((token) =>
      token.special
        ? { ...token, content: markerOf.get(token.content) ?? token.content, normalized: false }
        : token,
    ),
    model: { ...json.model, vocab: renamedVocabulary(vocab, renamed) },
  };
}

/** A vocabulary maps tokens to ids, or lists tokens with their scores. */
function renamedVocabulary(vocab: unknown, renamed: (content: string) => string): unknown {
  if (Array.isArray(vocab))
    return vocab.map((piece: unknown) =>
      Array.isArray(piece) && typeof piece[0] === 'string' ? [renamed(piece[0]), ...piece.slice(1)] : piece,
    );
  if (typeof vocab !== 'object' || vocab === null) return vocab;
  return Object.fromEntries(Object.entries(vocab).map(([content, id]) => [renamed(content), id]));
}
