/**
 * HTML by tagged templates: whatever is put into one is escaped, unless it was made by one. Texts of models are
 * hostile; no other way leads into the page.
 */
export class Html {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

type Content = Html | string | number | null | readonly Content[];

/** null shows nothing; a list, one part after the other. */
export function html(parts: TemplateStringsArray, ...contents: Content[]): Html {
  return new Html(parts.map((part, n) => part + sourceOf(contents[n] ?? null)).join(''));
}

/** Marks what a library wrote and has escaped itself, such as a drawing. */
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

/** Control characters and those that turn the direction of writing, shown as what they are. */
const INVISIBLE = /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu;

const visible = (text: string) =>
  text.replace(INVISIBLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
