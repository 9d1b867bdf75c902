/** Scorers that compare the answer's text with the oracle's. */
import { length } from './python-text.ts';

/** `ProceduralDataset.score_answer`: the exact text, or the share of the answer that it makes up. */
export function exactText(answer: string, oracle: string): number {
  if (answer === '') return 0;
  return answer === oracle ? 1 : shareOf(oracle, answer);
}

/** The oracle's length over the answer's where it occurs in it, else 0. */
export function shareOf(oracle: string, answer: string): number {
  return answer.includes(oracle) ? length(oracle) / length(answer) : 0;
}

/** `zebra_puzzles`: whatever the case and the line breaks. */
export function caseless(answer: string, oracle: string): number {
  const plain = (text: string) => text.toLowerCase().replaceAll('\n', '');
  return plain(answer) === plain(oracle) ? 1 : 0;
}

/** `spell_backward`: whatever the case; the share of letters at their places otherwise. */
export function spelled(answer: string, oracle: string): number {
  const given = [...answer.toLowerCase()];
  const wanted = [...oracle.toLowerCase()];
  if (given.join('') === wanted.join('')) return 1;
  let share = 0;
  for (const [place, letter] of wanted.entries()) if (given[place] === letter) share += 1 / wanted.length;
  return share === 1 ? 0.8 : share;
}
