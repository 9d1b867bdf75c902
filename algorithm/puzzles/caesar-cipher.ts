import { encipher } from './ciphers.ts';
import type { Difficulty, PuzzleGenerator } from './generate.ts';

interface Shape {
  words: [number, number];
  rotation: [number, number];
  /** whether the problem states the rotation */
  stated: boolean;
}

const shapes: Record<Difficulty, Shape> = {
  1: { words: [2, 3], rotation: [1, 1], stated: true },
  2: { words: [3, 5], rotation: [1, 3], stated: true },
  3: { words: [4, 8], rotation: [1, 25], stated: true },
  4: { words: [4, 8], rotation: [1, 25], stated: false },
  5: { words: [8, 16], rotation: [1, 25], stated: false },
};

const WORDS = (
  'about after again air always among animal answer apple around autumn baker balance beach before begin ' +
  'behind below between bird black blue board book bottle bread bridge bright bring brother build butter ' +
  'candle carry castle center chair change child city clean clear climb cloud coast cold color copper corner ' +
  'cotton country cover cross dance daughter deep desert dinner door dream drive early earth east evening ' +
  'every family farmer father feather field finger fire first fish floor flower follow forest forward friend ' +
  'garden gather gentle glass golden grain grass great green ground hammer harbor harvest heart heavy helper ' +
  'hidden high honey horse house hungry island journey kitchen kettle ladder lantern large laugh leather letter ' +
  'light listen little lonely market meadow measure meeting mirror moment money morning mother mountain music ' +
  'narrow needle never night north number ocean often open orange other outside paper people pepper picture ' +
  'planet pocket quiet rabbit rain reason river road round salt school season second shadow shallow short ' +
  'silver simple sister sleep small smoke snow south spring stone storm story straight stream street strong ' +
  'sugar summer table teacher thunder ticket together travel tree under valley village voice wagon water ' +
  'weather west white wide window winter wonder wooden yellow young'
).split(' ');

/** Texts in Caesar's cipher: words drawn from a list, all shifted by one rotation. */
export const caesarCipher: PuzzleGenerator = {
  domain: 'caesar-cipher',
  draw(difficulty, draws) {
    const { words, rotation, stated } = shapes[difficulty];
    const length = draws.integer(...words);
    const clearText = Array.from({ length }, () => draws.among(WORDS))
      .join(' ')
      .toUpperCase();
    const cipher = { kind: 'caesar' as const, rotation: draws.integer(...rotation) };
    const cipherText = encipher(clearText, cipher);
    const how = stated ? `Every letter was shifted forward by ${cipher.rotation}. ` : '';
    const problem = `Decipher this text in Caesar's cipher: ${cipherText}\n${how}Answer with the clear text alone.`;
    return { problem, truth: { cipher, cipherText, clearText }, identity: `caesar ${clearText}` };
  },
};
