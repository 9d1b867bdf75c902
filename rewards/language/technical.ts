/**
 * Words inside formulas and code. Sentences there count like any others: otherwise a policy could think in another
 * language between dollar signs. Names, keywords and single words of formulas do not count.
 */
import type { Detector } from './detector.ts';
import { type Word, wordsOf } from './words.ts';

export type TechnicalKind = 'formula' | 'code' | 'name' | 'link';

/** Text between operators or brackets, and the rule that decides whether it is a phrase. */
interface Run {
  text: string;
  rule: PhraseRule;
}

interface PhraseRule {
  /** Fewest words of a phrase that has a function word: of any language, or of another language than English. */
  least: { any: number; foreign: number };
  /** Fewest words of a phrase without a function word. */
  enough: number;
  /** Whether foreign words count outside of phrases. */
  countsForeign: boolean;
}

const OF_TEXT: PhraseRule = { least: { any: 3, foreign: 3 }, enough: 5, countsForeign: true };
const OF_NAMES: PhraseRule = { least: { any: 4, foreign: 3 }, enough: Infinity, countsForeign: true };
const OF_CODE: PhraseRule = { least: { any: 5, foreign: 3 }, enough: Infinity, countsForeign: false };
const OF_LINKS: PhraseRule = { least: { any: 5, foreign: 5 }, enough: Infinity, countsForeign: false };

const runsOf: Record<TechnicalKind, (text: string) => Run[]> = {
  formula: formulaRuns,
  code: codeRuns,
  name: (text) => [{ text: splitNames(text), rule: OF_NAMES }],
  link: (text) => [{ text: pathsOf(text), rule: OF_LINKS }],
};

/** The words of a technical text that count, or that count where they are foreign. */
export function technicalWords(kind: TechnicalKind, text: string, detector: Detector): Word[] {
  return runsOf[kind](text).flatMap((run) => {
    const words = wordsOf(run.text, { technical: true });
    if (isPhrase(words, run, detector)) return words.map((word) => ({ ...word, technical: false }));
    return run.rule.countsForeign ? words : words.filter(({ technical }) => !technical);
  });
}

/** Words of code that are common words of some language. */
const KEYWORDS = new Set(
  'for in is if or and not as by to do from with end def var let die non det del elif else while return'.split(
    ' ',
  ),
);

function isPhrase(words: readonly Word[], { rule: { least, enough } }: Run, detector: Detector): boolean {
  const latin = words.filter(({ technical }) => technical).map(({ text }) => text.toLowerCase());
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

/** The words between a formula's operators, without its commands, digits and symbols. */
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
/** Symbols of code; a line without them is text. */
const CODE_SYMBOLS = /[=;{}()[\]<>+*/%|&^~@\\$]|::|\.(?=[\p{L}_])|_/u;
const BEGINS_CODE =
  /^\s*(?:for|while|if|elif|else|return|import|from|def|class|print|not|while|do|end|pass|try|case)\b/i;
/** A line that begins like code but has more words is text. */
const MOST_WORDS_OF_CODE = 5;

/** The words of code's comments, strings and lines of text, and those between its symbols. */
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
    const isText = !CODE_SYMBOLS.test(bare) && !(BEGINS_CODE.test(bare) && words <= MOST_WORDS_OF_CODE);
    const code = isText ? [] : splitNames(bare).split(/[^\p{L}\p{M}'’ ]+/u);
    return [
      ...[...(isText ? [bare] : []), ...texts].map((run): Run => ({ text: run, rule: OF_TEXT })),
      ...code.map((run): Run => ({ text: run, rule: OF_CODE })),
    ];
  });
}

/** Digits that replace letters in words. */
const LETTER_OF_DIGIT: Record<string, string> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't' };

/** Splits names in code into words. */
function splitNames(text: string): string {
  return text
    .replace(/[013457](?=\p{L})/gu, (digit) => LETTER_OF_DIGIT[digit] ?? digit)
    .replace(/[_\p{N}]+|(?<=\p{Ll})(?=\p{Lu})/gu, ' ');
}

/** Links without scheme and host. */
const pathsOf = (text: string) =>
  text.replace(/[a-z]{2,10}:\/\/[^\s/]*/g, ' ').replace(/[^\p{L}\p{M}]+/gu, ' ');
