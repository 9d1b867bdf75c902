/** Completions with their verdicts, which explain a metric. */
import type { CompletionDocument, CompletionVerdict } from '../../contracts/completion-document.ts';
import type { SampleVerdict } from '../../contracts/datasets.ts';
import type { SampleRequest, ScoresRecord, Verdict } from '../../contracts/records/schemas.ts';
import { answerOf } from '../orchestrator/evaluation/record-evaluation.ts';
import { promptOf } from './reward-inputs.ts';

/** A rollout's axes: N sequences, P prompts. */
export interface JudgedRollout {
  request: Pick<SampleRequest, 'prompts' | 'numGenerations' | 'seeds'>;
  /** [P] as the model read them */
  promptTextsP: readonly string[];
  scores: Pick<ScoresRecord, 'rewards' | 'texts'>;
  /** [N] tokens */
  lengthsN: ArrayLike<number>;
  /** [N] 1: cut by the length limit */
  truncatedN: ArrayLike<number>;
}

/** [N], in the order of the rollout. Throws Failure 'CorruptObject'. */
export function judgedCompletions({
  request,
  promptTextsP,
  scores,
  lengthsN,
  truncatedN,
}: JudgedRollout): CompletionDocument[] {
  const { rewards, texts } = scores;
  const accuracy = rewards.find(({ name }) => name === 'accuracy')?.verdicts ?? [];
  return texts.map((text, n) => {
    const { prompt: hash, problem, answer, domain } = promptOf(request, n);
    return {
      hash,
      problem,
      prompt: promptTextsP[Math.floor(n / request.numGenerations)] ?? '',
      completion: text,
      extracted: answerOf(accuracy[n], text),
      truth: answer,
      verdict: verdictOf(accuracy[n]),
      rewards: Object.fromEntries(
        rewards.map(({ name, version, verdicts }) => [name, partOf(verdicts[n], version)]),
      ),
      domain,
      sample: n % request.numGenerations,
      seed: request.seeds[n] ?? '',
      tokens: lengthsN[n] ?? 0,
      truncated: truncatedN[n] === 1,
    };
  });
}

function verdictOf(verdict: Verdict | undefined): CompletionVerdict {
  if (verdict === undefined || ('score' in verdict && verdict.absent)) return 'unjudged';
  if ('error' in verdict) return 'error';
  return verdict.score === 1 ? 'right' : 'wrong';
}

function partOf(verdict: Verdict | undefined, version: number): SampleVerdict | null {
  if (verdict === undefined || ('score' in verdict && verdict.absent)) return null;
  return 'score' in verdict ? { score: verdict.score, version } : { error: verdict.error, version };
}
