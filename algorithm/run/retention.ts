/** Which checkpoints of a stage are kept, and why; every other one is deleted. */
import type { BestMetric, RetentionOptions } from '../../contracts/options.ts';

/** A committed checkpoint, by its row. */
export interface RetainedRow {
  branch: number;
  step: number;
  /** the metric of `save_best` in the quick evaluation of its step; null: not measured */
  value: number | null;
  /** what refers to it outside its stage's log, for people */
  usedBy: readonly string[];
}

interface BranchRow {
  branch: number;
  parent: number | null;
  /** steps up to this one are the parent's */
  forkStep: number;
}

/** The rows of one stage. */
export interface RetentionRows<Row extends RetainedRow = RetainedRow> {
  checkpoints: readonly Row[];
  branches: readonly BranchRow[];
}

type Options = RetentionOptions & { max_steps: number; save_steps: number };

export interface Retention<Row extends RetainedRow = RetainedRow> {
  deleted: (Row & { reason: string })[];
  /** with at least one reason each */
  kept: (Row & { reasons: string[] })[];
}

/** Whether a higher value of each metric is better. */
const isBetterHigher: Record<BestMetric, boolean> = {
  pass_at_1: true,
  pass_at_k: true,
  cons_at_k: true,
  format_rate: true,
  language_consistency: true,
  mean_length: false,
};

/**
 * Decides by the rows of a stage. A log is never deleted, so that the policy of every step can be made again from any
 * checkpoint before it, and at worst from what the stage started from: what is kept decides how long that takes.
 */
export function decideRetention<Row extends RetainedRow>(
  rows: RetentionRows<Row>,
  options: Options,
): Retention<Row> {
  const retention: Retention<Row> = { deleted: [], kept: [] };
  const kept = keptSteps(rows, options);
  for (const row of rows.checkpoints) {
    const reasons = reasonsOf(row, kept, options);
    if (reasons.length > 0) retention.kept.push({ ...row, reasons });
    else retention.deleted.push({ ...row, reason: reasonOf(row, options) });
  }
  return retention;
}

/** Checkpoints that are kept for how they compare with others, as `branch@step`. */
interface KeptSteps {
  latest: ReadonlySet<string>;
  forks: ReadonlyMap<string, number[]>;
  recent: ReadonlySet<string>;
  best: ReadonlySet<string>;
}

const nameOf = ({ branch, step }: Pick<RetainedRow, 'branch' | 'step'>) => `${branch}@${step}`;

function keptSteps({ checkpoints, branches }: RetentionRows, options: Options): KeptSteps {
  const ofBranch = new Map<number, RetainedRow[]>();
  for (const row of [...checkpoints].sort((a, b) => a.step - b.step)) {
    const own = ofBranch.get(row.branch);
    if (own === undefined) ofBranch.set(row.branch, [row]);
    else own.push(row);
  }
  const all = [...ofBranch.values()];
  return {
    latest: namesOf(all.flatMap((rows) => rows.slice(-1))),
    forks: forksOf(branches, ofBranch),
    recent: namesOf(all.flatMap((rows) => recentOf(rows, options))),
    best: namesOf(all.flatMap((rows) => bestOf(rows, options))),
  };
}

const namesOf = (rows: readonly RetainedRow[]) => new Set(rows.map(nameOf));

const isPlanned = ({ step }: Pick<RetainedRow, 'step'>, { save_steps, max_steps }: Options) =>
  step % save_steps === 0 || step === max_steps;

function recentOf(rows: readonly RetainedRow[], options: Options): RetainedRow[] {
  const { save_total_limit: limit } = options;
  return limit === undefined ? [] : rows.filter((row) => isPlanned(row, options)).slice(-limit);
}

/** The first of the best. */
function bestOf(rows: readonly RetainedRow[], { save_best: metric }: Options): RetainedRow[] {
  if (metric === undefined) return [];
  const sign = isBetterHigher[metric] ? 1 : -1;
  let best: { row: RetainedRow; value: number } | null = null;
  for (const row of rows) {
    if (row.value === null) continue;
    if (best === null || sign * row.value > sign * best.value) best = { row, value: row.value };
  }
  return best === null ? [] : [best.row];
}

/** The checkpoint that each branch continues after, with the branches. */
function forksOf(
  branches: readonly BranchRow[],
  ofBranch: ReadonlyMap<number, readonly RetainedRow[]>,
): Map<string, number[]> {
  const byNumber = new Map(branches.map((each) => [each.branch, each]));
  const lastUpTo = (branch: number | null, upTo: number): RetainedRow | null => {
    if (branch === null) return null;
    const own = ofBranch.get(branch)?.findLast(({ step }) => step <= upTo);
    if (own !== undefined) return own;
    const { parent = null, forkStep = 0 } = byNumber.get(branch) ?? {};
    return lastUpTo(parent, Math.min(upTo, forkStep));
  };
  const forks = new Map<string, number[]>();
  for (const { branch, parent, forkStep } of branches) {
    const start = lastUpTo(parent, forkStep);
    if (start !== null) forks.set(nameOf(start), [...(forks.get(nameOf(start)) ?? []), branch]);
  }
  return forks;
}

function reasonsOf(row: RetainedRow, { latest, forks, recent, best }: KeptSteps, options: Options): string[] {
  const { max_steps, save_total_limit, save_best, keep_every } = options;
  const name = nameOf(row);
  const reason = (holds: boolean, text: string) => (holds ? [text] : []);
  return [
    ...reason(save_total_limit === undefined, 'there is no save_total_limit'),
    ...reason(row.step === max_steps, 'the end of the stage'),
    ...reason(latest.has(name), row.branch === 0 ? 'the latest' : `the latest of branch ${row.branch}`),
    ...(forks.get(name) ?? []).map((branch) => `branch ${branch} continues after it`),
    ...row.usedBy,
    ...reason(recent.has(name), `among the ${save_total_limit} latest planned (save_total_limit)`),
    ...reason(best.has(name), `the best by ${save_best} (save_best)`),
    ...reason(
      keep_every !== undefined && row.step % keep_every === 0,
      `step divisible by ${keep_every} (keep_every)`,
    ),
  ];
}

function reasonOf(row: RetainedRow, options: Options): string {
  const { save_total_limit, save_best, keep_every } = options;
  const limit = isPlanned(row, options)
    ? `not among the ${save_total_limit} latest planned (save_total_limit)`
    : 'not planned, and no longer the latest';
  return [
    limit,
    ...(save_best === undefined ? [] : [`not the best by ${save_best} (save_best)`]),
    ...(keep_every === undefined ? [] : [`step not divisible by ${keep_every} (keep_every)`]),
  ].join(', ');
}
