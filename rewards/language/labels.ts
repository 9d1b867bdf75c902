/** Labels each word of a text with a language, considering the words around it. */
import type { LanguageCode } from '../../contracts/rewards.ts';
import { type Detector, gramsOf } from './detector.ts';
import type { Word } from './words.ts';

/** `unknown`: none of the languages that the detector knows. */
export type Label = LanguageCode | 'unknown';

/** Cost of a change from the main language to another, and of the change back. */
const LEAVE = 2.2;
const RETURN = 0.6;
/** Cost of a change between two other languages. */
const CHANGE = 1.5;
/** The most that one word counts against the main language, and the most for a word that may be a name. */
const MOST_OF_WORD = 3;
const MOST_OF_NAME = 0.5;
/** A word that is repeated within `RECENT` words counts only the share `REPEATED`: `3 pesos + 4 pesos = 7 pesos`. */
const RECENT = 20;
const REPEATED = 0.25;
/** Evidence of each n-gram for `unknown`. */
const UNKNOWN = 0.3;

/**
 * The likeliest sequence of languages, by the Viterbi algorithm: a word costs more the less it fits its label, and
 * every change of language has a cost. A few words that could be foreign, as terse technical words often are, are
 * therefore labelled with the main language, but a foreign sentence is not.
 */
export function labelsOf(
  words: readonly Word[],
  main: LanguageCode,
  languages: readonly LanguageCode[],
  detector: Detector,
): Label[] {
  const labels: Label[] = [main, ...languages.filter((language) => language !== main), 'unknown'];
  const known = labels.slice(0, -1) as LanguageCode[];
  const cameFrom = words.map(() => new Uint8Array(labels.length));
  let costs: number[] = labels.map((_, state) => (state === 0 ? 0 : LEAVE));
  const cache = new Map<string, number[]>();
  const lastAt = new Map<string, number>();
  for (const [position, word] of words.entries()) {
    const key = word.begins ? word.text : ` ${word.text}`;
    const misfits = cache.get(key) ?? misfitsOf(word, known, detector);
    cache.set(key, misfits);
    const lower = word.text.toLowerCase();
    const share = position - (lastAt.get(lower) ?? -RECENT) < RECENT ? REPEATED : 1;
    lastAt.set(lower, position);
    const cheapest = costs.indexOf(Math.min(...costs));
    const fromMain = (costs[0] ?? 0) + LEAVE;
    const fromCheapest = (costs[cheapest] ?? 0) + (cheapest === 0 ? LEAVE : CHANGE);
    const toMain = (costs[cheapest] ?? 0) + RETURN;
    costs = costs.map((stay, state) => {
      const change = state === 0 ? toMain : Math.min(fromMain, fromCheapest);
      const reached = cameFrom[position];
      if (reached)
        reached[state] = stay <= change ? state : state > 0 && fromMain <= fromCheapest ? 0 : cheapest;
      return Math.min(stay, change) + share * (misfits[state] ?? 0);
    });
  }
  return traced(cameFrom, costs.indexOf(Math.min(...costs)), labels);
}

/** The cost of each label for a word: how much less the word fits it than the best label. */
function misfitsOf({ text, begins }: Word, known: LanguageCode[], detector: Detector): number[] {
  const fits = [...detector.evidence(text, known), UNKNOWN * gramsOf(text)];
  // A word with a capital within a sentence may be a name, which is little evidence of the language around it.
  const named = !begins && /^\p{Lu}/u.test(text);
  const most = (fits[0] ?? 0) + (named ? MOST_OF_NAME : MOST_OF_WORD);
  const best = Math.min(Math.max(...fits), most);
  return fits.map((fit) => Math.max(0, best - fit));
}

/** The labels on the cheapest path, which ends in the state `last`. */
function traced(cameFrom: readonly Uint8Array[], last: number, labels: readonly Label[]): Label[] {
  const path: Label[] = [];
  let state = last;
  for (let position = cameFrom.length - 1; position >= 0; position--) {
    path.push(labels[state] ?? 'unknown');
    state = cameFrom[position]?.[state] ?? 0;
  }
  return path.reverse();
}
