/**
 * Objects that no row refers to are marked, and deleted after a grace. An object whose key is its content's digest may be
 * found again meanwhile by a writer that has no access to these rows. A commit that refers to one removes its mark and
 * checks that the object exists; marks, commits and deletions of one object follow each other by a lock on its URI.
 */
import { z } from 'zod';
import { Failure, TRIED_AGAIN } from '../../contracts/failures.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { insertRows, readRow, readRows } from '../database/rows.ts';

/** An object to be deleted. */
export interface MarkedObject {
  uri: string;
  bytes: number;
  /** why, for people */
  reason: string;
}

/** Locks objects until the transaction ends, in one order for all transactions. */
async function lockObjects(tx: Transaction, uris: readonly string[]): Promise<void> {
  for (const uri of [...new Set(uris)].sort())
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 14))', [uri]);
}

/**
 * Called in the transaction that commits a reference to objects that others may share. The objects exist until the
 * transaction ends, and afterwards are kept by its row.
 * @throws Failure 'Unavailable' where one is being deleted; 'TrainerLost' where one is gone: whoever wrote it, or found
 * it, writes it again.
 */
export async function claimObjects(
  tx: Transaction,
  uris: readonly string[],
  exists: (uri: string) => Promise<boolean>,
): Promise<void> {
  await lockObjects(tx, uris);
  const deleting = await readRow(
    tx,
    'deletion_marks',
    z.object({ uri: z.string() }),
    'SELECT uri FROM deletion_marks WHERE uri = ANY($1) AND deleting_since IS NOT NULL LIMIT 1',
    [uris],
  );
  if (deleting !== undefined)
    throw new Failure('Unavailable', `${deleting.uri} is being deleted: it is written again. ${TRIED_AGAIN}`);
  await tx.query('DELETE FROM deletion_marks WHERE uri = ANY($1)', [uris]);
  for (const uri of uris) {
    if (await exists(uri)) continue;
    throw new Failure('TrainerLost', `${uri}: expected the object that was written or found, found none`);
  }
}

/** Marks objects. Those that a checkpoint's row names as its reference policy are left out. */
export async function markObjects(tx: Transaction, objects: readonly MarkedObject[]): Promise<void> {
  const uris = objects.map(({ uri }) => uri);
  await lockObjects(tx, uris);
  const used = await usedReferences(tx, uris);
  const unused = objects.filter(({ uri }) => !used.has(uri));
  await insertRows(tx, 'deletion_marks', {}, unused, { onConflict: 'nothing' });
}

/** The digest in the key of a reference policy. */
const REFERENCE = /\/references\/([0-9a-f]{64})\.safetensors$/;

/** Reference policies that a checkpoint's row names. */
export async function usedReferences(reader: Queryable, uris: readonly string[]): Promise<Set<string>> {
  const byDigest = new Map(uris.map((uri) => [REFERENCE.exec(uri)?.[1], uri]));
  const rows = await readRows(
    reader,
    'checkpoints',
    z.object({ digest: z.string() }),
    `SELECT DISTINCT digests ->> 'reference' AS digest FROM checkpoints WHERE digests ->> 'reference' = ANY($1)`,
    [[...byDigest.keys()].filter((digest) => digest !== undefined)],
  );
  return new Set(rows.flatMap(({ digest }) => byDigest.get(digest) ?? []));
}

export interface DueOptions {
  /** how old a mark must be */
  graceSeconds: number;
  /** a deletion that began longer ago than this was ended with its process, and begins again */
  takeOverSeconds: number;
}

const dueSchema = z.object({ uri: z.string(), bytes: z.number(), reason: z.string(), markedAt: z.string() });
type Due = z.infer<typeof dueSchema>;

const isDue = (first: number) =>
  `marked_at <= now() - make_interval(secs => $${first}) AND
   (deleting_since IS NULL OR deleting_since <= now() - make_interval(secs => $${first + 1}))`;

/** Marked objects of a bucket that may be deleted now, manifests first. */
export async function listDue(
  reader: Queryable,
  bucket: string,
  { graceSeconds, takeOverSeconds, limit }: DueOptions & { limit: number },
): Promise<Due[]> {
  return readRows(
    reader,
    'deletion_marks',
    dueSchema,
    `SELECT uri, bytes, reason, marked_at AS "markedAt" FROM deletion_marks
     WHERE starts_with(uri, $3) AND ${isDue(1)}
     ORDER BY uri NOT LIKE '%/manifest.json', marked_at, uri LIMIT $4`,
    [graceSeconds, takeOverSeconds, `s3://${bucket}/`, limit],
  );
}

/** Objects of a bucket that are marked, due or not. */
export async function listMarks(reader: Queryable, bucket: string): Promise<Due[]> {
  return readRows(
    reader,
    'deletion_marks',
    dueSchema,
    `SELECT uri, bytes, reason, marked_at AS "markedAt" FROM deletion_marks
     WHERE starts_with(uri, $1) ORDER BY marked_at, uri`,
    [`s3://${bucket}/`],
  );
}

/**
 * From here on commits do not refer to the object. Returns when the deletion began, for `endDeletion`; null where the
 * mark was removed, or another process deletes the object.
 */
export async function beginDeletion(
  database: Database,
  uri: string,
  { graceSeconds, takeOverSeconds }: DueOptions,
): Promise<string | null> {
  return database.transaction(async (tx) => {
    await lockObjects(tx, [uri]);
    const begun = await readRow(
      tx,
      'deletion_marks',
      z.object({ since: z.string() }),
      `UPDATE deletion_marks SET deleting_since = clock_timestamp() WHERE uri = $3 AND ${isDue(1)}
       RETURNING deleting_since::text AS since`,
      [graceSeconds, takeOverSeconds, uri],
    );
    return begun?.since ?? null;
  });
}

/** S3 refuses to delete the object: commits may refer to it, and another attempt may delete it. */
export async function abandonDeletion(database: Database, uri: string, since: string): Promise<void> {
  await database.query(
    'UPDATE deletion_marks SET deleting_since = NULL WHERE uri = $1 AND deleting_since = $2::timestamptz',
    [uri, since],
  );
}

/** The object is deleted: the next commit that refers to it finds it missing. */
export async function endDeletion(database: Database, uri: string, since: string): Promise<void> {
  await database.transaction(async (tx) => {
    await lockObjects(tx, [uri]);
    await tx.query('DELETE FROM deletion_marks WHERE uri = $1 AND deleting_since = $2::timestamptz', [
      uri,
      since,
    ]);
  });
}
