/** What a text says about each option that it mentions: whether it is the answer. */
import * as cues from './cues.ts';
import type { Mention } from './mentions.ts';

/**
 * How clearly an option is chosen: with doubt, at the start of the text, by words of choosing, as the stated answer,
 * in a box.
 */
const [PERHAPS, IN_WORDS, ANNOUNCED] = [0.25, 1, 2];
export const [BEGINS, BOXED] = [0.5, 3];

export interface Choice {
  level: number;
  /** Whether it is one more answer beside earlier ones. */
  adds: boolean;
  /** Whether it is stated without additions; then it contradicts an option that was chosen more clearly before. */
  firm: boolean;
}

export type Reading = Choice | 'denied' | 'doubted' | 'questioned' | 'mentioned';

/** One more option that may be right: a second answer beside another, but not an answer by itself. */
const ONE_MORE: Choice = { level: 0, adds: true, firm: true };

export function readingsOf(text: string, mentions: readonly Mention[]): Reading[] {
  const readings: Reading[] = [];
  for (const index of mentions.keys()) {
    readings.push(readingOf(contextOf(text, mentions, index), readings[index - 1]));
  }
  return readings;
}

/** The words around a mention. */
interface Context {
  /** Whether it mentions several options. */
  several: boolean;
  /** The words before it in its sentence. */
  sentence: string;
  /** The words before it in its sentence, after the previous label. */
  sinceLabel: string;
  /** The words before it in its line and sentence, after the previous mention. */
  line: string;
  /** The words before it in its line. */
  wholeLine: string;
  /** The words after it in its clause; a dash or a bracket may introduce them. */
  clause: string;
  /** Whether its clause ends with it. */
  ends: boolean;
  /** Whether the text ends with it. */
  last: boolean;
  /** Whether only full stops are between it and the previous mention. */
  beside: boolean;
  boxed: boolean;
  /** Whether its sentence is a question. */
  inQuestion: boolean;
  /** Whether it is in a condition, or depends on one about another option. */
  supposed: boolean;
}

function readingOf(context: Context, previous: Reading | undefined): Reading {
  const { line, wholeLine, clause, ends } = context;
  if (context.inQuestion) return 'questioned';
  const announced = isCue(cues.ANNOUNCES, context.sinceLabel);
  const refutes = announced ? cues.REFUTES_AT_ONCE : cues.REFUTES;
  if (cues.DENIES.test(line) || cues.MARKED_WRONG.test(wholeLine) || refutes.test(clause)) return 'denied';
  const adds = cues.ADDS.test(clause) || cues.OR_ELSE.test(line);
  const chosen = (level: number, firm = true): Reading => ({ level, adds, firm });
  const part = line.split(/[,，]/).at(-1) ?? '';
  const mayBe = (announced ? cues.MAY_BE_AT_ONCE : cues.MAY_BE).test(clause);
  if (context.supposed || mayBe || cues.DOUBTS.test(part)) {
    const too = adds || cues.ADDS.test(part) || (ends && cues.MAYBE_TOO.test(line));
    if (announced && !context.supposed && !mayBe) return { level: PERHAPS, adds: too, firm: true };
    return too ? ONE_MORE : 'doubted';
  }
  if (context.boxed) return chosen(BOXED);
  if (announced || (ends && cues.HEADS.test(context.sentence))) return chosen(ANNOUNCED);
  if (isCue(cues.CHOOSES, line) || cues.MARKED_RIGHT.test(wholeLine)) return chosen(IN_WORDS);
  const affirmed = cues.AFFIRMS.exec(clause);
  if (affirmed) return chosen(IN_WORDS, NO_MORE.test(clause.slice(affirmed[0].length)));
  const corrects = cues.CORRECTS.test(line) || (previous === 'denied' && cues.BUT.test(line));
  if (ends && (corrects || CONCLUSIONS.some((cue) => isCue(cue, line)))) return chosen(IN_WORDS);
  const alone = cues.FILLED.test(line) && !(previous === 'mentioned' && context.beside);
  if (context.last && (alone || adds)) return chosen(context.several ? IN_WORDS : ANNOUNCED);
  return adds && ends ? ONE_MORE : 'mentioned';
}

