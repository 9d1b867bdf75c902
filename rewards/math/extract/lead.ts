/** The value at the start of a statement, and how the words after it change it. */
import { isNoun } from './bracketed-noun.ts';
import { CORRECTION, DOUBT, hasCue, SAME } from './cues.ts';
import { numberInWords } from './number-words.ts';

/** A candidate for the answer: one value, written in one form or in several that have to agree. */
export type Candidate = readonly string[];

/**
 * How a statement starts. `value`: with a value. `none`: with a value that does not count (a second guess, or a
 * computation without its result). `prose`: with words.
 */
export type Lead = { kind: 'value'; forms: Candidate } | { kind: 'none' } | { kind: 'prose' };

const NONE: Lead = { kind: 'none' };
const PROSE: Lead = { kind: 'prose' };

/** Words before a value that do not change it. */
const BEFORE =
  /^(?:(?:just|only|exactly|precisely|simply|about|approximately|roughly|around|equal to|therefore|thus|now|then|clearly|indeed|a total of|given by|the (?:number|value|fraction|integer)|etwa|genau|aproximadamente|environ|примерно|約|约)\b\s*:?\s*|[:=≈]\s*)+/i;
const MINUS = /^(?:minus|negative)\s+(?=[\d$.\\]|\p{L})/iu;
/** After "one": it is a pronoun, not a number ("one of them", "one that …"). */
const PRONOUN = /^\s+(?:of|that|which|who|whose|where|can|could|has|is|with|way|option|more|less|thing)\b/i;

