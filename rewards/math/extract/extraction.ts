import { afterThinking } from '../../chain-of-thought.ts';
import { limits } from '../limits.ts';
import { boxedAnswer } from './boxes.ts';
import { DOUBT, lastCue } from './cues.ts';
import { type Candidate, formsOf, leadOf } from './lead.ts';
import { normalise } from './normalise.ts';
import { environments, type Found, isProse, joined, lastNumber } from './passages.ts';
import { hasWords, sentence, sentenceCandidates, statementIn, withoutReason } from './sentences.ts';
import { polarity } from './wording.ts';

/** An answer that was found in a text. */
export interface Extracted {
  /** possible answers, best first */
  candidates: Candidate[];
  /** further candidates, costlier to find; needed where none of the first is mathematics */
  more?: () => Candidate[];
  /** the parts of one answer, which is also right where every part is */
  parts?: string[];
  /** the candidate to use where the ground truth has several values */
  together?: string;
}

/** "The final answer is" after the last box corrects it. */
const FINAL = /final answer(?: is)?:?(?=\s)/gi;

const FINAL_ANSWER =
  /final answer|最终答案|最終的?な?答え?案?|최종 ?(?:정답|답)|endgültige antwort|(?:respuesta|réponse|resposta) finale?|jawaban akhir(?:nya)?|окончательный ответ/giu;
const ANSWER_IS =
  /(?:answer|result)\s*(?:is|:|=)|(?:antwort|ergebnis|lösung)\s*(?:ist|lautet|:)|(?:respuesta|resultado|solución)\s*(?:es|:)|(?:réponse|résultat)\s*(?:est|:)|(?:resposta|resultado)\s*(?:é|:)|(?:jawaban|hasil)(?:nya)?\s*(?:adalah|ialah|:)|(?:ответ|результат)\s*(?:равен|[:—–-])/giu;
/** Markers of an answer, most certain first; the last occurrence counts. */
const MARKERS = [
  FINAL_ANSWER,
  ANSWER_IS,
  /answer/gi,
  /回答|(?:答案|答え|解答|正解|정답|답)\s*[是为為：:は은는]?/gu,
];

/** The sentence after an announced answer corrects it: "Wait, no, 13." */
const RETRACTION =
  /^[\s.。!?…*]{0,9}(?:(?:wait|no|nope|actually|sorry|hmm+|oops|correction|scratch that|i mean)[\s,.:!—–-]{1,4}){1,4}(?:it|that|the answer)?(?:['’]s| is| should be)?\s{0,2}(?:[$*(]{0,3})([-−]?\d[\d.,/]{0,40}|[-−]?\\frac\{\d{1,9}\}\{\d{1,9}\})[$*)]{0,3}\s*(?:[.!]|\n|$)/i;

/** The words between a value and "answer": "12 is the answer". */
const NAMED = /(?<=[\d$})%\]])\*{0,2}\s+is\s+(?:the|our|my)\s+(?:(?:final|correct|right)\s+)?$/i;

function marked(text: string, marker: RegExp): Extracted | null {
  const match = [...text.matchAll(marker)].at(-1);
  if (!match) return null;
  const start = match.index + match[0].length;
  const said = sentence(text, start);
  const after = text.slice(start + said.length, start + said.length + 120);
  const [, corrected] = RETRACTION.exec(after) ?? [];
  if (corrected !== undefined) return { candidates: [[corrected]] };
  const named = NAMED.test(text.slice(Math.max(0, match.index - 40), match.index));
  const before = named ? rightmostIn(text.slice(Math.max(0, match.index - 200), match.index)) : null;
  if (before !== null) return { candidates: [[before.content]] };
  const candidates = sentenceCandidates(said);
  const word = polarity(candidates[0]?.[0] ?? '');
  const next = word === null ? null : polarity(after.replace(/^[\s.。!]+/, ''));
  if (next !== word && next !== null) return { candidates: [] };
  return candidates.some(([candidate = '']) => /[\w\\\p{N}]/u.test(candidate)) ? { candidates } : null;
}

interface Rightmost extends Found {
  /** a number outside of any delimiters of mathematics */
  plain: boolean;
}