const CONCLUSIONS = [cues.CONCLUDES, cues.IS_ALONE, cues.REMAINS, cues.CONCLUDED];
const NO_MORE = /^[\s.)\]]*$/;

/** Whether the words end in a cue that is not negated. */
function isCue(cue: RegExp, words: string): boolean {
  const found = cue.exec(words);
  return found !== null && !cues.DENIED_CUE.test(words.slice(0, found.index));
}

/** Characters of context on either side of a mention. */
const NEAR = 240;
const SENTENCE_END = /[!?;。！？；⟦⟧]|(?<!(?<!\p{L})(?:ans|no|nr))\.(?=\s|$)/giu;
const SENTENCE_OR_LINE_END = /[!?;。！？；\n⟦⟧]|\.(?=\s|$)/;
/** The end of a clause: a comma, a dash, a bracket, or a word that starts another clause. */
const CLAUSE =
  /[,，、(—–]| - |(?<!\p{L})(?:that|which|who|because|since|as|when|where|while|whereas|weil|da|porque|ya que|car|parce|perché|потому|karena|sebab)(?!\p{L})|因为|因為/iu;
/** Words at the end that deny the next option instead: `B and not A`. */
const BUT_NOT =
  /(?<!\p{L})(?:and|but|und|aber|y|pero|et|mais|e|mas|ma|и|но|dan)\s+(?:not|never|nicht|no|pas|não|non|не|bukan)\s*$|而?不是\s*$/iu;

function contextOf(text: string, mentions: readonly Mention[], index: number): Context {
  const { start = 0, end = 0, positions = [] } = mentions[index] ?? {};
  const before = text.slice(Math.max(0, start - NEAR), start);
  const sentence = before.slice(([...before.matchAll(SENTENCE_END)].at(-1)?.index ?? -1) + 1);
  const since = (position: number) => text.slice(Math.max(start - sentence.length, position), start);
  const lastEnd = mentions[index - 1]?.end ?? 0;
  const lastLabel = mentions.slice(Math.max(0, index - NEAR), index).findLast(({ labelled }) => labelled);
  const after = text.slice(end, Math.min(end + NEAR, mentions[index + 1]?.start ?? text.length));
  const said = (after.split(SENTENCE_OR_LINE_END)[0] ?? '').replace(BUT_NOT, '');
  return {
    several: positions.length > 1,
    sentence,
    sinceLabel: since(lastLabel?.end ?? 0),
    line: since(lastEnd).split('\n').at(-1) ?? '',
    wholeLine: before.split('\n').at(-1) ?? '',
    clause: said.replace(/^ ?[(–—-] ?/, ': ').split(CLAUSE)[0] ?? '',
    ends: NO_MORE.test(said.split(CLAUSE)[0] ?? ''),
    last: /^[\s.!)\]]*$/.test(text.slice(end, end + NEAR)) && text.length - end < NEAR,
    beside: /^[.:)\s]*$/.test(text.slice(Math.max(lastEnd, start - NEAR), start)),
    boxed: start > 0 && text.lastIndexOf('⟦', start - 1) > text.lastIndexOf('⟧', start - 1),
    inQuestion: /^[^.!?;。！？；\n⟧]*[?？]/.test(text.slice(end, end + NEAR)),
    supposed: isSupposed(sentence, mentions, start),
  };
}

function isSupposed(sentence: string, mentions: readonly Mention[], start: number): boolean {
  if (!cues.SUPPOSES.test(sentence)) return false;
  const begins = start - sentence.length;
  const condition = begins + (/[,，]|(?<!\p{L})then(?!\p{L})/u.exec(sentence)?.index ?? sentence.length);
  return condition >= start || mentions.some((other) => other.start >= begins && other.start < condition);
}
