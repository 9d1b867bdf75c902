/** The answer that a sentence states. */
import { withNounAtEnd } from './bracketed-noun.ts';
import { ASIDE, CONCLUSION, CORRECTION, DENIED_OR_BOUND, REASON } from './cues.ts';
import { type Candidate, formsOf, leadOf, PIECEWISE, valueAfter } from './lead.ts';
import { normalise } from './normalise.ts';
import { numberInWords } from './number-words.ts';
import { ENVIRONMENTS, environments, isProse, joined, lastNumber } from './passages.ts';
import { polarity } from './wording.ts';

/** Abbreviations, whose full stop does not end a sentence. */
const ABBREVIATED = /(?:^|[\s(,])(?:i\. ?e|e\. ?g|d\. ?h|z\. ?B|p\. ?ej|approx|ca|cf|resp|vs)$/i;

/** The rest of the sentence that starts at `from`; a full stop inside mathematics does not end it. */
export function sentence(text: string, from: number): string {
  const window = text.slice(from, from + 1_500);
  const inside = environments(window);
  for (const match of window.matchAll(
    /[.。](?=\s|$|\*)|。|(?<![\d)}a-z])!(?=\s+\p{Lu})|[?！？](?=\s+\p{Lu})|\n|<\|/gu,
  )) {
    const before = window.slice(0, match.index);
    const blank = before.replace(/[\s*:：_#]/g, '') === '';
    const within = inside.some(({ start, end }) => start < match.index && match.index < end);
    if (!blank && !within && !ABBREVIATED.test(before.slice(-12))) return before;
  }
  return window;
}

/** Connects a subject with its value: "the answer to the question is 5". */
const CONNECTOR =
  /(?<![\p{L}\\])(?:is|are|be|was|were|equals|es|son|sind|ist|lautet|est|sont|é|são|adalah|ialah|равен|равна|равно)(?![\p{L}]):?\s+(?!not\b)|[是为為は은는](?=[\s$\\\d-])/giu;
/** A value in digits or symbols; `leadOf` reads values in words. */
const VALUE =
  /^[\s*_"'$([{]*(?:(?:[-−+±]\s*)?[$€£]?[\d.√π\\]|[a-zA-Z]{1,4}(?:_\{?\w{1,9}\}?)?'*\s*[=^(:<>≤≥]|(?:about|approximately|exactly|only|either)\s+[-$\\\d])/i;

/** Words that do not occur in formulas. */
const FUNCTION_WORD =
  /(?<![\p{L}\\])(?:of|am|pm|each|every|if|when|because|since|for|as|at|by|from|with|to|on|than|not|only|the|is|are|has|have|left|total|all|in(?=\s+\p{L}{2})|an?(?=\s+\p{L}{2}))(?!\p{L})|\(\s*\p{L}{3,}/iu;

/** "25% (1/4)" */
const SAID_TWICE = /[\d%]\s+\(\s*[-−$]?[\d.,/%]{1,40}\s*\)/;

/** Whether a text contains words that the grammar would misread as products of letters. */
export function hasWords(text: string): boolean {
  const said = withNounAtEnd(text, () => '');
  return (
    !said.includes('\\') &&
    /\S\s+\S/.test(said) &&
    (FUNCTION_WORD.test(said) || SAID_TWICE.test(said) || numberInWords(said) !== null)
  );
}

/** The index of the sentence's first value: at its start, or after a connector; Infinity without one. */
function firstValue(text: string): number {
  const connectors = [...text.matchAll(CONNECTOR)].slice(0, 20);
  const starts = [0, ...connectors.map(({ index, 0: { length } }) => index + length)];
  return starts.find((start) => startsWithValue(text.slice(start, start + 200))) ?? Number.POSITIVE_INFINITY;
}

const startsWithValue = (text: string) =>
  VALUE.test(text) || polarity(text) !== null || leadOf(text).kind === 'value';

/**
 * Cuts off the reason, condition or remark that follows a sentence's value. A correction or conclusion after them
 * stays.
 */
function withoutAside(text: string): string {
  const first = firstValue(text);
  const later = Math.max(valueAfter(text, CORRECTION), valueAfter(text, CONCLUSION));
  for (const { index, 0: cue } of text.matchAll(ASIDE)) {
    const apart =
      index === 0 || /[\s,;:(–—]/.test(text[index - 1] ?? '') || /[^\p{ASCII}]/u.test(cue[0] ?? '');
    if (index <= first || index < later || !apart) continue;
    if (/^\s*(?:is|equals|gives|makes|simplif\w+ to)\s+[-$\\(]*[\d\\]/.test(text.slice(index + cue.length)))
      continue;
    return PIECEWISE.test(text.slice(index))
      ? text
      : text
          .slice(0, index)
          .replace(/\s\(\s*(?:\p{L}{1,12}\s*)?$/u, '')
          .replace(/(?<![\s,;:(–—-])[\s,;:(–—-]+$/, '');
  }
  return text;
}

/** For a sentence that does not announce an answer: cuts off only reasons, and conditions after a stated value. */
export function withoutReason(text: string): string {
  const later = valueAfter(text, CONCLUSION);
  for (const { index } of text.matchAll(REASON)) {
    if (index > later && /\d/.test(text.slice(0, index))) return text.slice(0, index);
  }
  for (const { index } of text.matchAll(CONDITION)) {
    if (index > later && statementIn(text.slice(0, index)).valued) return text.slice(0, index);
  }
  return text;
}

/** A condition under which a value holds: "12 when x = 3". */
const CONDITION = /(?<=\s|\$)(?:when|if|where|provided|assuming|for(?= \$?[a-z] ?=))(?!\p{L})/giu;

/** A remark after an answer in words. */
const REMARK = /(?:,|(?<!\s))\s+(?:not|rather|instead|because|since|which|so|when|but|if)\b[\s\S]*$/;

/**
 * `statement`: the text after the connector; `connected`: whether there is one; `valued`: whether a value follows
 * it.
 */
export function statementIn(text: string): { statement: string; connected: boolean; valued: boolean } {
  const inside = environments(text);
  const ends = [...text.slice(0, 400).matchAll(CONNECTOR)]
    .filter(({ index }) => !inside.some(({ start, end }) => start < index && index < end))
    .map(({ index, 0: { length } }) => index + length);
  const value = [0, ...ends].findLast((each) => startsWithValue(text.slice(each, each + 200)));
  const end = value ?? ends.at(-1) ?? 0;
  return { statement: text.slice(end), connected: end > 0, valued: end > 0 && value !== undefined };
}

/**
 * The first mathematics that is not denied, with the mathematics joined to it; `wholly`: nothing else is in the
 * text.
 */
function environmentIn(text: string): { content: string; wholly: boolean } | null {
  const inside = environments(text);
  const index = inside.findIndex(
    ({ start }) => !DENIED_OR_BOUND.test(text.slice(Math.max(0, start - 30), start)),
  );
  const found = joined(text, inside, index);
  if (found === null) return null;
  const around = text.replace(ENVIRONMENTS, '').replace(/[\s.,"*]|and|or|[Tt]he/g, '');
  return { content: found.content, wholly: around === '' };
}

/** The answers that a sentence such as "… answer is x = 5 cm" may state, best first. */
export function sentenceCandidates(text: string): Candidate[] {
  const cleaned = text
    .replace(/(?<![\w)])\*\*([^*\n]{1,200})\*\*/g, '$1')
    .replace(/^[\s:：*"'=]+/, '')
    .replace(/(?<!["'*\s])["'*\s]+$/, '');
  if (PIECEWISE.test(cleaned)) return [[cleaned]];
  const { statement: whole, connected } = statementIn(withoutAside(cleaned));
  const said = firstValue(whole) === Number.POSITIVE_INFINITY ? whole.replace(REMARK, '') : whole;
  const environment = environmentIn(said);
  if (environment?.wholly) return [[environment.content]];
  const prose = isProse(normalise(said));
  const candidates: (Candidate | undefined)[] = prose || !hasWords(said) ? [formsOf(said)] : [];
  const number = (where: string) => {
    const found = lastNumber(where);
    return found && [found.content];
  };
  if (environment !== null) candidates.push([environment.content]);
  else {
    const lead = leadOf(said);
    if (lead.kind === 'value') candidates.push(lead.forms);
    if (lead.kind === 'prose') candidates.push(number(said), connected ? undefined : number(cleaned));
  }
  return candidates.filter((each) => each !== undefined && each[0] !== '') as Candidate[];
}
