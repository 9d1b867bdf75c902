/**
 * The words that formulas and code hold. What is a sentence there counts like any other, or a policy could
 * think in another language between dollar signs; names, keywords and single words of formulas do not.
 */
import type { Detector } from './detector.ts';
import { type Word, wordsOf } from './words.ts';

export type TechnicalKind = 'formula' | 'code' | 'name' | 'link';

/** Text between operators or brackets, and the rule by which it may be a sentence. */
interface Run {
  text: string;
  rule: PhraseRule;
}

interface PhraseRule {
  /** Words that make a phrase where one of them is a function word: of any language, or of none but foreign ones. */
  least: { any: number; foreign: number };
  /** Words that make a phrase without a function word. */
  enough: number;
  /** Words of what is no phrase count where they are foreign; else not at all. */
  countsForeign: boolean;
}

const OF_TEXT: PhraseRule = { least: { any: 3, foreign: 3 }, enough: 5, countsForeign: true };
const OF_NAMES: PhraseRule = { least: { any: 4, foreign: 3 }, enough: Infinity, countsForeign: true };
const OF_CODE: PhraseRule = { least: { any: 5, foreign: 3 }, enough: Infinity, countsForeign: false };
const OF_LINKS: PhraseRule = { least: { any: 5, foreign: 5 }, enough: Infinity, countsForeign: false };

const runsOf: Record<TechnicalKind, (text: string) => Run[]> = {
  formula: formulaRuns,
  code: codeRuns,
  name: (text) => [{ text: namesApart(text), rule: OF_NAMES }],
  link: (text) => [{ text: pathsOf(text), rule: OF_LINKS }],
};

/** The words of a technical text that count, or that count where they are foreign. */
export function technicalWords(kind: TechnicalKind, text: string, detector: Detector): Word[] {
  return runsOf[kind](text).flatMap((run) => {
    const words = wordsOf(run.text, { quiet: true });
    if (isPhrase(words, run, detector)) return words.map((word) => ({ ...word, quiet: false }));
    return run.rule.countsForeign ? words : words.filter(({ quiet }) => !quiet);
  });
}

/** Words of code that are common words of some language. */
const KEYWORDS = new Set(
  'for in is if or and not as by to do from with end def var let die non det del elif else while return'.split(
    ' ',
  ),
);

function isPhrase(words: readonly Word[], { rule: { least, enough } }: Run, detector: Detector): boolean {
  const latin = words.filter(({ quiet }) => quiet).map(({ text }) => text.toLowerCase());
  if (latin.length < Math.min(least.any, least.foreign)) return false;
  if (latin.length >= enough) return true;
  const common = latin
    .filter((word) => !KEYWORDS.has(word))
    .map((word) => detector.functionWordOf(word))
    .filter((languages) => languages.length > 0);
  const foreign = common.some((languages) => !languages.includes('en'));
  return (common.length > 0 && latin.length >= least.any) || (foreign && latin.length >= least.foreign);
}

const WORDED =
  /\\(?:text|mbox|hbox|fbox|textbf|textit|textrm|textsf|texttt|mathrm|mathbf|mathit|mathsf|operatorname)\*?\s?\{/g;
const TEX_SPACE = /\\q?quad(?![A-Za-z])|\\[,;:! ]|~/g;

/** The words between a formula's operators; its commands, digits and signs are none. */
function formulaRuns(text: string): Run[] {
  return text
    .replace(WORDED, ' ')
    .replace(TEX_SPACE, ' ')
    .replace(/\\[A-Za-z]{1,40}|\\\\/g, '|')
    .split(/[|\p{N}=+*/<>^_&\\\p{Sm}]+/u)
    .map((run) => ({ text: run, rule: OF_TEXT }));
}

const STRING = /"([^"\n]{0,300})"|(?<![\p{L}\p{N}])'([^'\n]{0,300})'(?!\p{L})/gu;
const COMMENT = /(?:#|\/\/|\/\*|--\s|<!--)([\s\S]*)$/u;
/** Signs of code; what has none of them is a line of text. */
const SIGNS = /[=;{}()[\]<>+*/%|&^~@\\$]|::|\.(?=[\p{L}_])|_/u;
const BEGINS_CODE =
  /^\s*(?:for|while|if|elif|else|return|import|from|def|class|print|not|while|do|end|pass|try|case)\b/i;
/** A line that begins like code has at most as many words. */
const MOST_WORDS_OF_CODE = 5;

/** The words of a code's comments, strings and lines of text, and those between its signs. */
function codeRuns(text: string): Run[] {
  return text.split('\n').flatMap((line): Run[] => {
    const texts: string[] = [];
    const bare = line
      .replace(STRING, (_, double?: string, single?: string) => {
        texts.push(double ?? single ?? '');
        return '|';
      })
      .replace(COMMENT, (_, comment: string) => {
        texts.push(comment);
        return '';
      });
    const words = bare.split(/\s+/).length;
    const isText = !SIGNS.test(bare) && !(BEGINS_CODE.test(bare) && words <= MOST_WORDS_OF_CODE);
    const code = isText ? [] : namesApart(bare).split(/[^\p{L}\p{M}'’ ]+/u);
    return [
      ...[...(isText ? [bare] : []), ...texts].map((run): Run => ({ text: run, rule: OF_TEXT })),
      ...code.map((run): Run => ({ text: run, rule: OF_CODE })),
    ];
  });
}

/** Digits that stand for letters within words. */
const LETTER_OF_DIGIT: Record<string, string> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't' };

/** Names of code as the words that they are made of. */
function namesApart(text: string): string {
  return text
    .replace(/[013457](?=\p{L})/gu, (digit) => LETTER_OF_DIGIT[digit] ?? digit)
    .replace(/[_\p{N}]+|(?<=\p{Ll})(?=\p{Lu})/gu, ' ');
}

/** Links without scheme and host. */
const pathsOf = (text: string) =>
  text.replace(/[a-z]{2,10}:\/\/[^\s/]*/g, ' ').replace(/[^\p{L}\p{M}]+/gu, ' ');
