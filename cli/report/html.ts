/**
 * HTML by tagged templates: every inserted text is escaped, unless it is HTML made by a template. Model output is
 * untrusted; nothing reaches the page in another way.
 */
export class Html {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

type Content = Html | string | number | null | readonly Content[];

/** null is left out; the parts of a list are joined. */
export function html(parts: TemplateStringsArray, ...contents: Content[]): Html {
  return new Html(parts.map((part, n) => part + sourceOf(contents[n] ?? null)).join(''));
}

/** Marks HTML of a library that escapes by itself, such as a chart. */
export const trusted = (source: string) => new Html(source);

function sourceOf(content: Content): string {
  if (content === null) return '';
  if (content instanceof Html) return content.source;
  if (Array.isArray(content)) return content.map(sourceOf).join('');
  return escaped(String(content));
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string) => visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/** Control characters and characters that change the direction of text. */
const INVISIBLE = /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu;

const visible = (text: string) =>
  text.replace(INVISIBLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
