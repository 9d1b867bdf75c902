/** Finds the options that a final answer names. */
export interface Option {
  label: string;
  /** unknown where only the letters are */
  text?: string;
}

/** Longer final answers than this are searched in their end alone. */
const LONGEST = 4_000;

/** A text as it is compared: Unicode NFKC, lower case, without markup, outer punctuation and white space. */
export function plainText(text: string): string {
  return text
    .slice(0, LONGEST)
    .normalize('NFKC')
    .replace(/\\(?:text|textbf|mathbf|mathrm|bm|bf|rm)\b/g, '')
    .replace(/[\s${}*_`"“”\\~]+/g, ' ')
    .trim()
    .replace(/[.,;:!]+$/, '')
    .trim()
    .toLowerCase();
}

/**
 * The places of all options that the final answer names: none where it names none, several where it wavers.
 * What is boxed counts; else what "answer" announces; else the text as a whole, if it is no more than an answer.
 */
export function choicesIn(text: string, options: readonly Option[]): number[] {
  const end = text.slice(-LONGEST);
  const boxed = boxedIn(end);
  const announced = boxed.length > 0 ? boxed : announcedIn(end);
  const statements = announced.length > 0 ? announced : [end];
  return [...new Set(statements.flatMap((statement) => optionsNamed(statement, options)))];
}

/** The contents of every `\boxed{…}`, brackets matched. */
function boxedIn(text: string): string[] {
  return [...text.matchAll(/\\f?boxed\s*\{/g)].flatMap((match) => {
    const inside = matchedBraces(text, match.index + match[0].length);
    return inside === null ? [] : [inside];
  });
}

function matchedBraces(text: string, start: number): string | null {
  let depth = 1;
  for (let position = start; position < text.length; position++) {
    if (text[position] === '{') depth++;
    if (text[position] === '}') depth--;
    if (depth === 0) return text.slice(start, position);
  }
  return null;
}

/** `the answer is …`, `Answer: …`, `correct option is …`, up to the sentence's end. */
const ANNOUNCEMENT =
  /\b(?:answers?|options?|choices?)\b[\s*_]{0,4}(?:\b(?:is|are|would be|must be|should be)\b[\s*_]{0,4}:?|[:：=])/gi;
/** Takes back what was announced before it. */
const RETRACTION = /\b(?:wait|actually|correction|instead|mistake|rather|no)\b/i;
/** A sentence ends at a full stop before white space; the one of `B. Mitochondria` does not end it. */
const SENTENCE_END = /(?<![\s*_:(][A-Za-z]|^[A-Za-z])[.;!?](?=\s|$)/;

function announcedIn(text: string): string[] {
  const found: string[] = [];
  const matches = [...text.matchAll(ANNOUNCEMENT)];
  for (const [index, match] of matches.entries()) {
    const start = match.index + match[0].length;
    const rest = text.slice(start, matches[index + 1]?.index ?? text.length);
    const [sentence = ''] = rest.trimStart().split(SENTENCE_END);
    const before = index === 0 ? '' : text.slice(matches[index - 1]?.index ?? 0, match.index);
    if (RETRACTION.test(before)) found.length = 0;
    if (sentence.trim() !== '') found.push(sentence);
  }
  return found;
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The options that one statement names, by label or by text. */
function optionsNamed(statement: string, options: readonly Option[]): number[] {
  const plain = plainText(statement);
  const exact = options.findIndex(({ text }) => text !== undefined && plainText(text) === plain);
  if (exact >= 0) return [exact];
  const labelled = labelsNamed(statement, options);
  return labelled.length > 0 ? labelled : textsNamed(plain, options);
}

/** Labels at the statement's start, joined or followed by more: `B`, `(B) text`, `both A and C`. */
function labelsNamed(statement: string, options: readonly Option[]): number[] {
  const source = statement
    .replace(/\\(?:text|textbf|mathbf|mathrm|bm|bf|rm)\b/g, '')
    .replace(/[\s${}*_`"“”\\~]+/g, ' ')
    .trim()
    .replace(/^(?:(?:either|both|options?|choices?|the|answer|letter)\b[\s:]*)+/i, '');
  const labels = options.map(({ label }) => escaped(label)).join('|');
  const alone = new RegExp(`^[([]?(${labels})[)\\]]?[.,:;!]?$`, 'i').exec(source);
  if (alone?.[1] !== undefined) return [placeOf(alone[1], options)];
  const [first, ...more] = leadingLabels(source, labels);
  if (first === undefined) return [];
  const places = [first.label, ...more.map(({ label }) => label)].map((label) => placeOf(label, options));
  const last = more.at(-1) ?? first;
  return [...places, ...contradicting(last, places, options)];
}

interface LabelRead {
  label: string;
  rest: string;
}

/** A label, and those that commas or words join to it; `A dog` and `I think` begin with no label. */
function leadingLabels(source: string, labels: string): LabelRead[] {
  const joint = String.raw`\s*(?:,?\s*(?:\band\b|\bor\b|&|\/|\+)|,)\s*(?:\boption\s+)?`;
  const bare = new RegExp(
    `^(?:([([])(${labels})[)\\]]|(${labels})(?=[).:,;/&+–—-]|\\s+(?:and|or|is|because|since|as|which)\\b|\\s+[-–—]))`,
  );
  const found: LabelRead[] = [];
  let rest = source;
  for (let match = bare.exec(rest); match !== null && found.length < 26; match = bare.exec(rest)) {
    rest = rest.slice(match[0].length);
    found.push({ label: match[2] ?? match[3] ?? '', rest });
    const next = new RegExp(`^[)\\]]?${joint}(?=[([]?(?:${labels})(?![\\p{L}\\p{N}]))`, 'u').exec(rest);
    if (next === null) break;
    rest = rest.slice(next[0].length);
    if (new RegExp(`^(?:${labels})$`).test(rest)) return [...found, { label: rest, rest: '' }];
  }
  return found;
}

/** After a label, the text of another option is a second answer. */
function contradicting({ rest }: LabelRead, named: readonly number[], options: readonly Option[]): number[] {
  const plain = plainText(rest.replace(/^[)\]\s.:,;–—-]+/, ''));
  return options.flatMap(({ text }, place) =>
    text !== undefined && !named.includes(place) && plainText(text) === plain ? [place] : [],
  );
}

function placeOf(label: string, options: readonly Option[]): number {
  const exact = options.findIndex((option) => option.label === label);
  return exact >= 0
    ? exact
    : options.findIndex((option) => option.label.toLowerCase() === label.toLowerCase());
}

const NEGATION = /\b(?:not|never|cannot|except|\w+n['’]t)\b/;
/** More words than this around an option's text are an argument, not an answer. */
const MOST_WORDS = 25;

/** Options whose text stands in a short statement, as whole words; one within another option's is that one. */
function textsNamed(plain: string, options: readonly Option[]): number[] {
  if (NEGATION.test(plain) || plain.split(' ').length > MOST_WORDS) return [];
  let rest = ` ${plain} `;
  const byLength = options
    .map(({ text = '' }, place) => ({ text: plainText(text), place }))
    .filter(({ text }) => text !== '')
    .sort((a, b) => b.text.length - a.text.length);
  return byLength.flatMap(({ text, place }) => {
    const word = new RegExp(`(?<![\\p{L}\\p{N}.])${escaped(text)}(?![\\p{L}\\p{N}]|\\.\\p{N})`, 'gu');
    const without = rest.replace(word, ' ');
    const named = without !== rest;
    rest = without;
    return named ? [place] : [];
  });
}