/** A piece of mathematics. A word of two or more letters that is not a function's name ends the mathematics. */
const PIECE =
  /\$(?:\\.|[^\n$\\]){1,1000}\$|\\\([^\n]{1,1000}?\\\)|\\(?:text\w*|mathrm|mathbf|mbox)\s*\{[^{}\n]{0,200}\}|\\(?:[a-zA-Z]+|.)|(?:arc)?(?:sin|cos|tan|cot|sec|csc)h?(?![a-z])|(?:sqrt|cbrt|log|ln|lg|exp|pi|infinity|gcd|lcm|max|min|floor|ceil|abs|cup|and|or)(?![a-z])|[A-Z]{2,4}(?=\s*[=:/(])|[a-zA-Zα-ωΑ-Ω](?![\p{L}])|[\d\s.,;:'!%°+*/^=<>≤≥≠≈≃(){}[\]|_~√∞±×·⋅÷²³½¼¾−$€£¥∪∩∈-]/uy;
/** "12 a day": an article. */
const ARTICLE = /^an?\s+\p{L}{2}/iu;
const ABBREVIATION = /^(?:i\. ?e|e\. ?g|d\. ?h|z\. ?B)\./i;
const JOIN_WORD = /^(?:and|or)\b/i;
const VALUE_START = /^\s*(?:[($[{|*"]+\s*)?(?:(?:[-−+±]\s*)?[$€£]?[\d.√π\\∞]|[a-zA-Z]\s*[=^(])/;
const JOINT_WORDS = /^\s*(?:und|y|e|et|dan|и|和|与|以及|と|oder|o|ou|atau|или|或)\s*(?=[-−$(\\]*\d)/iu;
/** A bracket after a value. */
const BRACKET = /^\s*\(([^()\n]{1,200})\)/;

/** The mathematics at the start of a text. */
function mathematicsAt(text: string): string {
  let i = 0;
  while (i < text.length) {
    const rest = text.slice(i, i + 1_100);
    if (i > 0 && /\s/.test(text[i - 1] ?? '')) {
      if (ARTICLE.test(rest) || ABBREVIATION.test(rest)) break;
      if (JOIN_WORD.test(rest) && !VALUE_START.test(rest.replace(JOIN_WORD, ''))) break;
      const [, inside] = BRACKET.exec(rest) ?? [];
      if (inside !== undefined && /[\dα-ω)}%]\s*$/u.test(text.slice(0, i)) && isAside(inside)) break;
    }
    // "17: 9 girls and 8 boys"
    if (/^:\s/.test(rest) && /\S/.test(text[i - 1] ?? ' ')) break;
    const joint = i > 0 ? JOINT_WORDS.exec(rest)?.[0] : undefined;
    PIECE.lastIndex = i;
    const piece = joint ?? PIECE.exec(text)?.[0];
    if (piece === undefined || /^\\text\w*\s*\{[^{}]*\p{L}{2}/u.test(piece)) break;
    i += piece.length;
  }
  return text.slice(0, i);
}

/** Whether the inside of a bracket is words, or one number by itself. */
const isAside = (inside: string) =>
  /\p{L}{2}/u.test(inside.replace(/\\[a-zA-Z]+|sqrt|pi\b/g, '')) || /^(?:\s*[-−$])?[\d.,/%\s]+$/.test(inside);

/** Words that turn the number before them into another value. */
const COMPUTED =
  /^[\s-]*(?:(?:times|plus|minus|divided by|multiplied by|over|mod|modulo|choose|of|by|per)\s+[-−$(\\]*\d|(?:(?:more|less|fewer|greater|larger|smaller) than|(?:raised )?to the|squared|cubed|factorial|halves|thirds|quarters|(?:four|fif|six|seven|eigh|nin|ten|hundred|thousand)ths|hundred|dozen|per ?cent|tausend|millionen|milliarden?|mil|millones|milhões|тысяч|миллион(?:ов|а)?|juta|ribu|miliar)(?!\p{L})|[百千万萬億亿백천만억])/iu;
const SCALE = /^\s*(?:thousand|million|billion|trillion|percent|pct|degrees?)\b/i;
const OUT_OF = /^\s*out of(?: the| every| a total of)?\s+(\d{1,15})\b/i;
/** A further value that holds under another condition. */
export const PIECEWISE =
  /(?:(?<!\p{L})(?:and|or|but)|[,;])\s+(?:it is\s+)?[$(\\-]*\d[^.]{0,40}?(?<!\p{L})(?:if|when|otherwise)(?!\p{L})|(?<!\p{L})(?:otherwise|or else)(?!\p{L})/iu;
/** What leads to the result of a computation. */
const RESULT = /(?:=|\b(?:equals|makes|making|gives|giving|is|totals?|for a total of)\b)\s*(?=[-−$(\\]*\d)/gi;

/** A value follows within a few words. */
const SOON = /^[^\d\\$.!?]{0,25}[$(\\]*[-−]?\d/;

/** The index after the last cue that a value soon follows; −1 without one. */
export function valueAfter(text: string, cue: RegExp): number {
  const found = [...text.matchAll(cue)].findLast(({ index, 0: { length } }) =>
    SOON.test(text.slice(index + length)),
  );
  return found === undefined ? -1 : found.index + found[0].length;
}

/** Reads the start of a statement. `text` is at most a sentence long. */
export function leadOf(text: string, depth = 0): Lead {
  const corrected = depth < 3 ? valueAfter(text, CORRECTION) : -1;
  if (corrected >= 0 && /\d/.test(text.slice(0, corrected))) {
    const lead = leadOf(text.slice(corrected).replace(/^[^\d\\$(-]{0,25}/, ''), depth + 1);
    return lead.kind === 'value' ? lead : NONE;
  }
  const said = text.replace(BEFORE, '').replace(MINUS, '-');
  const sign = said.startsWith('-') ? '-' : '';
  const words = numberInWords(said.slice(sign.length));
  if (words !== null && words.digits === '1' && PRONOUN.test(said.slice(sign.length + words.length)))
    return PROSE;
  const digits = words === null ? said : sign + words.digits + said.slice(sign.length + words.length);
  const whole = mathematicsAt(digits);
  const scale = SCALE.exec(digits.slice(whole.trimEnd().length))?.[0] ?? '';
  const run = withoutEnd(whole) + scale;
  if (!/[\d\\√π∞½¼¾]/.test(run)) return PROSE;
  const rest = digits.slice(whole.trimEnd().length + scale.length);
  const part = /^\d{1,15}$/.test(run) ? AND_PART.exec(rest)?.[0] : undefined;
  const fraction = part === undefined ? null : numberInWords(rest.slice(part.length));
  if (part === undefined || fraction === null) return afterRun(run, rest, depth);
  return afterRun(`${run} ${fraction.digits}`, rest.slice(part.length + fraction.length), depth);
}

/** "3 and a half" */
const AND_PART = /^\s+and\s+(?=(?:an?|one|two|three|four)[\s-](?:hal|third|quarter|fourth|fifth))/i;

/** Mathematics without the punctuation and the joining word at its end. */
function withoutEnd(run: string): string {
  const rest = run.replace(/(?<![\s,;:.(–—*"'-]|\s\/)(?:[\s,;:.(–—*"'-]|\s\/)+$/, '');
  return rest.replace(/(?<!\s)\s+(?:and|or|a)$/i, '').replace(/(?<![\s,;:])[\s,;:]+$/, '');
}

/** The value `run`, as the words `rest` after it change it. */
function afterRun(run: string, rest: string, depth: number): Lead {
  if (/[=≈<>+*/^]$/.test(run)) return NONE;
  const [, total] = OUT_OF.exec(rest) ?? [];
  if (total !== undefined)
    return /^\d{1,15}$/.test(run) ? { kind: 'value', forms: [`${run}/${total}`] } : NONE;
  if (COMPUTED.test(rest)) {
    const result = [...rest.matchAll(RESULT)].at(-1);
    return result === undefined || depth > 2
      ? NONE
      : leadOf(rest.slice(result.index + result[0].length), depth + 1);
  }
  if (PIECEWISE.test(rest)) return NONE;
  const [bracket = '', inside = ''] = BRACKET.exec(rest) ?? [];
  const forms = formsOf(isNoun(inside) ? `${run}${bracket}` : run);
  const doubt = valueAfter(rest, DOUBT);
  if (doubt >= 0) {
    // A second guess: one value in two forms where they agree, else none.
    const other = depth > 2 ? NONE : leadOf(rest.slice(doubt), depth + 1);
    return other.kind === 'value' ? { kind: 'value', forms: [...forms, ...other.forms] } : NONE;
  }
  if (bracket !== '' && !hasCue(inside.slice(0, 12), DOUBT)) {
    const other = leadOf(inside, 3);
    const alone = other.kind === 'value' && !/\p{L}{3}/u.test(inside.replace(/\\[a-z]+/g, ''));
    const spelt = numberInWords(inside.trim());
    if (spelt !== null && spelt.length === inside.trim().length) forms.push(spelt.digits);
    else if (alone) forms.push(...other.forms);
  }
  const same = valueAfter(rest.slice(bracket.length), SAME);
  if (same >= 0 && depth < 2) {
    const other = leadOf(rest.slice(bracket.length + same), depth + 1);
    if (other.kind === 'value') forms.push(...other.forms);
  }
  return { kind: 'value', forms };
}

/**
 * The two forms of 5/9 ≈ 0.556 or x = 5/9 ≈ 0.556; the rounded form keeps its ≈. Any other value is its only form.
 */
export function formsOf(value: string): string[] {
  const sides = value.split(/≈|≃|\\approx(?![a-zA-Z])|\\simeq(?![a-zA-Z])|~=/);
  const [exact = '', rounded = ''] = sides.map((side) => (side.split('=').at(-1) ?? '').trim());
  const written = [exact, rounded].every((side) => /[\d√π\\]/.test(side));
  return sides.length === 2 && written && !value.includes('$') ? [exact, `≈ ${rounded}`] : [value];
}
