import type { EvaluationDocument, ShowDocument } from '../contracts/documents.ts';
import { comparisonText } from './run-view.ts';

/** What a person is told when a run of R1-Zero is complete. */
export function finalReport(show: ShowDocument): string {
  const { run, stages } = show;
  const stage = stages.at(-1);
  const checkpoint = stage?.checkpoint?.uri;
  return [
    `${run} is complete: ${stage?.step ?? 0} steps.`,
    resultText(show),
    ...(checkpoint === undefined ? [] : [`Checkpoint  ${checkpoint}`]),
    [
      'Worth trying next:',
      `  npx r1 generate ${run} --chat --prompt '7+15+3+12=?'`,
      `  npx r1 steps ${run}`,
      `  npx r1 export ${run} ${run}`,
    ].join('\n'),
    `Another run: npx r1 launch recipes/${show.recipe}.yaml --set seed=2\nStop the stack: npx r1 down`,
  ].join('\n\n');
}

function resultText({ evaluations, stages }: ShowDocument): string {
  const base = widest(evaluations.filter(({ step }) => step === 0));
  const trained = widest(
    evaluations.filter(({ stage, step }) => step > 0 && step === stages.at(-1)?.step && stage !== 'base'),
  );
  if (base === undefined || trained === undefined)
    return 'It was not measured both before and after training.';
  const { problems, k } = trained;
  return `${comparisonText(base, trained)}\n\nover ${problems} held-out problems, ${k} samples each`;
}

/** The evaluation of the most samples: the whole one, not a quick one at the same step. */
function widest(evaluations: readonly EvaluationDocument[]): EvaluationDocument | undefined {
  return [...evaluations].sort((a, b) => b.problems * b.k - a.problems * a.k)[0];
}
