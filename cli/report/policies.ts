/** The policies of a run in the order of the paper's table. */
import type { EvaluationDocument } from '../../contracts/documents.ts';
import { besideRoles, roleOf, type StageRole, suffixOf } from '../../contracts/stage-name.ts';
import { type PaperFigures, paperBase, paperFigures } from './paper.ts';
import type { ReportData } from './report-data.ts';

export interface Policy {
  /** the stage, or the model that stages start from */
  name: string;
  /** as the paper calls it */
  title: string;
  /** where the stage stands */
  status: string;
  /** the last whole evaluation; null: not measured */
  evaluation: EvaluationDocument | null;
  paper: PaperFigures | null;
  /** whether it lies on the way from base to R1; students and controls do not */
  toR1: boolean;
}

const titles: Record<Exclude<StageRole, 'reward-model'>, string> = {
  zero: 'R1-Zero',
  'cold-start-sft': 'Dev1',
  'reasoning-rl': 'Dev2',
  'rejection-sft': 'Dev3',
  'scenario-rl': 'R1',
  distill: 'Student',
  control: 'Control',
};

/** Base and the stages that lead to R1; then by student what it was, what it learned from R1, its control. */
export function policiesOf({ show, evaluations }: Pick<ReportData, 'show' | 'evaluations'>): Policy[] {
  const whole = evaluations.filter(({ quick }) => !quick);
  const measured = (name: string) => whole.findLast(({ stage }) => stage === name) ?? null;
  const before = (name: string): Policy => ({
    name,
    title: name === 'base' ? 'Base' : `Untrained ${name.slice('student/'.length)}`,
    status: 'complete',
    evaluation: measured(name),
    paper: name === 'base' ? paperBase : null,
    toR1: name === 'base',
  });
  const trained = show.stages.flatMap(({ stage, origin, status }): Policy[] => {
    const role = roleOf(stage);
    if (role === 'reward-model') return [];
    const policy = { name: stage, title: titleOf(stage, role), status, evaluation: measured(stage) };
    return [
      ...(origin?.startsWith('student/') ? [before(origin)] : []),
      { ...policy, paper: paperFigures[role] ?? null, toR1: !besideRoles.includes(role) },
    ];
  });
  return byStudent(firstOfName([before('base'), ...trained]));
}

function byStudent(policies: readonly Policy[]): Policy[] {
  const beside = policies.filter(({ toR1 }) => !toR1);
  const students = [...new Set(beside.map(({ name }) => suffixOf(name)))];
  return [
    ...policies.filter(({ toR1 }) => toR1),
    ...students.flatMap((student) => beside.filter(({ name }) => suffixOf(name) === student)),
  ];
}

function titleOf(stage: string, role: Exclude<StageRole, 'reward-model'>): string {
  const suffix = suffixOf(stage);
  return suffix === undefined ? titles[role] : `${titles[role]} ${suffix}`;
}

const firstOfName = (policies: readonly Policy[]) =>
  policies.filter(({ name }, place) => policies.findIndex((other) => other.name === name) === place);
