/** Where a prepared text mentions options: by label, by text, or by both. */
import { ANSWER_NOUN, FILLER, JOINT } from './cues.ts';
import { escaped, type Option, plainText } from './text.ts';

/** Options mentioned side by side, such as `B`, `(B) a car` and `A, B or C`. */
export interface Mention {
  places: number[];
  start: number;
  end: number;
  /** by a label, with or without a text */
  labelled: boolean;
}

/** All mentions in order; options that commas or words join are one mention. */
export function mentionsIn(text: string, options: readonly Option[]): Mention[] {
  const texts = textsIn(text, options);
  const labels = labelsIn(text, options).filter(({ start, end }) =>
    texts.every((other) => end <= other.start || start >= other.end),
  );
  const found = [...texts, ...labels].sort((a, b) => a.start - b.start);
  return joined(text, withOwnTexts(text, found));
}

/** Words before which a letter is no option: `vitamin B`. */
const NAMED_BY_LETTER =
  /(?<![\p{L}])(?:vitamin|hepatitis|influenza|plan|type|group|team|point|figure|fig|class|grade|blood|company|player|city|sample|process|line|angle|side|vertex|region|country|product|factor|gene|protein|box|block|room|car|train|planet|star|circuit|container|solution|substance|compound|element|metal|gas) $/iu;
/** What follows a letter that is also a word (the article "A", the pronoun "I"), where it is an option. */
const FOLLOWS_LABEL =
  /^ ?(?:$|[^\p{L}\p{N} ]| (?:is|are|was|isn['’]t|must|can|cannot|can['’]t|could|should|will|seems?|looks?|appears?|remains?|fits?|works?|wins|has|does|doesn['’]t|and|or|but|because|since|as|so|over|instead|rather|than|nor|too|also|only|fails?|being|due|y|o|und|oder|ist|es|est|é|è|adalah|dan|atau|et|ou)(?![\p{L}]))/u;
const LETTER_AND_WORD = new Set(['A', 'I', 'E', 'O', 'Y', 'U']);

const ALPHABETIC = '\\p{Script=Latin}\\p{Script=Cyrillic}\\p{Script=Greek}\\p{N}';
/** Patterns of the labels that were asked for: most questions have the same. */
const labelPatterns = new Map<string, RegExp>();
const MOST_KEPT = 100;

function labelPattern(labels: string): RegExp {
  const known = labelPatterns.get(labels);
  if (known) return known;
  if (labelPatterns.size >= MOST_KEPT) labelPatterns.clear();
  const pattern = new RegExp(
    `(?<open>[([] ?)?(?<![${ALPHABETIC}'’^°-])(?<label>${labels})(?![${ALPHABETIC}'’^°]|-\\p{L}|[+=])(?<close> ?[)\\]])?`,
    'giu',
  );
  labelPatterns.set(labels, pattern);
  return pattern;
}

/** Labels that stand by themselves: no letters, digits or signs of a name or formula beside them. */
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
    const place = placeOf(label, options);
    return place >= 0 && isLabel(label, around) ? [{ places: [place], start, end, labelled: true }] : [];
  });
}

/** Characters around a label that are looked at. */
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
    // A small letter, a digit or a word is a label where it is said to be one, or where nothing else is said.
    const byNoun = AFTER_OPTION.test(before);
    if (byNoun && found !== 'a' && /^\p{L}$/u.test(found)) return true;
    return ends && (byNoun || closed || BEGINS_LINE.test(before) || SAID.test(before));
  }
  if (/\d ?$/.test(before)) return false;
  return !LETTER_AND_WORD.has(found) || closed || FOLLOWS_LABEL.test(after);
}
const SAID = new RegExp(`${ANSWER_NOUN}[^.;\\n]{0,30}(?:is|:) ?(?:${FILLER} ?){0,3}$`, 'iu');

function placeOf(label: string, options: readonly Option[]): number {
  const exact = options.findIndex((option) => option.label === label);
  return exact >= 0
    ? exact
    : options.findIndex((option) => option.label.toLowerCase() === label.toLowerCase());
}

const ARTICLE = /^(?:an?|the) (?=.)/;

