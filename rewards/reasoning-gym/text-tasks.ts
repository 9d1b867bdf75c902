/** Scorers that compare the answer's text with the oracle's. */
import { length } from './python-text.ts';

/** `ProceduralDataset.score_answer`: 1 for the exact text, else the share of the answer that the oracle makes up. */
export function exactText(answer: string, oracle: string): number {
  if (answer === '') return 0;
  return answer === oracle ? 1 : shareOf(oracle, answer);
}

/** The oracle's length over the answer's where the answer contains the oracle, else 0. */
export function shareOf(oracle: string, answer: string): number {
  return answer.includes(oracle) ? length(oracle) / length(answer) : 0;
}

/** `zebra_puzzles`: the same text, ignoring case and line breaks. */
export function caseless(answer: string, oracle: string): number {
  const plain = (text: string) => text.toLowerCase().replaceAll('\n', '');
  return plain(answer) === plain(oracle) ? 1 : 0;
}

/** `spell_backward`: the same text, ignoring case; else the share of letters at the right positions. */
export function spelled(answer: string, oracle: string): number {
  const given = [...answer.toLowerCase()];
  const wanted = [...oracle.toLowerCase()];
  if (given.join('') === wanted.join('')) return 1;
  let share = 0;
  for (const [index, letter] of wanted.entries()) if (given[index] === letter) share += 1 / wanted.length;
  return share === 1 ? 0.8 : share;
}
