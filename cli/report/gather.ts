/** Gathers the data of a run's report from database and object store. */

import { readShards } from '../../activities/records/shards.ts';
import { sumCounts } from '../../algorithm/data/filters.ts';
import { partsOf } from '../../algorithm/data/response-parts.ts';
import type { EvaluationDocument, ShowDocument } from '../../contracts/documents.ts';
import type { DrawnPrompt, ScoresRecord } from '../../contracts/records/schemas.ts';
import { runWorkflowId } from '../../contracts/workflows.ts';
import { getDataset } from '../../stores/data/datasets.ts';
import { listLastParts } from '../../stores/data/samples.ts';
import type { Database, Queryable } from '../../stores/database/database.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { getRun } from '../../stores/runs/runs.ts';
import { listStageCosts } from '../../stores/runs/stage-costs.ts';
import { type CommittedEvaluation, listEvaluations } from '../../stores/steps/evaluations.ts';
import { listSteps } from '../../stores/steps/steps.ts';
import { budgetsOf } from '../launch/plan-text.ts';
import { readShow } from '../run/run-rows.ts';
import { comparesWithPaper, policiesOf } from './policies.ts';
import type { AnsweredPrompt, PolicyResponse, ReportData, StageFunnel } from './report-data.ts';

interface ReportSources {
  database: Database;
  objects: ObjectStore;
  /** address of a workflow in the UI; null where the UI is unknown */
  link(workflowId: string): string | null;
}

/** For finished and unfinished runs. */
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

/** The last full evaluation of each policy, in the order of the table. */
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

/** Numbers of shown prompts: reasoning ones, and those of each general domain. */
const SHOWN = { reasoning: 3, ofGeneralDomain: 1 };
const MOST_CHARACTERS = 4_000;

interface Answered {
  prompts: DrawnPrompt[];
  /** first response to each prompt, by the prompt's hash */
  responses: Map<string, PolicyResponse>;
}

/**
 * The first held-out prompts with the first answer of each policy, independent of the answers. `evaluations`: one full
 * evaluation per policy, in display order.
 */
async function readAnswers(
  objects: ObjectStore,
  evaluations: readonly CommittedEvaluation[],
  generalDomains: readonly string[],
): Promise<AnsweredPrompt[]> {
  const answered: Answered[] = [];
  // One at a time: an evaluation with long answers needs much memory.
  for (const evaluation of evaluations) answered.push(await readFirstAnswers(objects, evaluation));
  const prompts = answered.find(({ prompts }) => prompts.length > 0)?.prompts ?? [];
  return shownOf(prompts, generalDomains).map(({ prompt, problem, answer, domain }) => ({
    problem,
    answer,
    domain,
    responses: answered.flatMap(({ responses }) => responses.get(prompt) ?? []),
  }));
}

function shownOf(prompts: readonly DrawnPrompt[], generalDomains: readonly string[]): DrawnPrompt[] {
  const reasoning = prompts.filter(({ domain }) => !generalDomains.includes(domain));
  const general = generalDomains.flatMap((name) =>
    prompts.filter(({ domain }) => domain === name).slice(0, SHOWN.ofGeneralDomain),
  );
  return [...reasoning.slice(0, SHOWN.reasoning), ...general];
}

async function readFirstAnswers(objects: ObjectStore, evaluation: CommittedEvaluation): Promise<Answered> {
  const answered: Answered = { prompts: [], responses: new Map() };
  for await (const { request, scores } of readShards(objects, evaluation)) {
    answered.prompts.push(...request.prompts);
    for (const [p, { prompt }] of request.prompts.entries()) {
      const n = p * request.numGenerations;
      const text = cut(scores.texts[n] ?? '');
      const correct = isCorrect(scores, n);
      answered.responses.set(prompt, { policy: evaluation.stage, text, parts: partsOf(text), correct });
    }
  }
  return answered;
}

function isCorrect({ rewards }: ScoresRecord, n: number): boolean | null {
  const verdict = rewards.find(({ name }) => name === 'accuracy')?.verdicts[n];
  return verdict !== undefined && 'score' in verdict ? verdict.score === 1 : null;
}

const cut = (text: string) =>
  text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}\n… (${text.length} characters)`;
