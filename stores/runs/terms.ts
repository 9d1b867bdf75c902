import { Failure } from '../../contracts/failures.ts';
import type { BranchKey, Lease } from '../../contracts/identity.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { type BranchState, branchName, lockBranch } from './branches.ts';

/**
 * Makes a new, larger term the branch's own. Transactions under smaller ones either ended before or are
 * refused from here on. `holder` says for people who claims it.
 */
export async function claimTerm(database: Database, key: BranchKey, holder: string): Promise<Lease> {
  return database.transaction(async (tx) => {
    const state = await lockBranch(tx, key);
    refuseOldBranch(key, state);
    const lease = { run: key.run, stage: key.stage, branch: key.branch, term: state.term + 1 };
    await tx.query('INSERT INTO terms (run, stage, branch, term, holder) VALUES ($1, $2, $3, $4, $5)', [
      lease.run,
      lease.stage,
      lease.branch,
      lease.term,
      holder,
    ]);
    return lease;
  });
}

/**
 * Called first in every transaction that writes for a trainer: locks the branch until the transaction
 * ends, so that a claim waits for the write or the write sees the claim.
 * @throws Failure 'SupersededTerm' where another term, or another branch, has taken over.
 */
export async function assertCurrentTerm(tx: Transaction, lease: Lease): Promise<BranchState> {
  const state = await lockBranch(tx, lease);
  refuseOldBranch(lease, state);
  if (state.term === lease.term) return state;
  throw new Failure(
    'SupersededTerm',
    `${branchName(lease)}: expected the current term ${state.term} (held by ${state.holder ?? 'nobody'}), ` +
      `found a write under term ${lease.term}. Nothing was written; the trainer of term ${lease.term} is to be released.`,
  );
}

/** Whether another term, or another branch, has taken over: for a trainer that nobody calls any more. */
export async function isSuperseded(reader: Queryable, lease: Lease): Promise<boolean> {
  const [row] = await reader.query<{ superseded: boolean }>(
    `SELECT s.branch <> $3 OR EXISTS (
       SELECT FROM terms t WHERE t.run = $1 AND t.stage = $2 AND t.branch = $3 AND t.term > $4
     ) AS superseded
     FROM stages s WHERE s.run = $1 AND s.stage = $2`,
    [lease.run, lease.stage, lease.branch, lease.term],
  );
  return row?.superseded ?? false;
}

function refuseOldBranch(key: BranchKey, { current }: BranchState): void {
  if (current === key.branch) return;
  throw new Failure(
    'SupersededTerm',
    `${branchName(key)}: the stage was rewound and goes on as branch ${current}. ` +
      'Nothing was written; old branches can only be read.',
  );
}
