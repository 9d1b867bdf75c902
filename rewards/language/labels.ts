/** Which language each word of a text is in, judged together with the words around it. */
import type { LanguageCode } from '../../contracts/rewards.ts';
import { type Detector, gramsOf } from './detector.ts';
import type { Word } from './words.ts';

/** None of the languages that the detector knows: what fits the home language less than this is not in it. */
export type Label = LanguageCode | 'unknown';

/** Evidence that a change from the home language to another takes, and what the way back takes. */
const LEAVE = 2.2;
const RETURN = 0.6;
/** Evidence that a change between two foreign languages takes. */
const CHANGE = 1.5;
/** The most that one word counts against the home language, and that one which may be a name does. */
const MOST_OF_WORD = 3;
const MOST_OF_NAME = 0.5;
/** A word says less again within as many words: `3 pesos + 4 pesos = 7 pesos`. */
const RECENT = 20;
const SAID_AGAIN = 0.25;
/** How well each n-gram of a word fits no known language. */
const UNKNOWN = 0.3;

/**
 * The likeliest sequence of languages, by Viterbi's algorithm: words fit languages more or less, and every
 * change of language takes evidence. So a few words that could be foreign are of the home language, as terse
 * technical words often are, and a foreign sentence is not.
 */
export function labelsOf(
  words: readonly Word[],
  home: LanguageCode,
  languages: readonly LanguageCode[],
  detector: Detector,
): Label[] {
  const labels: Label[] = [home, ...languages.filter((language) => language !== home), 'unknown'];
  const known = labels.slice(0, -1) as LanguageCode[];
  const cameFrom = words.map(() => new Uint8Array(labels.length));
  let costs: number[] = labels.map((_, state) => (state === 0 ? 0 : LEAVE));
  const kept = new Map<string, number[]>();
  const lastAt = new Map<string, number>();
  for (const [position, word] of words.entries()) {
    const key = word.begins ? word.text : ` ${word.text}`;
    const misfits = kept.get(key) ?? misfitsOf(word, known, detector);
    kept.set(key, misfits);
    const lower = word.text.toLowerCase();
    const share = position - (lastAt.get(lower) ?? -RECENT) < RECENT ? SAID_AGAIN : 1;
    lastAt.set(lower, position);
    const cheapest = costs.indexOf(Math.min(...costs));
    const fromHome = (costs[0] ?? 0) + LEAVE;
    const fromCheapest = (costs[cheapest] ?? 0) + (cheapest === 0 ? LEAVE : CHANGE);
    const home = (costs[cheapest] ?? 0) + RETURN;
    costs = costs.map((stay, state) => {
      const change = state === 0 ? home : Math.min(fromHome, fromCheapest);
      const reached = cameFrom[position];
      if (reached)
        reached[state] = stay <= change ? state : state > 0 && fromHome <= fromCheapest ? 0 : cheapest;
      return Math.min(stay, change) + share * (misfits[state] ?? 0);
    });
  }
  return traced(cameFrom, costs.indexOf(Math.min(...costs)), labels);
}

/** What the word counts against each label: how much less it fits than the label that it fits best. */
function misfitsOf({ text, begins }: Word, known: LanguageCode[], detector: Detector): number[] {
  const fits = [...detector.evidence(text, known), UNKNOWN * gramsOf(text)];
  // A capital within a sentence may be a name's, which says little about the language around it.
  const named = !begins && /^\p{Lu}/u.test(text);
  const most = (fits[0] ?? 0) + (named ? MOST_OF_NAME : MOST_OF_WORD);
  const best = Math.min(Math.max(...fits), most);
  return fits.map((fit) => Math.max(0, best - fit));
}

function traced(cameFrom: readonly Uint8Array[], last: number, labels: readonly Label[]): Label[] {
  const path: Label[] = [];
  let state = last;
  for (let position = cameFrom.length - 1; position >= 0; position--) {
    path.push(labels[state] ?? 'unknown');
    state = cameFrom[position]?.[state] ?? 0;
  }
  return path.reverse();
}
