/** Which words of a chain of thought are in the target language. */
import type { LanguageCode } from '../../contracts/rewards.ts';
import type { Detector } from './detector.ts';
import { labelsOf } from './labels.ts';
import { languageScripts, languagesIn } from './scripts.ts';
import type { Word } from './words.ts';

export interface Weights {
  inTarget: number;
  total: number;
}

/** How much the words count, and how much of it is in the target language. */
export function weightsOf(words: readonly Word[], target: LanguageCode, detector: Detector): Weights {
  const [han, rest] = parted(words, ({ script }) => HAN_AND_KANA.has(script));
  const parts = [...byScript(rest)].map(([script, own]) => weightsInScript(own, script, target, detector));
  parts.push(weightsOfHanAndKana(han, target, detector));
  const sum = (key: keyof Weights) => parts.reduce((total, part) => total + part[key], 0);
  return { inTarget: sum('inTarget'), total: sum('total') };
}

function parted<T>(all: readonly T[], isFirst: (each: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((each) => !isFirst(each))];
}

function byScript(words: readonly Word[]): Map<string, Word[]> {
  const scripts = new Map<string, Word[]>();
  for (const word of words) {
    const own = scripts.get(word.script);
    if (own) own.push(word);
    else scripts.set(word.script, [word]);
  }
  return scripts;
}

const weigh = (words: readonly Word[]) => words.reduce((sum, { weight }) => sum + weight, 0);

function weightsInScript(
  words: readonly Word[],
  script: string,
  target: LanguageCode,
  detector: Detector,
): Weights {
  const scripts: readonly string[] = languageScripts[target];
  const languages = languagesIn(script);
  const home = scripts.includes(script) ? target : (languages.find((each) => each === 'en') ?? languages[0]);
  if (languages.length < 2 || home === undefined) {
    const weight = weigh(words);
    return { inTarget: home === target ? weight : 0, total: weight };
  }
  const labels = labelsOf(words, home, languages, detector);
  const counted = words.filter(({ quiet }, place) => !quiet || isForeign(labels[place], target));
  const own = words.filter(({ quiet }, place) => !quiet && labels[place] === target);
  return { inTarget: weigh(own), total: weigh(counted) };
}

/** Of a word in a formula or in code, where English is at home. */
const isForeign = (label: string | undefined, target: LanguageCode) =>
  label !== undefined && label !== target && label !== 'en' && label !== 'unknown';

const HAN_AND_KANA = new Set<string>(languageScripts.ja);
/** Share of kana, by letters, of a text that is Japanese though some of its sentences have none. */
const JAPANESE_TEXT = 0.2;
/** Share of kana, by letters, of a sentence that is Japanese. */
const JAPANESE_SENTENCE = 0.05;

/** Chinese is written in Han alone; a sentence with kana is Japanese, and one without may be either. */
function weightsOfHanAndKana(words: readonly Word[], target: LanguageCode, detector: Detector): Weights {
  const total = weigh(words);
  if (target !== 'ja' && target !== 'zh') return { inTarget: 0, total };
  const inJapanese = kanaShare(words) >= JAPANESE_TEXT;
  const own = sentencesOf(words).filter((sentence) => {
    if (kanaShare(sentence) >= JAPANESE_SENTENCE) return target === 'ja';
    const text = sentence.map((word) => word.text).join('');
    const [japanese = 0, chinese = 0] = detector.evidence(text, ['ja', 'zh']);
    return (inJapanese ? japanese >= chinese : japanese > chinese) === (target === 'ja');
  });
  return { inTarget: own.reduce((sum, sentence) => sum + weigh(sentence), 0), total };
}

const kanaShare = (words: readonly Word[]) =>
  words.filter(({ script }) => script !== 'Han').length / Math.max(1, words.length);

function sentencesOf(words: readonly Word[]): Word[][] {
  const sentences: Word[][] = [];
  for (const word of words) {
    const last = sentences.at(-1);
    if (last === undefined || word.begins) sentences.push([word]);
    else last.push(word);
  }
  return sentences;
}
