/** Gathers from rows and objects what a run's report says. */
import { sumCounts } from '../../algorithm/data/filters.ts';
import type { EvaluationDocument, ShowDocument } from '../../contracts/documents.ts';
import { runWorkflowId } from '../../contracts/workflows.ts';
import { getDataset } from '../../stores/data/datasets.ts';
import { listLastParts } from '../../stores/data/samples.ts';
import type { Database, Queryable } from '../../stores/database/database.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { getRun } from '../../stores/runs/runs.ts';
import { listStageCosts } from '../../stores/runs/stage-costs.ts';
import { type CommittedEvaluation, listEvaluations } from '../../stores/steps/evaluations.ts';
import { listSteps } from '../../stores/steps/steps.ts';
import { budgetsOf } from '../launch/plan-view.ts';
import { readShow } from '../run/run-rows.ts';
import { readAnswers } from './answers.ts';
import { comparesWithPaper } from './paper.ts';
import { policiesOf } from './policies.ts';
import type { ReportData, StageFunnel } from './report-data.ts';

export interface ReportSources {
  database: Database;
  objects: ObjectStore;
  /** where a workflow is seen; null where no UI is known */
  link(workflowId: string): string | null;
}

/** Whatever there is of a run, finished or not. */
export async function gatherReport(
  { database, objects, link }: ReportSources,
  name: string | undefined,
  { paper = false }: { paper?: boolean } = {},
): Promise<ReportData> {
  const show = await readShow(database, name);
  const { run } = show;
  const { recipe, plan } = await getRun(database, run);
  const evaluations = await listEvaluations(database, run, { quick: true, branches: 'current' });
  return {
    show,
    description: recipe.description,
    withPaper: paper || comparesWithPaper(recipe),
    evaluation: recipe.evaluation,
    evaluations: evaluations.map(documentOf),
    steps: await listSteps(database, run),
    costs: await listStageCosts(database, run),
    budgets: budgetsOf(recipe),
    funnels: await funnelsOf(database, show),
    answers: await readAnswers(objects, shownEvaluations(show, evaluations), plan.generalDomains),
    links: linksOf(show, link),
    madeAt: new Date().toISOString(),
  };
}

function documentOf(row: CommittedEvaluation): EvaluationDocument & { quick: boolean } {
  const { branch: _branch, rollout: _rollout, scores: _scores, checkpoint: _at, ...document } = row;
  return document;
}

/** The last whole evaluation of each policy, in the order of the table. */
function shownEvaluations(
  show: ShowDocument,
  evaluations: readonly CommittedEvaluation[],
): CommittedEvaluation[] {
  const whole = evaluations.filter(({ quick }) => !quick);
  const documents = whole.map(documentOf);
  return policiesOf({ show, evaluations: documents }).flatMap(
    ({ name }) => whole.findLast(({ stage }) => stage === name) ?? [],
  );
}

async function funnelsOf(reader: Queryable, { run, stages }: ShowDocument): Promise<StageFunnel[]> {
  const funnels: StageFunnel[] = [];
  for (const { stage, dataset } of stages) {
    const parts = await listLastParts(reader, { run, stage });
    if (parts.length === 0) continue;
    const rows = dataset === null ? null : (await getDataset(reader, dataset)).rows;
    const from = [...new Set(parts.map(({ sourceStage }) => sourceStage))].join(', ');
    funnels.push({ stage, from, counts: sumCounts(parts.map(({ counts }) => counts)), rows });
  }
  return funnels;
}

function linksOf({ run, stages }: ShowDocument, link: ReportSources['link']): ReportData['links'] {
  const ofStages = stages.map(({ stage, workflowId }) => [stage, link(workflowId)]);
  return { run: link(runWorkflowId(run)), stages: Object.fromEntries(ofStages) };
}
