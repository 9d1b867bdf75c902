/** What a model card says of how good a model is. */
import type { EvaluationDocument, ShowDocument } from '../../contracts/documents.ts';
import type { Recipe } from '../../contracts/recipe.ts';
import { decimal, percent, percentInterval } from '../output/figures.ts';

/** How a policy and those before it answered the held-out problems; the card's own row is set in bold. */
export function policyEvaluation(
  { evaluation }: Recipe,
  evaluations: readonly EvaluationDocument[],
  own: { stage: string; step: number },
): string[] {
  if (evaluations.length === 0) return ['Not measured.'];
  const { temperature, top_p, max_completion_length } = evaluation;
  return [
    `Sampled at temperature ${temperature}, top-p ${top_p}, at most ${max_completion_length} tokens; ` +
      'pass@1 is the mean over k samples, its interval over problems.',
    '',
    '| policy | step | problems | k | pass@1 | 95 % | pass@k | cons@k | format | length | reflects | language | general |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...evaluations.map((each) => evaluationRow(each, each.stage === own.stage && each.step === own.step)),
    '',
    'reflects: answers that check or correct themselves; language: step words in the target language; ' +
      'general: pass@1 on tasks without reasoning. –: not measured.',
  ];
}

function evaluationRow(evaluation: EvaluationDocument, isOwn: boolean): string {
  const { stage } = evaluation;
  const cells = [
    isOwn ? `**${stage}**` : stage,
    evaluation.step,
    evaluation.problems,
    evaluation.k,
    percent(evaluation.passAt1),
    percentInterval(evaluation.passAt1Interval),
    percent(evaluation.passAtK),
    percent(evaluation.consAtK),
    percent(evaluation.formatRate),
    decimal(evaluation.meanLength, 1),
    percent(evaluation.reflectionRate),
    percent(evaluation.languageConsistency),
    percent(evaluation.generalAbility),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** How a reward model ranks what it was not trained on. */
export function rankingEvaluation(
  measure: ShowDocument['stages'][number]['measure'],
  least: number,
): string[] {
  if (measure === null) return ['Not measured.'];
  return [
    `It ranks ${percent(measure.accuracy)} of ${measure.pairs} held-out pairs rightly: the better or safe answer ` +
      `scores higher. Below ${percent(least, 0)} no stage would have used it.`,
  ];
}
