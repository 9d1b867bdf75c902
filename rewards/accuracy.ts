import { extractAnswer } from './answer-text.ts';
import type { Reward } from './reward.ts';

/**
 * 1 where the answer's text equals the ground truth exactly, both trimmed; else 0. Only the one
 * `<answer>…</answer>` after `</think>` counts. A ground truth that could equal no answer (empty, or
 * holding a tag) is an error.
 */
export const accuracy: Reward = {
  name: 'accuracy',
  version: 1,
  score({ answer, completionText }) {
    const truth = answer.trim();
    if (truth === '' || /<\/?(think|answer)>/.test(truth)) {
      const found = JSON.stringify(answer);
      const message = `expected a ground truth that is not empty and holds no tag, found ${found}`;
      return { error: { kind: 'ground-truth', message } };
    }
    return { score: extractAnswer(completionText) === truth ? 1 : 0 };
  },
};
