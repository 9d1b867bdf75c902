/** Statistics of a scored rollout besides its rewards, which alarms watch. */
import type { SampleRequest, ScoresRecord } from '../../contracts/records.ts';
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

interface RolloutHealthInput {
  request: SampleRequest;
  scores: ScoresRecord;
  /** truncatedN: 1 where the length limit cut it */
  truncatedN: ArrayLike<number>;
  /** domains whose answers need no thinking */
  generalDomains: readonly string[];
}

/** Repeated share from which on a chain of thought counts as repetitive. */
const REPEATED = 0.5;
/** Terms of the runs that are compared. */
const REPEATED_RUN = 6;

export function rolloutHealth({
  request,
  scores,
  truncatedN,
  generalDomains,
}: RolloutHealthInput): RolloutHealth {
  const domainOf = (n: number) => request.prompts[Math.floor(n / request.numGenerations)]?.domain ?? '';
  const thoughts = scores.texts.flatMap((text, n) => {
    const parts = generalDomains.includes(domainOf(n)) ? null : partsOf(text);
    return parts === null ? [] : [parts.thinking];
  });
  return {
    truncatedShare: mean(scores.texts.map((_, n) => Number(truncatedN[n] === 1))),
    emptyThinkingShare: thoughts.length === 0 ? null : mean(thoughts.map((text) => Number(isEmpty(text)))),
    errorShare: mean(scores.texts.map((_, n) => Number(hasError(scores, n)))),
  };
}

const isEmpty = (thinking: string) =>
  thinking === '' || repeatedShare(termHashes(thinking), REPEATED_RUN) > REPEATED;

const hasError = ({ rewards }: ScoresRecord, n: number) =>
  rewards.some(({ verdicts }) => {
    const verdict = verdicts[n];
    return verdict !== undefined && 'error' in verdict;
  });
