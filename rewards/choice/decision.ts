/** Which options a final answer chooses. */
import { RETRACTS, RETRACTS_CLEARLY } from './cues.ts';
import { type Mention, mentionsIn } from './mentions.ts';
import { BEGINS, BOXED, type Choice, type Reading, readingsOf } from './readings.ts';
import { type Option, plainText, preparedText } from './text.ts';

/** A mention that chooses its options. */
interface Decision extends Choice {
  positions: readonly number[];
  start: number;
  end: number;
}

/**
 * The positions of all options that the final answer chooses: empty where it names or accepts none, several where it
 * does not decide between them. The last decision of the clearest kind counts: a box, then a stated answer, then
 * other words of choosing. Two decisions without a word of correction between them are two answers.
 */
export function choicesIn(text: string, options: readonly Option[]): number[] {
  const whole = plainText(text);
  const exact = options.findIndex(({ text: own }) => own !== undefined && plainText(own) === whole);
  if (exact >= 0) return [exact];
  const prepared = preparedText(text);
  const mentions = mentionsIn(prepared, options);
  const readings = readingsOf(prepared, mentions);
  const decided = mentions.flatMap((mention, index): Decision[] => {
    const reading = readings[index];
    return typeof reading === 'object' ? [{ ...mention, ...reading }] : [];
  });
  const decisions = [...decided, ...emptyBoxes(prepared, mentions)].sort((a, b) => a.start - b.start);
  if (decisions.length === 0) return [...new Set(undecided(prepared, mentions, readings))];
  const [first] = atLineStarts(prepared, mentions, readings);
  if (first) decisions.unshift({ ...first, level: BEGINS, adds: false, firm: false });
  return [...new Set(decidedOptions(prepared, decisions))];
}

/** A box that names no option is a decision for a wrong answer. */
function emptyBoxes(text: string, mentions: readonly Mention[]): Decision[] {
  return [...text.matchAll(/⟦[^⟦⟧]*⟧/g)].flatMap(({ 0: box, index }) => {
    const [start, end] = [index, index + box.length];
    const named = mentions.some((mention) => mention.start >= start && mention.end <= end);
    return named ? [] : [{ positions: [], start, end, level: BOXED, adds: false, firm: true }];
  });
}

/** The options of the decisions that no later one retracts. */
function decidedOptions(text: string, decisions: readonly Decision[]): number[] {
  let valid: Decision[] = [];
  for (const decision of decisions) {
    const before = text.slice(valid.at(-1)?.end ?? 0, decision.start);
    const highest = Math.max(0, ...valid.map(({ level }) => level));
    const correction = decision.level >= highest ? RETRACTS : RETRACTS_CLEARLY;
    if (!decision.adds && correction.test(before)) valid = [];
    valid.push(decision);
  }
  const highest = Math.max(...valid.map(({ level }) => level));
  // "B may be right too" is not an answer by itself.
  if (highest === 0) return [];
  const last = valid.findLastIndex(({ level }) => level === highest);
  const counts = ({ level, adds, firm }: Decision, index: number) =>
    level === highest || adds || valid[index + 1]?.adds || (firm && index > last);
  return valid.filter(counts).flatMap(({ positions }) => positions);
}

/** More words than this around an option's text are an argument, not an answer. */
const MOST_WORDS = 25;
const NEGATION = /\b(?:not|never|cannot|except|\w+n['’]t)\b/i;
/** After a label at the start of a text: `B. a car`, `B because`. */
const AFTER_LABEL =
  /^ ?(?:$|[)\].:,;/&+–—\n-]|(?:and|or|is|because|since|as|which|rather|instead|not)(?!\p{L}))/u;

/** Without a decision: the option whose label starts the text, or whose text occurs in a short answer. */
function undecided(text: string, mentions: readonly Mention[], readings: readonly Reading[]): number[] {
  const labels = atLineStarts(text, mentions, readings);
  if (labels.length > 0) return labels.flatMap(({ positions }) => positions);
  if (mentions.some(({ labelled }) => labelled)) return [];
  if (NEGATION.test(text) || text.split(/\s+/).length > MOST_WORDS) return [];
  return mentions.flatMap(({ positions }, index) => (readings[index] === 'mentioned' ? positions : []));
}

/** The options whose labels start lines, where the first one starts the text. */
function atLineStarts(text: string, mentions: readonly Mention[], readings: readonly Reading[]): Mention[] {
  const begins = mentions.filter(
    ({ start, end, labelled }, index) =>
      labelled &&
      readings[index] === 'mentioned' &&
      /(?:^|\n)\s{0,3}[([]?$/.test(text.slice(0, start).replace(LEAD, '')) &&
      (/[)\]]$/.test(text.slice(start, end)) || AFTER_LABEL.test(text.slice(end))),
  );
  return begins[0] === mentions[0] ? begins : [];
}
const LEAD = /(?:(?:either|both|options?|choices?|the|answer|letter)\b[\s:]{0,5}){1,8}$/i;
