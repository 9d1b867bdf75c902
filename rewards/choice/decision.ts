/** Which options a final answer settles on. */
import { RETRACTS, TAKES_BACK } from './cues.ts';
import { type Mention, mentionsIn } from './mentions.ts';
import { BEGINS, BOXED, type Choice, type Reading, readingsOf } from './readings.ts';
import { type Option, plainText, preparedText } from './text.ts';

/** A mention that chooses its options. */
interface Decision extends Choice {
  places: readonly number[];
  start: number;
  end: number;
}

/**
 * The places of all options that the final answer settles on: none where it names none or denies it, several
 * where it wavers. The last clear decision counts: a box before what the answer is said to be, and that before
 * other words of choosing. Two that no word of correction parts are two answers.
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
  if (decisions.length === 0) return [...new Set(unannounced(prepared, mentions, readings))];
  const [first] = leading(prepared, mentions, readings);
  if (first) decisions.unshift({ ...first, level: BEGINS, adds: false, firm: false });
  return [...new Set(settled(prepared, decisions))];
}

/** A box that names no option is an answer too, a wrong one. */
function emptyBoxes(text: string, mentions: readonly Mention[]): Decision[] {
  return [...text.matchAll(/⟦[^⟦⟧]*⟧/g)].flatMap(({ 0: box, index }) => {
    const [start, end] = [index, index + box.length];
    const named = mentions.some((mention) => mention.start >= start && mention.end <= end);
    return named ? [] : [{ places: [], start, end, level: BOXED, adds: false, firm: true }];
  });
}

function settled(text: string, decisions: readonly Decision[]): number[] {
  let standing: Decision[] = [];
  for (const decision of decisions) {
    const before = text.slice(standing.at(-1)?.end ?? 0, decision.start);
    const highest = Math.max(0, ...standing.map(({ level }) => level));
    const correction = decision.level >= highest ? RETRACTS : TAKES_BACK;
    if (!decision.adds && correction.test(before)) standing = [];
    standing.push(decision);
  }
  const highest = Math.max(...standing.map(({ level }) => level));
  // Another that may be right is no answer by itself.
  if (highest === 0) return [];
  const last = standing.findLastIndex(({ level }) => level === highest);
  const counts = ({ level, adds, firm }: Decision, place: number) =>
    level === highest || adds || standing[place + 1]?.adds || (firm && place > last);
  return standing.filter(counts).flatMap(({ places }) => places);
}

/** More words than this around an option's text are an argument, not an answer. */
const MOST_WORDS = 25;
const NEGATION = /\b(?:not|never|cannot|except|\w+n['’]t)\b/i;
/** After a label at a text's beginning: `B. a car`, `B because`. */
const AFTER_LABEL =
  /^ ?(?:$|[)\].:,;/&+–—\n-]|(?:and|or|is|because|since|as|which|rather|instead|not)(?!\p{L}))/u;

/** Where nothing says what the answer is: the option that the text begins with, or whose text a short answer has. */
function unannounced(text: string, mentions: readonly Mention[], readings: readonly Reading[]): number[] {
  const labels = leading(text, mentions, readings);
  if (labels.length > 0) return labels.flatMap(({ places }) => places);
  if (mentions.some(({ labelled }) => labelled)) return [];
  if (NEGATION.test(text) || text.split(/\s+/).length > MOST_WORDS) return [];
  return mentions.flatMap(({ places }, index) => (readings[index] === 'mentioned' ? places : []));
}

/** The options whose labels begin lines, where one begins the text. */
function leading(text: string, mentions: readonly Mention[], readings: readonly Reading[]): Mention[] {
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
