/** Reads runs from the database. */
import type { EvaluationDocument, ShowDocument } from '../../contracts/documents.ts';
import { runWorkflowId } from '../../contracts/workflows.ts';
import type { Database, Queryable } from '../../stores/database/database.ts';
import { listRunAlarms } from '../../stores/runs/alarms.ts';
import { getRun, latestRun, type Run } from '../../stores/runs/runs.ts';
import { listStages } from '../../stores/runs/stages.ts';
import { listTrainerQueue } from '../../stores/runs/trainer-queue.ts';
import { type CommittedEvaluation, listEvaluations } from '../../stores/steps/evaluations.ts';
import { listDeleted, retentionOf } from '../../stores/steps/retention.ts';
import { CommandError } from '../errors.ts';

/** The named run, by default the latest. Throws where there is none. */
export async function findRun(reader: Queryable, name: string | undefined): Promise<Run> {
  const run = name === undefined || name === 'latest' ? await latestRun(reader) : await getRun(reader, name);
  if (run !== null) return run;
  throw new CommandError('there is no run yet. Launch one: `r1 launch recipes/nano-zero.yaml`');
}

/** The document of `r1 show`, read in one snapshot; `quick` includes quick evaluations. */
export async function readShow(
  database: Database,
  name: string | undefined,
  { quick = false }: { quick?: boolean } = {},
): Promise<ShowDocument> {
  return database.snapshot(async (reader) => {
    const { run, recipe, plan, status, startedAt, finishedAt } = await findRun(reader, name);
    const queue = await listTrainerQueue(reader);
    return {
      run,
      workflowId: runWorkflowId(run),
      recipe: recipe.name,
      seed: plan.seed,
      status,
      startedAt,
      finishedAt,
      place: queue.find((each) => each.run === run)?.place ?? null,
      stages: await listStages(reader, run),
      checkpoints: await checkpointsOf(reader, run, plan),
      alarms: await listRunAlarms(reader, run),
      evaluations: (await listEvaluations(reader, run, { quick })).map(evaluationDocument),
    };
  });
}

/** Committed checkpoints with the rules that keep them, and deleted ones with why none did. */
async function checkpointsOf(
  reader: Queryable,
  run: string,
  { stages }: Run['plan'],
): Promise<ShowDocument['checkpoints']> {
  const gone = await listDeleted(reader, run);
  const all: ShowDocument['checkpoints'] = [];
  for (const { stage, options } of stages) {
    const { kept, deleted } = await retentionOf(reader, { run, stage }, options);
    const committed = [...kept, ...deleted.map((each) => ({ ...each, reasons: [] }))];
    const ofStage = [
      ...committed.map(({ branch, step, manifest: { uri }, bytes, reasons }) => {
        return { stage, branch, step, uri, bytes, kept: reasons, deleted: null };
      }),
      ...gone
        .filter((each) => each.stage === stage)
        .map(({ branch, step, uri, bytes, reason, deletedAt: at }) => {
          return { stage, branch, step, uri, bytes, kept: [], deleted: { at, reason } };
        }),
    ];
    all.push(...ofStage.sort((a, b) => a.branch - b.branch || a.step - b.step));
  }
  return all;
}

function evaluationDocument(row: CommittedEvaluation): EvaluationDocument {
  const {
    branch: _branch,
    quick: _quick,
    rollout: _rollout,
    scores: _scores,
    checkpoint: _at,
    ...document
  } = row;
  return document;
}

/** The first parked stage, else the first paused one, else the first unfinished one, else the last. */
export function currentStage({ stages }: ShowDocument): ShowDocument['stages'][number] | undefined {
  return (
    stages.find(({ status }) => status === 'parked') ??
    stages.find(({ status }) => status === 'paused') ??
    stages.find(({ status }) => status !== 'complete') ??
    stages.at(-1)
  );
}
