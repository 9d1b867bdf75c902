/** The report that is printed when a run is complete. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ShowDocument } from '../../contracts/documents.ts';
import type { Recipe } from '../../contracts/recipe.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';
import { readPrompts } from '../../stores/data/prompts.ts';
import type { Database } from '../../stores/database/database.ts';
import { getRun } from '../../stores/runs/runs.ts';
import { listStageCosts, type StageCost } from '../../stores/runs/stage-costs.ts';
import { budgetsOf } from '../launch/plan-text.ts';
import { clock } from '../output/figures.ts';
import { R1, tableText } from '../output/output.ts';
import { costTable, MAIN_COSTS, wallSecondsOf } from '../report/facts.ts';
import {
  type ColumnName,
  comparesWithPaper,
  policiesOf,
  policyRows,
  samplingText,
} from '../report/policies.ts';
import { readShow } from './run-rows.ts';
import { productOf, rankingsText } from './show.ts';

interface FinishedRun {
  /** with full evaluations only */
  show: ShowDocument;
  recipe: Pick<Recipe, 'evaluation' | 'prompts' | 'compare_with_paper'> &
    Partial<Pick<Recipe, 'prompt_format'>>;
  costs: readonly StageCost[];
  /** a held-out problem of the run */
  question?: string | null;
  /** stage → budget in minutes */
  budgets?: ReadonlyMap<string, number>;
}

export async function readFinalReport(database: Database, run: string): Promise<string> {
  const show = await readShow(database, run);
  const [{ recipe, plan }, costs] = [await getRun(database, run), await listStageCosts(database, run)];
  const [first] = await readPrompts(database, plan.promptSet, 'test', [0]);
  const question = first?.problem ?? null;
  return finalReport({ show, recipe, costs, budgets: budgetsOf(recipe), question });
}

export function finalReport(finished: FinishedRun): string {
  const { show, costs, budgets } = finished;
  const wallSeconds = wallSecondsOf(finished);
  const steps = show.stages.reduce((sum, { step }) => sum + step, 0);
  const { head, rows } = costTable(costs, {
    wallSeconds,
    columns: MAIN_COSTS,
    ...(budgets === undefined ? {} : { budgets }),
  });
  return [
    `${show.run} is complete: ${stagesText(show.stages.length)}, ${steps} steps in ${clock(wallSeconds)}.`,
    policiesText(finished),
    ...rankingsText(show.stages),
    `${tableText(head, rows, { gap: 2 })}\n\n${COSTS_NOTE}`,
    ...alarmsText(show),
    checkpointsText(show),
    nextText(finished),
  ].join('\n\n');
}

const COSTS_NOTE =
  'Wall time is from start to end of a stage, including waiting for a trainer; sampling to saving are worker time.';

const stagesText = (stages: number) => (stages === 1 ? '1 stage' : `${stages} stages`);

const COLUMNS: ColumnName[] = [
  'policy',
  'stage',
  'pass@1',
  '95 %',
  'cons@k',
  'general',
  'language',
  'format',
  'length',
  'reflects',
  'AIME 2024',
];

/** The evaluated policies, with the paper's numbers where the recipe requests them. */
function policiesText({ show, recipe }: FinishedRun): string {
  const evaluations = show.evaluations.map((evaluation) => ({ ...evaluation, quick: false }));
  const withPaper = comparesWithPaper(recipe);
  const { head, rows } = policyRows(policiesOf({ show, evaluations }), { columns: COLUMNS, withPaper });
  const notes = [
    samplingText({ evaluation: recipe.evaluation, evaluations }),
    ...(withPaper
      ? ['AIME 2024: the paper’s pass@1, of other models on another task; only the shape is comparable.']
      : []),
  ];
  return `${tableText(head, rows, { gap: 2 })}\n\n${notes.join('\n')}`;
}

function alarmsText({ run, alarms }: ShowDocument): string[] {
  if (alarms.length === 0) return [];
  const names = [...new Set(alarms.map(({ name }) => name))];
  const lines = names.map((name) => {
    const raised = alarms.filter((alarm) => alarm.name === name);
    return `${name}: ${raised.map(({ stage, step }) => `${stage} at step ${step}`).join(', ')}`;
  });
  return [['Alarms', ...lines, `\`${R1} show ${run}\` explains them`].join('\n  ')];
}

function checkpointsText({ run, stages }: ShowDocument): string {
  const product = productOf(stages);
  if (product?.checkpoint == null) return 'No checkpoint was committed.';
  const others =
    stages.length === 1 ? '' : `\n            of every stage: ${run}/STAGE, or ${run}/STAGE@STEP`;
  return `Checkpoint  ${product.checkpoint.uri}${others}`;
}

function nextText({ show, recipe, question = null }: FinishedRun): string {
  const { run, recipe: name } = show;
  const chat = recipe.prompt_format === 'text' ? '' : ' --chat';
  return [
    'Next steps:',
    `  ${R1} report ${run}`,
    `  ${R1} generate ${run}${chat} --prompt '${promptFor(recipe, question)}'`,
    `  ${R1} ${samplesOf(show)}`,
    `  ${R1} export ${run} ${run}`,
    '',
    `Another run: ${R1} launch ${fileOf(name)} --set seed=2`,
    `Stop the stack: ${R1} down`,
  ].join('\n');
}

/** Rejected samples for data sets, else wrong answers of the last GRPO step. */
function samplesOf({ run, stages }: ShowDocument): string {
  if (stages.some(({ dataset }) => dataset !== null)) return `samples ${run} --rejected`;
  const reinforced = stages.findLast(({ algorithm, step }) => algorithm === 'grpo' && step > 0);
  return reinforced === undefined
    ? `steps ${run}`
    : `samples ${run} ${reinforced.stage} --step ${reinforced.step} --wrong`;
}

/** The path of a shipped recipe; the path of any other is unknown. */
const fileOf = (recipe: string) =>
  existsSync(join(PROJECT_ROOT, 'recipes', `${recipe}.yaml`)) ? `recipes/${recipe}.yaml` : 'RECIPE';

const LONGEST_QUESTION = 100;

/** A held-out problem of the run, if it fits a command line. */
function promptFor({ prompts }: Pick<Recipe, 'prompts'>, question: string | null): string {
  if (prompts.source === 'nano-sums') return '7+15+3+12=?';
  const fits = question !== null && question.length <= LONGEST_QUESTION && /^[^'\p{Cc}]+$/u.test(question);
  return fits ? question : 'YOUR QUESTION';
}
