import { limits, OverLimit, ParseFailure } from '../limits.ts';

/** `spaced`: preceded by white space; `upright`: a letter set as text, as units are. */
export interface Token {
  type: 'number' | 'letter' | 'command' | 'text' | 'function' | 'separator' | 'relation' | 'mark' | 'end';
  value: string;
  spaced: boolean;
  upright?: boolean;
}

/** Type and value of a token. */
export type BareToken = [Token['type'], string];

/** A position in a list of tokens, and the counters that bound the size of the parsed expression. */
export class TokenCursor {
  protected readonly tokens: Token[];
  protected position = 0;
  private depth = 0;
  private nodes = 0;

  constructor(tokens: Token[]) {
    this.tokens = tokens;
    if (tokens.length > limits.nodes) {
      throw new OverLimit(`expected at most ${limits.nodes} tokens, found ${tokens.length}`);
    }
  }

  protected get token(): Token {
    return this.tokens[this.position] ?? { type: 'end', value: '', spaced: false };
  }

  protected get following(): Token {
    return this.tokens[this.position + 1] ?? { type: 'end', value: '', spaced: false };
  }

  protected is(type: Token['type'], ...values: string[]): boolean {
    return this.token.type === type && (values.length === 0 || values.includes(this.token.value));
  }

  protected take(): Token {
    const { token } = this;
    this.position++;
    return token;
  }

  protected accept(type: Token['type'], ...values: string[]): boolean {
    const found = this.is(type, ...values);
    if (found) this.position++;
    return found;
  }

  protected expect(type: Token['type'], ...values: string[]): Token {
    if (this.is(type, ...values)) return this.take();
    throw new ParseFailure(`expected ${values.join(' or ') || type}, found ${this.token.value || 'the end'}`);
  }

  protected nested<T>(parse: () => T): T {
    if (++this.depth > limits.nesting)
      throw new OverLimit(`expected at most ${limits.nesting} brackets deep`);
    const result = parse();
    this.depth--;
    return result;
  }

  protected count(): void {
    if (++this.nodes > limits.nodes) throw new OverLimit(`expected at most ${limits.nodes} nodes`);
  }
}
