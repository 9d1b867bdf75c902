import { Failure, type FailureKind } from '../contracts/failures.ts';
import type { Verdict } from '../contracts/records/schemas.ts';
import { afterThinking } from './chain-of-thought.ts';
import type { CodeTask } from './code/index.ts';
import { domainRule, gradeText } from './domains.ts';
import type { Reward, RewardInput } from './reward.ts';
import type { RewardTools } from './tools.ts';
import type { Graded } from './verifier.ts';

export interface AccuracyOptions {
  code: CodeTask['mode'];
  partial_credit: boolean;
}

/**
 * Scores the final answer by the rule of the prompt's domain; a domain without a rule compares text. An answer
 * inside the chain of thought, or in a completion whose chain of thought was cut off, scores 0.
 * Throws Failure 'Unavailable' where a retry may give a verdict, 'MissingTool' where this machine cannot give one.
 */
export function accuracy({ code, partial_credit }: AccuracyOptions, tools: RewardTools): Reward {
  const context = { tools, code, partialCredit: partial_credit };
  return {
    name: 'accuracy',
    version: 3,
    async score(input) {
      const rule = domainRule(input.domain);
      if (rule === null) return verdictOf(gradeText(input.answer, input.completionText), false);
      const response = responseOf(input);
      if (response === null) return { score: 0 };
      return verdictOf(await rule(input, response, context), !input.domain.startsWith('code'));
    },
  };
}

/** Null where the chain of thought, opened by the completion or by the prompt, never ends. */
function responseOf({ completionText, truncated }: RewardInput): string | null {
  return afterThinking(completionText, { begun: truncated });
}

const failureOf: Record<'again' | 'with-tool', FailureKind> = {
  again: 'Unavailable',
  'with-tool': 'MissingTool',
};

function verdictOf(graded: Graded, withAnswer: boolean): Verdict {
  if ('score' in graded) {
    const { score, extracted, value } = graded;
    return {
      score,
      ...(withAnswer && extracted !== null ? { extracted } : {}),
      ...(value === undefined ? {} : { value }),
    };
  }
  if (graded.retry === undefined) return { error: graded.error };
  throw new Failure(failureOf[graded.retry], graded.error.message);
}
