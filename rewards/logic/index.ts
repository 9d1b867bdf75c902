import type { Verifier } from '../verifier.ts';
import { decipher } from './cipher.ts';
import { knightsKnaves } from './knights-knaves.ts';
import { outputPrediction } from './output-prediction.ts';
import { countdown, puzzle24 } from './target-expression.ts';
import { zebra } from './zebra.ts';

/** The verifiers of logic puzzles, by domain. */
export const logicVerifiers: Record<string, Verifier> = {
  'knights-knaves': knightsKnaves,
  zebra,
  countdown,
  puzzle24,
  'caesar-cipher': decipher,
  cipher: decipher,
  'output-prediction': outputPrediction,
};