/** The texts of options, as whole words; one within another option's is that one. Articles do not matter. */
function textsIn(text: string, options: readonly Option[]): Mention[] {
  const known = options
    .map(({ text: own = '' }, place) => ({ words: plainText(own), place }))
    .filter(({ words }) => words !== '');
  const bare = known.map(({ words, place }) => ({ words: words.replace(ARTICLE, ''), place }));
  const distinct = new Set(bare.map(({ words }) => words)).size === bare.length;
  const byLength = (distinct ? bare : known).sort((a, b) => b.words.length - a.words.length);
  const found: Mention[] = [];
  const squeezed = text.toLowerCase().replace(/\s+/g, ' ');
  for (const { words, place } of byLength) {
    if (!squeezed.includes(words)) continue;
    const spaced = escaped(words).replaceAll(' ', '\\s+');
    const article = distinct ? '(?:(?:an?|the)\\s+)?' : '';
    const pattern = new RegExp(`${edge(words, 'first')}${article}${spaced}${edge(words, 'last')}`, 'giu');
    for (const { 0: whole, index } of text.matchAll(pattern)) {
      const [start, end] = [index, index + whole.length];
      if (found.some((other) => start < other.end && end > other.start)) continue;
      found.push({ places: [place], start, end, labelled: false });
    }
  }
  return found;
}

/** No letter or digit beside a text; scripts without spaces have no such edges. */
function edge(words: string, side: 'first' | 'last'): string {
  const letter = side === 'first' ? words.slice(0, 1) : words.slice(-1);
  const spaced =
    !/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u.test(letter);
  if (!spaced) return '';
  return side === 'first' ? '(?<![\\p{L}\\p{N}.])' : '(?![\\p{L}\\p{N}]|\\.\\p{N})';
}

const BETWEEN_OWN = /^ ?[)\]]?[.:,–—-]? ?\(?(?: ?(?:option|choice|answer|letter) ?)?[(:]? ?$/i;
/** Before the text of another option: a comma or a word alone does not make it a second answer. */
const BETWEEN_OTHER = /^ ?[)\]]?[.:–—-]? ?$/;

/** A label with a text after it, or a text with a label: one mention, of two options where they do not agree. */
function withOwnTexts(text: string, found: readonly Mention[]): Mention[] {
  const merged: Mention[] = [];
  for (const each of found) {
    const last = merged.at(-1);
    const between = last ? text.slice(last.end, each.start).replace('\n', ' ') : '';
    const agree = last?.places[0] === each.places[0];
    const pattern = agree ? BETWEEN_OWN : BETWEEN_OTHER;
    if (
      last &&
      last.labelled !== each.labelled &&
      pattern.test(between) &&
      (agree || endsAfter(text, last, each))
    ) {
      last.places = [...new Set([...last.places, ...each.places])];
      last.end = each.end;
      last.labelled = true;
    } else merged.push({ ...each });
  }
  return merged;
}

/** `B. a train` and no more: a label that another option's text contradicts. */
function endsAfter(text: string, label: Mention, { end }: Mention): boolean {
  return label.labelled && /^ ?(?:$|[.!?\n⟧)])/.test(text.slice(end, end + 2));
}

function joined(text: string, found: readonly Mention[]): Mention[] {
  const mentions: Mention[] = [];
  for (const each of found) {
    const { places, end } = each;
    const last = mentions.at(-1);
    const isNew = !places.every((place) => last?.places.includes(place));
    if (last && isNew && areJoined(text, last, each)) {
      last.places.push(...places);
      last.end = end;
      last.labelled ||= each.labelled;
    } else mentions.push({ ...each, places: [...places] });
  }
  return mentions;
}

/** Options with a joining word between them, or in a list: one a line, or nothing but full stops between. */
function areJoined(text: string, first: Mention, second: Mention): boolean {
  const between = text.slice(first.end, second.start);
  if (JOINT.test(between)) return true;
  const after = text.slice(second.end, second.end + 2);
  if (between === ' ' && first.labelled && second.labelled && /^ ?[.!]?$/.test(after)) return true;
  const begins = /(?:^|[\n.] ?)$/.test(text.slice(0, first.start));
  return begins && /^[.:)]?[ \n]$/.test(between) && /^ ?(?:[.:)]|$|\n)/.test(after);
}
