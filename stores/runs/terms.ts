import { Failure } from '../../contracts/failures.ts';
import type { BranchKey, Lease } from '../../contracts/identity.ts';
import type { Database, Transaction } from '../database/database.ts';
import { insertRow } from '../database/rows.ts';
import { type BranchState, branchName, lockCurrentBranch } from './branches.ts';

/**
 * Claims a new term of the branch, larger than all before. Transactions under smaller terms have ended, or are refused
 * from here on. `holder` names in messages who holds the term.
 */
export async function claimTerm(database: Database, key: BranchKey, holder: string): Promise<Lease> {
  return database.transaction(async (tx) => {
    const { term } = await lockCurrentBranch(tx, key);
    const lease = { run: key.run, stage: key.stage, branch: key.branch, term: term + 1 };
    await insertRow(tx, 'terms', { ...lease, holder });
    return lease;
  });
}

/**
 * Called first in every transaction that writes for a trainer. It locks the branch until the transaction ends: a claim
 * waits for the write to end, or the write finds that the term was claimed.
 * @throws Failure 'SupersededTerm' where another term, or another branch, has taken over.
 */
export async function assertCurrentTerm(tx: Transaction, lease: Lease): Promise<BranchState> {
  const state = await lockCurrentBranch(tx, lease);
  if (state.term === lease.term) return state;
  throw new Failure(
    'SupersededTerm',
    `${branchName(lease)}: expected the current term ${state.term} (held by ${state.holder ?? 'nobody'}), ` +
      `found a write under term ${lease.term}. Nothing was written; the trainer of term ${lease.term} is to be released.`,
  );
}
