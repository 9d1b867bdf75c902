import type { PromptRow } from './prompt-row.ts';

type Split = PromptRow['split'];

const TRAIN = ['train', 'training', 'trainset'];
const HELD_OUT = [
  ...['test', 'testset', 'eval', 'evaluation', 'evalset', 'heldout', 'holdout'],
  ...['validation', 'valid', 'val', 'valset', 'dev', 'devset'],
];

/** For messages. */
export const SPLIT_NAMES =
  'train or training; test, eval, evaluation, validation, valid, val, dev or heldout';

/** The words of a name: `gsm8kTest`, `train-00000-of-00001` and `validation_matched` have several. */
const wordsOf = (name: string) =>
  name
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .replace(/(?<![a-z])(held|hold)[-_. ]?out(?![a-z])/g, '$1out')
    .split(/[^a-z]+/);

/** The splits that a name's words mean. */
function splitsIn(name: string): Split[] {
  const words = wordsOf(name);
  return [
    ...(words.some((word) => TRAIN.includes(word)) ? (['train'] as const) : []),
    ...(words.some((word) => HELD_OUT.includes(word)) ? (['test'] as const) : []),
  ];
}

/** The split of a row's own value, in any case; null where it names none, or two. */
export function splitNamed(value: string): Split | null {
  const splits = splitsIn(value);
  return splits.length === 1 ? (splits[0] ?? null) : null;
}

/** The split that a file's or folder's name contains; null where there is none. Of two, the held-out one. */
export const splitOfName = (name: string): Split | null => splitsIn(name).at(-1) ?? null;

/** Words that do not name a split. */
const NEUTRAL = ['', 'split', 'set', 'data', 'part', 'files', 'rows'];

/** The same for a folder that may hold several data sets: its name must end in the split's. */
export function splitAtEnd(name: string): Split | null {
  const words = wordsOf(name).filter((word) => !NEUTRAL.includes(word));
  return splitOfName(words.at(-1) ?? '');
}
