/** What a scored rollout shows besides its rewards: signs that alarms watch for. */
import type { SampleRequest, ScoresRecord } from '../../contracts/records.ts';
import { partsOf } from '../data/response-parts.ts';
import { repeatedShare, termHashes } from '../data/term-hashes.ts';
import { mean } from './sample-statistics.ts';

export interface RolloutHealth {
  /** share of completions that the length limit cut */
  truncatedShare: number;
  /** of reasoning responses in form, the share that thinks nothing or repeats itself; null where none is in form */
  emptyThinkingShare: number | null;
  /** share of completions that a reward answered with an error */
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

/** From here on a chain of thought is nothing but repetition. */
const REPEATED = 0.5;
/** Terms of the runs that are looked for again. */
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
