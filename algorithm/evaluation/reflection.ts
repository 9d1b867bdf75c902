import { stepWords } from '../nano/words.ts';

/**
 * The words by which the paper counts reflection (DeepSeek-R1, appendix on the self-evolution of R1-Zero).
 * Whole words in any case: "checked" is none of them.
 */
export const reflectionWords = [
  'wait',
  'mistake',
  'however',
  'but',
  'retry',
  'error',
  'verify',
  'wrong',
  'evaluate',
  'check',
] as const;

/** What the nano base says for two of them in its foreign language: reflection whatever the tongue. */
const foreignWords = [stepWords.foreign.check, stepWords.foreign.wait].map((word) => word.trim());

const pattern = new RegExp(`\\b(?:${[...reflectionWords, ...foreignWords].join('|')})\\b`, 'gi');

/** How many reflection words a completion holds. */
export function countReflections(completionText: string): number {
  return completionText.match(pattern)?.length ?? 0;
}
