/** Samples, as documents and as a person reads them. */
import type { SampleDocument } from '../../contracts/dataset-documents.ts';
import type { SampleCounts, SampleVerdict } from '../../contracts/datasets.ts';
import type { SampleRow } from '../../stores/data/samples.ts';
import { plainText } from '../output/plain-text.ts';

export const sampleDocumentOf = (row: SampleRow, text: string): SampleDocument => {
  const { sourceStage, checkpoint, policy, text: place, ...rest } = row;
  const { object, offset, length, sha256 } = place;
  return {
    ...rest,
    from: { stage: sourceStage, checkpoint, policy },
    at: { uri: object.uri, offset, length, sha256 },
    text,
  };
};

/** What became of a stage's samples, all together. */
export interface SampledStage {
  stage: string;
  /** the stages whose policies sampled */
  from: string[];
  counts: SampleCounts;
}

/** `rejection-sft: 2400 sampled by reasoning-rl, 2079 correct, 1149 kept; rejected: over-quota 612, …` */
function countsText({ stage, from, counts }: SampledStage): string {
  const rejected = Object.entries(counts.rejected)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`);
  const reasons = rejected.length === 0 ? '' : `; rejected: ${rejected.join(', ')}`;
  return `${stage}: ${counts.sampled} sampled by ${from.join(', ')}, ${counts.correct} correct, ${counts.kept} kept${reasons}`;
}

export interface FoundSamples {
  /** the stages that have samples, whichever are shown */
  stages: readonly SampledStage[];
  samples: readonly SampleDocument[];
  /** how many there are of what was asked for */
  all: number;
}

/** What became of all of them, then each one shown: what it is, its problem, its text. */
export function samplesText({ stages, samples, all }: FoundSamples): string {
  if (stages.length === 0) return 'Nothing was sampled for a data set: a run’s supervised stages do.';
  const shown = samples.length < all ? `${samples.length} of ${all} shown; --limit shows more.` : '';
  return [
    stages.map(countsText).join('\n'),
    ...(samples.length === 0 ? ['No such sample.'] : samples.map(sampleText)),
    ...(shown === '' ? [] : [shown]),
  ].join('\n\n');
}

const PROBLEM_CHARACTERS = 160;
const TEXT_CHARACTERS = 400;

function sampleText({ stage, part, sequence, reason, rewards, tokens, problem, text }: SampleDocument) {
  const verdicts = Object.entries(rewards).map(([name, verdict]) => `${name} ${verdictText(verdict)}`);
  return [
    [`${stage} ${part}/${sequence}`, reason ?? 'accepted', verdicts.join(', '), `${tokens} tokens`].join(
      '  ·  ',
    ),
    `  ${plainText(problem, PROBLEM_CHARACTERS)}`,
    `  ${plainText(text, TEXT_CHARACTERS)}`,
  ].join('\n');
}

const verdictText = (verdict: SampleVerdict) =>
  'score' in verdict ? String(Number(verdict.score.toFixed(3))) : verdict.error.kind;
