/** Words in and around a value: lead-ins, qualifiers, yes and no, and the letters of options. */
import { DOUBT, hasCue } from './cues.ts';
import { numberInWords } from './number-words.ts';

const TEXT = /\\(?:text(?:bf|it|rm|normal)?|mathrm|mathbf|mbox)\s*\{([^{}]{0,400})\}/g;
/** A short source with its text commands replaced by their words. */
export const plainWords = (source: string) => source.slice(0, 400).replace(TEXT, '$1');

const LEAD_WORDS =
  /^\s*(?:[\p{L}’']+,?[\s~]+){0,8}(?:(?:is|are|equals|equal to)(?:[\s~]*:)?[\s~]+(?!not\b|no\b|at\b|less\b|more\b|greater\b|never\b|neither\b|either\b|between\b|about\b)|[\p{L}’']+[\s~]*[:：][\s~]*)(?=\S)/u;
const PLAIN_NUMBER = /^[\s$]*[-−]?[\d$\\]/;

/** "for any constant c", "where a and b are real": words that declare a letter without changing the value. */
const QUALIFIER =
  /(?<![\s,;(])[\s,;(]*\\text\s*\{[\s,(]*((?:for|where|with)\s[^{}]{0,80})\}((?:\s|\\[,; ]|[a-zA-Z,()]|\\in|\\mathbb\s*\{?[RZCNQ]\}?|\\text\s*\{[^{}]{0,80}\}){0,40})\s*$/;
const QUALIFYING =
  /^(?:for|where|with|any|all|every|each|some|an?|arbitrary|real|complex|rational|integers?|whole|natural|constants?|numbers?|values?|of|is|are|and|[a-z]|\\in|\\mathbb|[{}RZCNQ(),.])$/i;
const KINDS = /integer|whole|natural|rational|complex|real|(?<=\\mathbb\s{0,3}\{?)[RZCNQ]/g;

export interface Qualified {
  value: string;
  /** the kind of numbers that the letters are declared to be; empty: any kind */
  kind: string;
}

/** ", c \in \mathbb{R}" */
const MEMBERSHIP =
  /(?:[,;]|\\q?quad|\()(?:\s|\\q?quad|\\[,; ]){0,20}(?:\(\s*)?[a-zA-Z]\s*\\in\s*\\mathbb\s*(?:\{([RZCNQ])\}|([RZCNQ]))(?:\s*\))?\s*$/;
const SETS: Record<string, string> = { R: 'real', Z: 'integer', C: 'complex', N: 'natural', Q: 'rational' };

/** A value without its qualifier; null without a qualifier, or where it restricts the value. */
export function withoutQualifier(source: string): Qualified | null {
  const member = source.includes('\\mathbb') ? MEMBERSHIP.exec(source.slice(0, 1_000)) : null;
  const set = SETS[member?.[1] ?? member?.[2] ?? ''];
  if (member && member.index > 0 && set !== undefined)
    return { value: source.slice(0, member.index).replace(/(?<![\s,;(])[\s,;(]+$/, ''), kind: set };
  if (!source.includes('\\text')) return null;
  const match = QUALIFIER.exec(source.slice(0, 1_000));
  if (match === null || match.index === 0) return null;
  const words = `${match[1]} ${match[2]}`.replace(TEXT, ' $1 ').replace(/\\[,; ]/g, ' ');
  const parts = words.match(/\\?[a-zA-Z]+|[^\s\w]/g) ?? [];
  if (!parts.every((part) => QUALIFYING.test(part))) return null;
  const kind = (words.match(KINDS) ?? [])
    .map((each) => SETS[each] ?? each.replace('whole', 'integer'))
    .join(' ');
  return { value: source.slice(0, match.index), kind };
}

/** The digits of a text that consists only of a number in English words; null for any other text. */
export function wholeNumberInWords(text: string): string | null {
  if (!/^\s*(?:\\|\p{L}{2}|a )/u.test(text)) return null;
  const plain = text.slice(0, 200).replace(TEXT, '$1').trim();
  const words = numberInWords(plain);
  return words !== null && /^[\s.]*$/.test(plain.slice(words.length)) ? words.digits : null;
}

/** The value in a box or a text of words: "The answer is 5", "five"; null where there are no words around it. */
export function withoutWords(source: string): string | null {
  const written = /^\s*\\(?:text|math|mbox)/.test(source);
  if (!written && !/^\s*\p{L}{2}/u.test(source)) return null;
  const plain = plainWords(source);
  const rest = (written ? plain.replace(LEAD_WORDS, '') : plain).trim();
  const number = wholeNumberInWords(rest);
  if (number !== null) return number;
  return rest !== plain.trim() && PLAIN_NUMBER.test(rest) ? rest : null;
}

const POLAR =
  /^[\s*"'“(]*(yes|no|true|false)(?=;|[\s*"'”)]*(?:[.,:!?…—–-]|$)|\s+(?:it|this|that|they|we|there|he|she|because|since|as)(?!\p{L}))/iu;
/** Words that limit or retract the yes or no before them. */
const LIMITED =
  /(?<!\p{L})(?:but|unless|except|depends|sometimes|partly|only (?:if|when|for)|not sure|i am not|don['’]t know)(?!\p{L})/iu;
const OPPOSITE: Record<string, RegExp> = {
  yes: /(?<!\p{L})not (?:always|necessarily|in general)(?!\p{L})|(?:[.,;:!?…—–-]|(?<!\p{L})(?:and|or|wait|actually))\s*(?:no|false|not)(?=\s*(?:[.,;:!?…—–-]|$)|\s+(?:it|that|this|they|wait|there)(?!\p{L}))/iu,
  no: /(?<!\p{L})(?:yes|true)(?!\p{L})/iu,
  true: /(?<!\p{L})(?:false|no[.,;!?]|untrue)(?!\p{L})/iu,
  false: /(?<!\p{L})(?:true|yes)(?!\p{L})/iu,
};

/** The yes, no, true or false at the start of an answer; null where the answer retracts or limits it. */
export function polarity(source: string): string | null {
  const text = source.slice(0, 600).replace(TEXT, '$1');
  const word = POLAR.exec(text)?.[1]?.toLowerCase();
  if (word === undefined) return null;
  const rest = text.slice(text.toLowerCase().indexOf(word) + word.length);
  const conditional = /^[\s,]*(?:if|when|provided)(?!\p{L})/iu.test(rest);
  const doubtful = LIMITED.test(rest) || hasCue(rest.slice(0, 60), DOUBT) || OPPOSITE[word]?.test(rest);
  return conditional || doubtful ? null : word;
}

export interface Choice {
  letter: string;
  value: string;
}

const LONGEST_CHOICE = 500;

/** AMC style: \textbf{(B)}\ 11. */
const TEXT_CHOICE =
  /^\\(?:text(?:bf|rm)?|mathrm|mathbf|rm|bf)\s*\{\s*(?:\(\s*([A-H])\s*\)|([A-H]))[.):]?(?:\s|~|\\(?=\s))*\}(?:[\s~:.,)]|\\(?=\s))*(?=\S)(.+)$/s;
const PLAIN_CHOICE = /^(?:\(([A-H])\)|([A-H])[).:])(?:[\s~:.,]|\\(?=\s))*(?=\S)(.+)$/s;

/** The letter and the value of an option; null where one of them is missing. */
export function choiceOf(source: string): Choice | null {
  if (source.length > LONGEST_CHOICE) return null;
  const text = source.trim().replace(/^[$*\s]+|(?<![$*\s])[$*\s]+$/g, '');
  const match = TEXT_CHOICE.exec(text) ?? PLAIN_CHOICE.exec(text);
  const [letter, value] = [match?.[1] ?? match?.[2], match?.[3]];
  return letter !== undefined && value !== undefined ? { letter, value: value.trim() } : null;
}

/** The same, only for a letter in a text command. */
export const writtenChoice = (source: string): Choice | null =>
  /^\s*\\(?:text|math|rm|bf)/.test(source) ? choiceOf(source) : null;

/** The option that a ground truth is: a letter in a text command, or in brackets and a blank before its value. */
export function truthChoice(source: string): Choice | null {
  const text = source.trim();
  const written = /^\\(?:text|math|rm|bf)/.test(text)
    ? /^\\\w+\s*\{\s*(?:\([A-H]\)|[A-H][.)]?[\s~\\]*\}[\s~\\:.]+\S)/.test(text)
    : /^\([A-H]\)\s+[\d$\\]/.test(text);
  return written ? choiceOf(text) : null;
}
