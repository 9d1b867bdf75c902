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

/** The total weight of the words that count, and the weight of those in the target language. */
export function weightsOf(words: readonly Word[], target: LanguageCode, detector: Detector): Weights {
  const [han, rest] = partition(words, ({ script }) => HAN_AND_KANA.has(script));
  const parts = [...byScript(rest)].map(([script, own]) => weightsInScript(own, script, target, detector));
  parts.push(weightsOfHanAndKana(han, target, detector));
  const sum = (key: keyof Weights) => parts.reduce((total, part) => total + part[key], 0);
  return { inTarget: sum('inTarget'), total: sum('total') };
}

function partition<T>(all: readonly T[], isFirst: (each: T) => boolean): [T[], T[]] {
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
  const main = scripts.includes(script) ? target : (languages.find((each) => each === 'en') ?? languages[0]);
  if (languages.length < 2 || main === undefined) {
    const weight = weigh(words);
    return { inTarget: main === target ? weight : 0, total: weight };
  }
  const labels = labelsOf(words, main, languages, detector);
  const counted = words.filter(({ technical }, index) => !technical || isForeign(labels[index], target));
  const own = words.filter(({ technical }, index) => !technical && labels[index] === target);
  return { inTarget: weigh(own), total: weigh(counted) };
}

/** Whether a word of a formula or of code is foreign: neither in the target language nor English. */
const isForeign = (label: string | undefined, target: LanguageCode) =>
  label !== undefined && label !== target && label !== 'en' && label !== 'unknown';

const HAN_AND_KANA = new Set<string>(languageScripts.ja);
/** Share of kana among the letters of a Japanese text, in which some sentences may have none. */
const JAPANESE_TEXT = 0.2;
/** Share of kana among the letters of a Japanese sentence. */
const JAPANESE_SENTENCE = 0.05;

/** Chinese is written only in Han. A sentence with kana is Japanese; one without may be either. */
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
