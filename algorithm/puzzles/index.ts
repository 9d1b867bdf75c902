import type { PuzzleName } from '../../contracts/recipe.ts';
import { caesarCipher } from './caesar-cipher.ts';
import { countdown } from './countdown.ts';
import type { PuzzleGenerator } from './generate.ts';
import { knightsKnaves } from './knights-knaves.ts';
import { outputPrediction } from './output-prediction.ts';
import { puzzle24 } from './puzzle24.ts';
import { zebra } from './zebra.ts';

/** Every generator, by the domain of its puzzles. */
export const puzzleGenerators: Record<PuzzleName, PuzzleGenerator> = {
  'knights-knaves': knightsKnaves,
  countdown,
  puzzle24,
  'caesar-cipher': caesarCipher,
  zebra,
  'output-prediction': outputPrediction,
};
