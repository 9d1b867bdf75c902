/** Where a prepared text mentions options: by label, by text, or by both. */
import { ANSWER_NOUN, FILLER, JOINT } from './cues.ts';
import { escaped, type Option, plainText } from './text.ts';

/** Options mentioned side by side, such as `B`, `(B) a car` and `A, B or C`. */
export interface Mention {
  positions: number[];
  start: number;
  end: number;
  /** whether a label names it, with or without its text */
  labelled: boolean;
}

/** All mentions in order; options joined by commas or words are one mention. */
export function mentionsIn(text: string, options: readonly Option[]): Mention[] {
  const texts = textsIn(text, options);
  const labels = labelsIn(text, options).filter(({ start, end }) =>
    texts.every((other) => end <= other.start || start >= other.end),
  );
  const found = [...texts, ...labels].sort((a, b) => a.start - b.start);
  return joined(text, withOwnTexts(text, found));
}

/** Words after which a letter is not an option: `vitamin B`. */
const NAMED_BY_LETTER =
  /(?<![\p{L}])(?:vitamin|hepatitis|influenza|plan|type|group|team|point|figure|fig|class|grade|blood|company|player|city|sample|process|line|angle|side|vertex|region|country|product|factor|gene|protein|box|block|room|car|train|planet|star|circuit|container|solution|substance|compound|element|metal|gas) $/iu;