/** The rightmost mathematics or number of a text. */
function rightmostIn(text: string): Rightmost | null {
  const inside = environments(text);
  const environment = joined(text, inside, inside.length - 1);
  const number = lastNumber(
    text,
    ({ start, end }) => !inside.some((each) => each.start < end && start < each.end),
  );
  if (environment && (!number || environment.end > number.start)) return { ...environment, plain: false };
  return number ? { ...number, plain: true } : null;
}

const BEFORE_APPROXIMATION = /[^\s,;:]{1,40}\s*(?:≈|≃|~=)\s*$/;
/** "x = 1 and x = 2" */
const LIST =
  /^(?:[a-zA-Z] ?= ?)?[-−]?\d[\d./]{0,30}(?:(?:, ?(?:and |or )?| and | or )(?:[a-zA-Z] ?= ?)?[-−]?\d[\d./]{0,30}){1,20}$/;
/** Characters before a value in which a word of doubt makes it a second guess. */
const NEAR = 25;

/** The rightmost mathematics or number of a text without a marker; reasons and conditions are left out. */
function rightmost(text: string): Extracted | null {
  const tail = text.slice(-8_000);
  const last = rightmostIn(tail);
  if (last === null) return null;
  const before = tail.slice(Math.max(0, last.start - 600), last.start);
  const start = last.start - before.length + (/^[\s\S]*(?:[.!?]\s|[。！？\n])/.exec(before)?.[0].length ?? 0);
  const kept = withoutReason(tail.slice(start, last.end));
  const beforeReason = start + kept.length < last.end ? rightmostIn(kept) : null;
  if (beforeReason !== null) return { candidates: [[beforeReason.content]] };
  if (!last.plain) return { candidates: [[last.content]] };
  const led = tail.slice(start, last.start);
  const other = lastCue(led.slice(-NEAR), DOUBT) < 0 ? undefined : lastNumber(led);
  if (other !== undefined) return { candidates: [[last.content, other.content]] };
  const approximated = BEFORE_APPROXIMATION.exec(led);
  if (approximated !== null) return { candidates: [formsOf(approximated[0] + last.content)] };
  const { statement, valued } = statementIn(kept);
  return { candidates: valued && LIST.test(statement) ? [[statement], [last.content]] : [[last.content]] };
}

function answerBlock(text: string): string | null {
  const open = text.lastIndexOf('<answer>');
  if (open < 0) return null;
  const end = text.indexOf('</answer>', open);
  return text.slice(open + '<answer>'.length, end < 0 ? undefined : end).trim() || null;
}

