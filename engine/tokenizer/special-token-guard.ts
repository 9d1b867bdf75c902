/**
 * Keeps special tokens that stand in a person's text from becoming control tokens: `<|im_end|>` in a problem is
 * ten characters, and only the template's own `<|im_end|>` ends the turn.
 *
 * The text is encoded in one piece, by a copy of the tokenizer in which every special token is written by a
 * marker of private-use characters in place of its own content. Only the template's special tokens are replaced by
 * their markers, so nothing else can become one.
 */
import type { HuggingFaceTokenizer, Prompt, TokenizerJson } from './tokenizer.ts';

/** Private-use characters: no text that a model is to learn holds them. */
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
    // The longest first, so that none is found as the beginning of another.
    const found = this.special.filter((content) => content !== '').sort((a, b) => b.length - a.length);
    this.pattern = found.length === 0 ? null : new RegExp(found.map(escaped).join('|'), 'g');
  }

  /** The copy that knows special tokens by their markers alone; made when it is first needed. */
  get tokenizer(): HuggingFaceTokenizer {
    this.opened ??= this.open(withMarkers(this.json));
    return this.opened;
  }

  holdsSpecial(prompt: Prompt): boolean {
    const { pattern } = this;
    return pattern !== null && textsOf(prompt).some((text) => text.search(pattern) >= 0);
  }

  /** The same prompt with its special tokens out of a template's and a tokenizer's sight. */
  protect<P extends Prompt>(prompt: P): P;
  protect(prompt: Prompt): Prompt {
    if (typeof prompt === 'string') return this.hidden(prompt);
    return prompt.map((message) => ({ ...message, content: this.hidden(message.content) }));
  }

  /** A rendered prompt as `tokenizer` reads it: its own special tokens as markers, hidden ones as they were. */
  release(rendered: string): string {
    const { special } = this;
    const marked = this.replaced(rendered, (place) => marker(TOKEN, place));
    return marked.replace(/\uE0F1(\d+)\uE0F2/g, (_, place: string) => special[Number(place)] ?? '');
  }

  private hidden(text: string): string {
    return this.replaced(text.replace(MARKERS, '\uFFFD'), (place) => marker(ORIGINAL, place));
  }

  private replaced(text: string, by: (place: number) => string): string {
    return this.pattern === null
      ? text
      : text.replace(this.pattern, (content) => by(this.special.indexOf(content)));
  }
}

const marker = (kind: string, place: number) => `${kind}${place}${END}`;
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const textsOf = (prompt: Prompt) =>
  typeof prompt === 'string' ? [prompt] : prompt.map(({ content }) => content);

/** Added tokens and vocabulary with each special token's content replaced by its marker, ids kept. */
function withMarkers(json: TokenizerJson): TokenizerJson {
  const special = json.added_tokens.filter((token) => token.special).map(({ content }) => content);
  const markerOf = new Map(special.map((content, place) => [content, marker(TOKEN, place)]));
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

/** A vocabulary is a table from token to id, or a list of tokens with their scores. */
function renamedVocabulary(vocab: unknown, renamed: (content: string) => string): unknown {
  if (Array.isArray(vocab))
    return vocab.map((piece: unknown) =>
      Array.isArray(piece) && typeof piece[0] === 'string' ? [renamed(piece[0]), ...piece.slice(1)] : piece,
    );
  if (typeof vocab !== 'object' || vocab === null) return vocab;
  return Object.fromEntries(Object.entries(vocab).map(([content, id]) => [renamed(content), id]));
}
