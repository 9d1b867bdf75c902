/** Cuts a chain of thought into what is language: no code, no formulas, words by script, sentences. */
import { lettersPerWord, SCRIPTS } from './language-scripts.ts';

export interface ScriptWord {
  text: string;
  script: string;
  /** how many words it counts as: 1, or less than that for the letters of a script without spaces */
  weight: number;
}

/** What is not language. Each pattern is bounded in length or cannot match twice from one place. */
const NOT_PROSE = [
  /```[^`]*(?:```|$)/g,
  /`[^`]{1,500}`/g,
  /\$\$[^$]{1,2000}\$\$/g,
  /\$[^$]{1,500}\$/g,
  /\\\[(?:[^\\]|\\(?![[\]])){0,2000}\\\]/g,
  /\\\((?:[^\\]|\\(?![()])){0,500}\\\)/g,
  /\\(?:text|mbox|mathrm|operatorname|begin|end)\s?\{[^{}]{0,200}\}/g,
  /\\[A-Za-z]{1,40}/g,
  /<\/?[a-z]{1,20}>/g,
  /\b[a-z]{2,10}:\/\/[^\s]{1,500}/g,
];
/** Runs that hold a letter with a digit or "_", or a letter's case changing within: names of code. */
const IDENTIFIER =
  /(?<![\p{L}\p{M}\p{N}_])(?=[\p{L}\p{M}\p{N}_]{0,60}(?:[\p{N}_]|\p{Ll}\p{Lu}))[\p{L}\p{M}\p{N}_]+/gu;

/** The text without formulas, code, links and tags; white space is one space. */
export function proseOf(text: string): string {
  const spaced = text.replace(/\s+/g, ' ');
  const plain = NOT_PROSE.reduce((prose, pattern) => prose.replace(pattern, ' '), spaced);
  return plain.replace(IDENTIFIER, ' ');
}

/** Words that a sentence needs for its language to be told; shorter ones join the next. */
const ENOUGH_WORDS = 4;
/** Words after which a sentence is cut, so that each part is judged by itself. */
const MANY_WORDS = 20;

/** Letters of a word that the detector is shown. */
const LONGEST_WORD = 40;

/** The words of each sentence. Single letters of spaced scripts are taken for variables and left out. */
export function sentencesOf(prose: string): ScriptWord[][] {
  const sentences: ScriptWord[][] = [];
  const current: ScriptWord[] = [];
  for (const part of prose.split(/[.!?;:。！？；：…]+/u)) {
    for (const word of wordsOf(part)) {
      if (current.length >= MANY_WORDS) sentences.push(current.splice(0));
      current.push(word);
    }
    if (current.length >= ENOUGH_WORDS) sentences.push(current.splice(0));
  }
  if (current.length > 0) attach(sentences, current);
  return sentences;
}

/** The last words, too few for a sentence, belong to the one before. */
function attach(sentences: ScriptWord[][], words: ScriptWord[]): void {
  const last = words.length < ENOUGH_WORDS ? sentences.pop() : undefined;
  sentences.push([...(last ?? []), ...words]);
}

const scriptOf = SCRIPTS.map((script) => ({ script, pattern: new RegExp(`\\p{Script=${script}}`, 'u') }));
/** Letters of one script beside each other, an apostrophe among them. */
const WORD = new RegExp(
  [...SCRIPTS.map((script) => `(?:\\p{Script=${script}}\\p{M}*['’]?)+`), `(?:\\p{L}\\p{M}*)+`].join('|'),
  'gu',
);

function wordsOf(text: string): ScriptWord[] {
  const found = text.match(WORD) ?? [];
  return found.flatMap((word) => {
    const [script = 'Other'] = scriptOf
      .filter(({ pattern }) => pattern.test(word))
      .map((each) => each.script);
    const letters = lettersPerWord[script];
    const bare = word.replace(/['’]+$/u, '');
    if (letters !== undefined)
      return [...bare].map((letter) => ({ text: letter, script, weight: 1 / letters }));
    return [...bare].length < 2 ? [] : [{ text: bare.slice(0, LONGEST_WORD), script, weight: 1 }];
  });
}