const MARK = /(?<!#)####(?!#)[ \t]*([^\n]{1,1500})/g;
/** Number of marks that are read, from the end. */
const MARKS = 50;
const END_TOKENS = /(?:<\|[^|<>]{1,40}\|>|<\/s>|<eos>)/g;

/** GSM8K's mark `####`, unless it starts a heading, or a later sentence announces an answer. */
function hashed(text: string): Extracted | null {
  if (!text.includes('####')) return null;
  const marks = [...text.matchAll(MARK)].map(({ index, 0: line, 1: content = '' }) => ({
    content: content.replace(END_TOKENS, '').trim(),
    end: index + line.length,
  }));
  const end = marks.at(-1)?.end ?? 0;
  const ends = text.slice(end).replace(END_TOKENS, '').trim() === '';
  // "#### 2. Multiply" is a heading.
  const answers = marks.filter(({ content }, i) => !content.startsWith(`${i + 1}. `));
  for (const mark of answers.slice(-MARKS).reverse()) {
    const said = sentence(mark.content, 0);
    const announced = /answer\s*(?:is|:|=)/i.exec(said);
    const last = ends && mark.end === end;
    if (!last && announced === null && !startsWithValue(said)) continue;
    const later = last ? null : announcedAfter(text, mark.end);
    if (later !== null) return later;
    const candidates = sentenceCandidates(
      announced ? said.slice(announced.index + announced[0].length) : said,
    );
    if (candidates.length > 0) return { candidates };
  }
  return null;
}

/** A value that a sentence announces after `from`. */
function announcedAfter(text: string, from: number): Extracted | null {
  const rest = text.slice(from);
  const found = marked(rest, FINAL_ANSWER) ?? marked(rest, ANSWER_IS);
  return found?.candidates.some(([candidate = '']) => /\d/.test(candidate)) ? found : null;
}

const startsWithValue = (text: string) => {
  const said = text.replace(/^\**/, '');
  return leadOf(said).kind === 'value' || (/^[$\\(]/.test(said) && !isProse(normalise(said)));
};

/** Words before an answer that the grammar would read as products of letters. */
const LEAD_IN =
  /^(?:(?:so|thus|hence|then|therefore|and|ok|okay|well|now|yes|is|(?:it|that|this|which) (?:is|equals|gives)|it['’]s|that['’]s|(?:i|we) (?:get|have|find)|(?:i|we) think)(?:\s*[,:]\s*|\s+))+(?=\S)/i;

function fromBox(text: string, truth: boolean): { found: Extracted; end: number } | null {
  const box = boxedAnswer(text, { truth });
  if (box === null) return null;
  const { contents, forms, linked, end } = box;
  const percent = /^\s*(?:\$\s*)?(?:\\?%|percent|pct)/.test(text.slice(end, end + 20)) ? '%' : '';
  if (contents.length === 0) return { end, found: { candidates: [] } };
  const content = contents.join(' ; ') + percent;
  const candidates: Candidate[] = [forms ?? [content]];
  if (!truth && hasWords(content)) {
    // A sentence in a box.
    const lead = leadOf(statementIn(content.slice(0, 400)).statement);
    if (lead.kind === 'value') candidates.unshift(lead.forms);
  }
  return {
    end,
    found: {
      candidates,
      ...(contents.length > 1 ? { parts: contents } : {}),
      ...(linked === null ? {} : { together: linked.join(' ; ') }),
    },
  };
}

/** All candidates, best first. */
const allCandidates = ({ candidates, more }: Extracted): Candidate[] => [...candidates, ...(more?.() ?? [])];

function fromText(text: string, truth: boolean): Extracted | null {
  const box = fromBox(text, truth);
  const final = [...text.matchAll(FINAL)].at(-1);
  if (box && (!final || final.index < box.end)) return box.found;
  if (box && final) return marked(text, FINAL) ?? box.found;
  const found = hashed(text);
  if (found) return found;
  const short = text.trim().replace(LEAD_IN, '');
  const worded = hasWords(short.slice(0, 400)) || /^\W*(?:final\s+)?answer/i.test(short);
  if (
    short !== '' &&
    short.length <= 400 &&
    !worded &&
    !isProse(normalise(short)) &&
    !/\n\s*\n/.test(short)
  ) {
    return { candidates: [formsOf(short)], more: () => rightmost(short)?.candidates ?? [] };
  }
  for (const marker of MARKERS) {
    const answer = marked(text, marker);
    if (answer) return answer;
  }
  const last = rightmost(text);
  const words = [...new Set([text.trim(), short])]
    .filter((each) => each !== '' && each.length <= 200 && isProse(normalise(each)))
    .map((each) => [each]);
  if (last) return { candidates: [...words, ...last.candidates] };
  const few = short.length <= 60 && short.split(/\s+/).length <= 4;
  const lead = few ? leadOf(short) : null;
  const candidates = lead?.kind === 'value' ? [...words, lead.forms] : words;
  return candidates.length > 0 ? { candidates } : null;
}

/**
 * Finds a response's answer in the text after `</think>`, or in its last `<answer>`: the last \boxed (several boxes
 * side by side are one answer), "#### x", the text itself where it is short, "the answer is x", or the last
 * mathematics. Null where there is nothing like an answer.
 */
export function extractAnswer(response: string): Extracted | null {
  const text = afterThinking(response, { begun: false })?.slice(-limits.searchedCharacters);
  if (text === undefined) return null;
  const block = answerBlock(text);
  if (block === null) return fromText(text, false);
  const found = fromText(block, false);
  if (found === null || block.length > 400) return found;
  return { ...found, more: () => [...(found.more?.() ?? []), [block]] };
}

/** The possible readings of a ground truth: an answer alone, or a solution that ends in one. */
export function extractTruth(truth: string): { readings: string[] } | null {
  const text = truth.trim();
  if (text === '') return null;
  if (/\\f?box|####/.test(text)) return firstForms(fromText(text, true));
  const prose = isProse(normalise(text));
  if (!prose || (text.length <= 400 && !/\d|\$|\\[([]/.test(text))) return { readings: [text] };
  return firstForms(fromText(text, true)) ?? { readings: [text] };
}

const firstForms = (found: Extracted | null) =>
  found && { readings: allCandidates(found).flatMap(([form]) => form ?? []) };
