/** Statistics of a scored rollout besides its rewards, which alarms watch. */
import type { JudgedReward } from '../../contracts/records/schemas.ts';
import type { THINKING_STATES } from '../../contracts/records/tensors.ts';
import { partsOf } from '../data/response-parts.ts';
import { repeatedShare, termHashes } from '../data/term-hashes.ts';
import { mean } from './sample-statistics.ts';

export interface RolloutHealth {
  /** share of completions that the length limit cut */
  truncatedShare: number;
  /** of well-formed reasoning responses, the share with empty or repetitive thinking; null where none is well-formed */
  emptyThinkingShare: number | null;
  /** share of completions with an error of a reward */
  errorShare: number;
}

/** A response's chain of thought; `empty`: empty or repetitive; `none`: it has none, or its domain needs none. */
export type Thinking = (typeof THINKING_STATES)[number];

interface RolloutHealthInput {
  /** [N] */
  thinkingN: readonly Thinking[];
  /** [N] 1 where the length limit cut it */
  truncatedN: ArrayLike<number>;
  rewards: readonly Pick<JudgedReward, 'verdicts'>[];
}

/** Repeated share from which on a chain of thought counts as repetitive. */
const REPEATED = 0.5;
/** Terms of the runs that are compared. */
const REPEATED_RUN = 6;

/** `generalDomains`: domains whose answers need no thinking. */
export function thinkingOf(text: string, domain: string, generalDomains: readonly string[]): Thinking {
  const parts = generalDomains.includes(domain) ? null : partsOf(text);
  if (parts === null) return 'none';
  return isEmpty(parts.thinking) ? 'empty' : 'present';
}

export function rolloutHealth({ thinkingN, truncatedN, rewards }: RolloutHealthInput): RolloutHealth {
  const thoughts = thinkingN.filter((state) => state !== 'none');
  return {
    truncatedShare: mean(thinkingN.map((_, n) => Number(truncatedN[n] === 1))),
    emptyThinkingShare:
      thoughts.length === 0 ? null : mean(thoughts.map((state) => Number(state === 'empty'))),
    errorShare: mean(thinkingN.map((_, n) => Number(hasError(rewards, n)))),
  };
}

const isEmpty = (thinking: string) =>
  thinking === '' || repeatedShare(termHashes(thinking), REPEATED_RUN) > REPEATED;

const hasError = (rewards: RolloutHealthInput['rewards'], n: number) =>
  rewards.some(({ verdicts }) => {
    const verdict = verdicts[n];
    return verdict !== undefined && 'error' in verdict;
  });
