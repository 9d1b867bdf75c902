import { sumCounts } from '../../../algorithm/data/filters.ts';
import {
  type BuildDatasetInput,
  type BuildDatasetResult,
  rejectionReasons,
  type SampleCounts,
} from '../../../contracts/datasets.ts';
import { Failure } from '../../../contracts/failures.ts';
import { acceptedContents, rowContents } from '../../../stores/data/dataset-rows.ts';
import {
  commitBuild,
  datasetHash,
  findBuild,
  getDataset,
  type NewVersion,
  refuseOtherBuild,
  resultOf,
} from '../../../stores/data/datasets.ts';
import { listParts, listSamples, type SamplePart } from '../../../stores/data/samples.ts';
import type { Database } from '../../../stores/database/database.ts';
import type { Stores } from '../../dependencies.ts';
import { planOf } from '../../plan-of.ts';
import { evaluatedProblems } from './evaluated-problems.ts';
import { explainRejection } from './explain-rejection.ts';

/**
 * Builds a version of a data set: the accepted samples in the order of parts and sequences, then the included data sets'
 * rows. The same content is the same version.
 * @throws Failure 'EmptyBatch' where the rule kept nothing, with the counts by reason; 'HistoryAhead' where a part is not
 * committed; 'Contradiction' where the branch has built another one under this name.
 */
export async function buildDataset(
  { database }: Pick<Stores, 'database'>,
  input: BuildDatasetInput,
): Promise<BuildDatasetResult> {
  const parts = await partsOf(database, input);
  const version = await versionOf(database, input, parts);
  const before = await findBuild(database, input);
  if (before !== null) {
    refuseOtherBuild(input, before, version.digest);
    return resultOf(before);
  }
  return resultOf(await commitBuild(database, input, version, parts));
}

async function partsOf(database: Database, { key, parts }: BuildDatasetInput): Promise<SamplePart[]> {
  const committed = (await listParts(database, key)).filter(({ part }) => part < parts);
  if (committed.length === parts) return committed;
  const found = committed.map(({ part }) => part).join(', ') || 'none';
  throw new Failure(
    'HistoryAhead',
    `${key.run}/${key.stage}: expected the parts 0 to ${parts - 1} of its samples, found ${found}. Select the others first.`,
  );
}

async function versionOf(
  database: Database,
  { key, name, rule, include }: BuildDatasetInput,
  parts: readonly SamplePart[],
): Promise<NewVersion> {
  const counts = sumCounts(parts.map((part) => part.counts));
  if (parts.length === 0 ? include.length === 0 : counts.kept === 0)
    await refuseEmpty(database, { key, name, rule, counts });
  const datasetRule = { selection: parts.length === 0 ? null : rule, include };
  const policy = onlyPolicy(parts);
  const hash = datasetHash({ name, rule: datasetRule, policy });
  for (const { id } of parts) hash.add(await acceptedContents(database, id));
  for (const digest of include) {
    const { id, rows } = await getDataset(database, digest);
    for await (const contents of rowContents(database, id, rows)) hash.add(contents);
  }
  return { name, rule: datasetRule, policy, rejected: counts.rejected, ...hash.end() };
}

/** Without any accepted sample the stage would silently train on the included examples alone. */
async function refuseEmpty(
  database: Database,
  { key, name, rule, counts }: Pick<BuildDatasetInput, 'key' | 'name' | 'rule'> & { counts: SampleCounts },
): Promise<never> {
  const { run, stage } = key;
  const { sampled, correct, rejected } = counts;
  const reasons = Object.entries(rejected).map(([reason, count]) => `${reason} ${count}`);
  const explained = await explainMost(database, key, rule, rejected);
  throw new Failure(
    'EmptyBatch',
    `${run}/${stage}: data set ${name}: expected at least one accepted sample, found none of ${sampled} (${correct} correct` +
      `${reasons.length > 0 ? `; refused: ${reasons.join(', ')}` : ''}). ${explained}` +
      `See them with \`r1 samples ${run} ${stage} --rejected\`; then launch again with a less strict rule (keep), with more ` +
      'samples (prompts, num_generations), or from a policy that answers better',
  );
}

/** The rule that rejected most samples, with one example; empty where nothing was rejected. */
async function explainMost(
  database: Database,
  { run, stage }: BuildDatasetInput['key'],
  rule: BuildDatasetInput['rule'],
  rejected: SampleCounts['rejected'],
): Promise<string> {
  const countOf = (reason: (typeof rejectionReasons)[number]) => rejected[reason] ?? 0;
  const most = rejectionReasons.reduce((best, each) => (countOf(each) > countOf(best) ? each : best));
  const [sample] = await listSamples(database, run, { stage, reason: most, limit: 1 });
  if (sample === undefined) return '';
  const evaluated =
    most === 'contaminated'
      ? await evaluatedProblems(database, (await planOf(database, run)).promptSet)
      : null;
  return `Most were refused by ${explainRejection(most, sample, { rule, evaluated })}. `;
}

/** The policy that sampled all parts; null where there are several, or none. */
function onlyPolicy(parts: readonly SamplePart[]): string | null {
  const policies = new Set(parts.map(({ policy }) => policy));
  const [policy = null] = policies;
  return policies.size === 1 ? policy : null;
}