/** What follows an option whose letter is also a word (the article "A", the pronoun "I"). */
const FOLLOWS_LABEL =
  /^ ?(?:$|[^\p{L}\p{N} ]| (?:is|are|was|isn['’]t|must|can|cannot|can['’]t|could|should|will|seems?|looks?|appears?|remains?|fits?|works?|wins|has|does|doesn['’]t|and|or|but|because|since|as|so|over|instead|rather|than|nor|too|also|only|fails?|being|due|y|o|und|oder|ist|es|est|é|è|adalah|dan|atau|et|ou)(?![\p{L}]))/u;
const LETTER_AND_WORD = new Set(['A', 'I', 'E', 'O', 'Y', 'U']);

const ALPHABETIC = '\\p{Script=Latin}\\p{Script=Cyrillic}\\p{Script=Greek}\\p{N}';
/** Cached patterns by labels: most questions have the same labels. */
const labelPatterns = new Map<string, RegExp>();
const CACHED_PATTERNS = 100;

function labelPattern(labels: string): RegExp {
  const known = labelPatterns.get(labels);
  if (known) return known;
  if (labelPatterns.size >= CACHED_PATTERNS) labelPatterns.clear();
  const pattern = new RegExp(
    `(?<open>[([] ?)?(?<![${ALPHABETIC}'’^°-])(?<label>${labels})(?![${ALPHABETIC}'’^°]|-\\p{L}|[+=])(?<close> ?[)\\]])?`,
    'giu',
  );
  labelPatterns.set(labels, pattern);
  return pattern;
}

/** Labels without the letters, digits or symbols of a name or a formula beside them. */
function labelsIn(text: string, options: readonly Option[]): Mention[] {
  const labels = options.map(({ label }) => escaped(label.trim())).filter((label) => label !== '');
  if (labels.length === 0) return [];
  const pattern = labelPattern(labels.join('|'));
  return [...text.matchAll(pattern)].flatMap(({ 0: whole, index, groups }) => {
    const { label = '', open, close } = groups ?? {};
    const [start, end] = [index, index + whole.length];
    const around = {
      before: text.slice(Math.max(0, start - CONTEXT), start),
      after: text.slice(end, end + CONTEXT),
      bracketed: open !== undefined && close !== undefined,
      closed: close !== undefined,
    };
    const position = positionOf(label, options);
    return position >= 0 && isLabel(label, around)
      ? [{ positions: [position], start, end, labelled: true }]
      : [];
  });
}

/** Characters before and after a label that decide whether it is one. */
const CONTEXT = 60;

interface Around {
  before: string;
  after: string;
  bracketed: boolean;
  closed: boolean;
}

const AFTER_OPTION = new RegExp(`${ANSWER_NOUN}[ :=]*$`, 'iu');
const ENDS = /^ ?(?:$|[^\p{L}\p{N} ])/u;
const BEGINS_LINE = /(?:^|[\n.!?;。⟦] ?)$/u;

function isLabel(found: string, { before, after, bracketed, closed }: Around): boolean {
  if (bracketed) return !/\p{Script=Latin}$/u.test(before);
  if (NAMED_BY_LETTER.test(before)) return false;
  const ends = ENDS.test(after) && !/^\.\d/.test(after);
  if (!/^\p{Lu}$/u.test(found)) {
    // A small letter, a digit or a word is a label after a word such as "option", or where it is all that is said.
    const byNoun = AFTER_OPTION.test(before);
    if (byNoun && found !== 'a' && /^\p{L}$/u.test(found)) return true;
    return ends && (byNoun || closed || BEGINS_LINE.test(before) || ANNOUNCED.test(before));
  }
  if (/\d ?$/.test(before)) return false;
  return !LETTER_AND_WORD.has(found) || closed || FOLLOWS_LABEL.test(after);
}
const ANNOUNCED = new RegExp(`${ANSWER_NOUN}[^.;\\n]{0,30}(?:is|:) ?(?:${FILLER} ?){0,3}$`, 'iu');

function positionOf(label: string, options: readonly Option[]): number {
  const exact = options.findIndex((option) => option.label === label);
  return exact >= 0
    ? exact
    : options.findIndex((option) => option.label.toLowerCase() === label.toLowerCase());
}

const ARTICLE = /^(?:an?|the) (?=.)/;

/** The texts of options, as whole words without articles. A text inside a longer option's text is not a mention. */
function textsIn(text: string, options: readonly Option[]): Mention[] {
  const known = options
    .map(({ text: own = '' }, position) => ({ words: plainText(own), position }))
    .filter(({ words }) => words !== '');
  const bare = known.map(({ words, position }) => ({ words: words.replace(ARTICLE, ''), position }));
  const distinct = new Set(bare.map(({ words }) => words)).size === bare.length;
  const byLength = (distinct ? bare : known).sort((a, b) => b.words.length - a.words.length);
  const found: Mention[] = [];
  const squeezed = text.toLowerCase().replace(/\s+/g, ' ');
  for (const { words, position } of byLength) {
    if (!squeezed.includes(words)) continue;
    const spaced = escaped(words).replaceAll(' ', '\\s+');
    const article = distinct ? '(?:(?:an?|the)\\s+)?' : '';
    const pattern = new RegExp(`${edge(words, 'first')}${article}${spaced}${edge(words, 'last')}`, 'giu');
    for (const { 0: whole, index } of text.matchAll(pattern)) {
      const [start, end] = [index, index + whole.length];
      if (found.some((other) => start < other.end && end > other.start)) continue;
      found.push({ positions: [position], start, end, labelled: false });
    }
  }
  return found;
}

/** Requires that no letter or digit adjoins a text, except in scripts without spaces. */
function edge(words: string, side: 'first' | 'last'): string {
  const letter = side === 'first' ? words.slice(0, 1) : words.slice(-1);
  const spaced =
    !/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u.test(letter);
  if (!spaced) return '';
  return side === 'first' ? '(?<![\\p{L}\\p{N}.])' : '(?![\\p{L}\\p{N}]|\\.\\p{N})';
}

const BETWEEN_OWN = /^ ?[)\]]?[.:,–—-]? ?\(?(?: ?(?:option|choice|answer|letter) ?)?[(:]? ?$/i;
/** Between a label and the text of another option that contradicts it. */
const BETWEEN_OTHER = /^ ?[)\]]?[.:–—-]? ?$/;

/** Merges a label and an adjoining text into one mention, which has two options where they do not agree. */
function withOwnTexts(text: string, found: readonly Mention[]): Mention[] {
  const merged: Mention[] = [];
  for (const each of found) {
    const last = merged.at(-1);
    const between = last ? text.slice(last.end, each.start).replace('\n', ' ') : '';
    const agree = last?.positions[0] === each.positions[0];
    const pattern = agree ? BETWEEN_OWN : BETWEEN_OTHER;
    if (
      last &&
      last.labelled !== each.labelled &&
      pattern.test(between) &&
      (agree || endsAfter(text, last, each))
    ) {
      last.positions = [...new Set([...last.positions, ...each.positions])];
      last.end = each.end;
      last.labelled = true;
    } else merged.push({ ...each });
  }
  return merged;
}

/** Whether a label and another option's text are a whole sentence: `B. a train`. */
function endsAfter(text: string, label: Mention, { end }: Mention): boolean {
  return label.labelled && /^ ?(?:$|[.!?\n⟧)])/.test(text.slice(end, end + 2));
}

function joined(text: string, found: readonly Mention[]): Mention[] {
  const mentions: Mention[] = [];
  for (const each of found) {
    const { positions, end } = each;
    const last = mentions.at(-1);
    const isNew = !positions.every((position) => last?.positions.includes(position));
    if (last && isNew && areJoined(text, last, each)) {
      last.positions.push(...positions);
      last.end = end;
      last.labelled ||= each.labelled;
    } else mentions.push({ ...each, positions: [...positions] });
  }
  return mentions;
}

/** Whether two mentions are joined by a word, or listed: one per line, or with only full stops between them. */
function areJoined(text: string, first: Mention, second: Mention): boolean {
  const between = text.slice(first.end, second.start);
  if (JOINT.test(between)) return true;
  const after = text.slice(second.end, second.end + 2);
  if (between === ' ' && first.labelled && second.labelled && /^ ?[.!]?$/.test(after)) return true;
  const begins = /(?:^|[\n.] ?)$/.test(text.slice(0, first.start));
  return begins && /^[.:)]?[ \n]$/.test(between) && /^ ?(?:[.:)]|$|\n)/.test(after);
}
