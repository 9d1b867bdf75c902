import { Failure, type FailureKind } from '../contracts/failures.ts';
import type { Verdict } from '../contracts/records.ts';
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
 * How right the final answer is, by the rule of the prompt's domain; equal text where the domain has none. What
 * is said inside the chain of thought, or before a thinking that was cut off, is no answer and scores 0.
 * Throws Failure 'Unavailable' where a verdict may be had by asking again, 'MissingTool' where not on this machine.
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

/** Null where the completion holds no end of a thinking that it, or the prompt, has begun. */
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
