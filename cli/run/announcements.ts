/** What happened in a run, each as a line that stays. */
import type { RaisedAlarm } from '../../contracts/alarms.ts';
import type { EvaluationDocument, ShowDocument } from '../../contracts/documents.ts';
import { decimal, percent, percentInterval } from '../output/figures.ts';
import type { LiveLine } from './live-line.ts';
import { rankingLine } from './show-view.ts';

interface Announcement {
  /** by which it is told once */
  name: string;
  text: string;
}

/** Tells each evaluation, each ranking and each alarm once; what was there before is not told. */
export function announcer(line: LiveLine): (show: ShowDocument) => void {
  let known: Set<string> | undefined;
  return (show) => {
    const told = announcementsOf(show);
    const news = known === undefined ? [] : told.filter(({ name }) => !known?.has(name));
    known = new Set(told.map(({ name }) => name));
    for (const { text } of news) line.say(text);
  };
}

const announcementsOf = ({ evaluations, stages, alarms }: ShowDocument): Announcement[] => [
  ...evaluations.map((evaluation) => ({
    name: `${evaluation.stage}@${evaluation.step}×${evaluation.problems}`,
    text: evaluationLine(evaluation),
  })),
  ...stages.flatMap(({ stage, measure }) =>
    measure === null ? [] : [{ name: `${stage} ranks`, text: rankingLine(stage, measure) }],
  ),
  ...alarms.map((alarm) => ({
    name: `${alarm.stage}/${alarm.branch}@${alarm.step} ${alarm.name}`,
    text: alarmLine(alarm),
  })),
];

/** `zero at step 20: alarm no-variance (note): …` */
const alarmLine = ({ stage, step, name, action, text }: RaisedAlarm) =>
  `${stage} at step ${step}: alarm ${name} (${action}): ${text}`;

/** `zero at step 20: pass@1 41.2 % (38.0–44.4 %), length 31.0, format 99 %, reflects 20 % (64 × 4 samples)` */
function evaluationLine(evaluation: EvaluationDocument): string {
  const { stage, step, problems, k, languageConsistency, generalAbility } = evaluation;
  const figures = [
    `pass@1 ${percent(evaluation.passAt1)} (${percentInterval(evaluation.passAt1Interval)})`,
    `length ${decimal(evaluation.meanLength, 1)}`,
    `format ${percent(evaluation.formatRate, 0)}`,
    `reflects ${percent(evaluation.reflectionRate, 0)}`,
    ...(languageConsistency === null ? [] : [`language ${percent(languageConsistency, 0)}`]),
    ...(generalAbility === null ? [] : [`general ${percent(generalAbility, 0)}`]),
  ];
  return `${stage} at step ${step}: ${figures.join(', ')} (${problems} × ${k} samples)`;
}
