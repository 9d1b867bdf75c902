import { z } from 'zod';
import { policyAfter, policyOfWeights } from '../../algorithm/run/policy-id.ts';
import { Failure } from '../../contracts/failures.ts';
import type { BranchKey, StepKey } from '../../contracts/identity.ts';
import { sha256Schema } from '../../contracts/reference.ts';
import type { Queryable } from '../database/database.ts';
import { readRow, readRows } from '../database/rows.ts';
import { branchName, branchValues, rowsOfBranch } from '../runs/branches.ts';

const linkSchema = z.object({
  step: z.int(),
  batch: sha256Schema,
  policyBefore: sha256Schema.nullable(),
  policyAfter: sha256Schema.nullable(),
});

/**
 * The ids of a branch's policies, by the step after which they are: chained from the digest of the weights that the
 * stage starts from over the batches of the branch and its ancestors, so that rows of the first release have them too.
 * @throws Failure 'Contradiction' where a row names another policy than the chain.
 */
export async function policiesOf(reader: Queryable, key: BranchKey): Promise<ReadonlyMap<number, string>> {
  const initial = await initialDigest(reader, key);
  const links = await readRows(
    reader,
    'batches and steps',
    linkSchema,
    `SELECT r.step, r.batch ->> 'sha256' AS batch, r.policy_before AS "policyBefore", s.policy_after AS "policyAfter"
     ${rowsOfBranch('batches')}
     LEFT JOIN steps s ON s.run = r.run AND s.stage = r.stage AND s.branch = r.branch AND s.step = r.step
     ORDER BY r.step`,
    branchValues(key),
  );
  let policy = policyOfWeights(initial);
  const policies = new Map([[0, policy]]);
  for (const link of links) {
    refuseOther(key, link.step, 'to start from', policy, link.policyBefore);
    policy = policyAfter(policy, link.batch);
    refuseOther(key, link.step, 'to end in', policy, link.policyAfter);
    policies.set(link.step, policy);
  }
  return policies;
}

/**
 * The policy that a step starts from: by the row of the batch before it, or by the whole chain where that row is of the
 * first release.
 * @throws Failure 'HistoryAhead' where the step before it is not logged.
 */
export async function policyBefore(reader: Queryable, { step, ...key }: StepKey): Promise<string> {
  const last = await readRow(
    reader,
    'batches',
    linkSchema.pick({ batch: true, policyBefore: true }),
    `SELECT r.batch ->> 'sha256' AS batch, r.policy_before AS "policyBefore" ${rowsOfBranch('batches')}
     WHERE r.step = $4`,
    [...branchValues(key), step - 1],
  );
  if (last?.policyBefore) return policyAfter(last.policyBefore, last.batch);
  const before = (await policiesOf(reader, key)).get(step - 1);
  if (before !== undefined) return before;
  throw new Failure(
    'HistoryAhead',
    `${branchName(key)} step ${step}: expected the batch of step ${step - 1} to be logged, found none`,
  );
}

function refuseOther(
  key: BranchKey,
  step: number,
  what: string,
  expected: string,
  found: string | null,
): void {
  if (found === null || found === expected) return;
  throw new Failure(
    'Contradiction',
    `${branchName(key)} step ${step}: expected it ${what} the policy ${expected} that the logged batches give, ` +
      `found ${found} in its row; were rows of other runs restored?`,
  );
}

async function initialDigest(reader: Queryable, { run, stage }: BranchKey): Promise<string> {
  const row = await readRow(
    reader,
    'stages',
    z.object({ digest: sha256Schema.nullable() }),
    `SELECT initial_digests ->> 'weights' AS digest FROM stages WHERE run = $1 AND stage = $2`,
    [run, stage],
  );
  if (row?.digest) return row.digest;
  throw new Failure(
    'Contradiction',
    `${run}/${stage}: expected the digest of the weights that it starts from, found none: is the stage before it complete?`,
  );
}
