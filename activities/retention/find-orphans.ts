/** Objects of checkpoints that no row names: their trainer was lost before the commit, or another one committed the step. */
import { z } from 'zod';
import { stageStatusSchema } from '../../contracts/stage-state.ts';
import { readRows } from '../../stores/database/rows.ts';
import { checkpointsFolder, REFERENCES_FOLDER } from '../../stores/objects/keys.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { listMarks, type MarkedObject, usedReferences } from '../../stores/steps/deletion-marks.ts';
import type { Stores } from '../dependencies.ts';

const branchSchema = z.object({
  run: z.string(),
  stage: z.string(),
  branch: z.int(),
  isCurrent: z.boolean(),
  status: stageStatusSchema,
  /** of the current lease; 0 before any */
  term: z.int(),
  manifests: z.array(z.string()),
});
type Branch = z.infer<typeof branchSchema>;

/**
 * Objects under superseded terms, of old branches and of ended stages that no checkpoint's row names, and reference
 * policies that none does: a commit that is still to come removes their marks. Those that are marked are left out.
 */
export async function findOrphans({ database, objects }: Stores): Promise<MarkedObject[]> {
  const references = await objects.list(REFERENCES_FOLDER);
  const listed = new Map<string, ObjectOf[]>();
  for (const { run, stage, branch } of await readBranches({ database }))
    listed.set(`${run}/${stage}/b${branch}`, await objects.list(checkpointsFolder({ run, stage, branch })));
  // Rows are read after the objects: what was committed meanwhile is named by one.
  const branches = await readBranches({ database });
  const own = branches.flatMap((branch) => {
    const found = listed.get(`${branch.run}/${branch.stage}/b${branch.branch}`) ?? [];
    return found.filter((object) => isOrphan(object, branch, objects));
  });
  const uriOf = ({ key }: ObjectOf) => `s3://${objects.bucket}/${key}`;
  const used = await usedReferences(database, references.map(uriOf));
  const all = [...own, ...references.filter((object) => !used.has(uriOf(object)))];
  const marked = new Set((await listMarks(database, objects.bucket)).map(({ uri }) => uri));
  return all
    .map((object) => ({ uri: uriOf(object), bytes: object.bytes, reason: 'no checkpoint’s row names it' }))
    .filter(({ uri }) => !marked.has(uri));
}

type ObjectOf = Awaited<ReturnType<ObjectStore['list']>>[number];

const ENDED = ['complete', 'aborted'];

function isOrphan(
  { key }: ObjectOf,
  { isCurrent, status, term, manifests }: Branch,
  { bucket }: Pick<ObjectStore, 'bucket'>,
): boolean {
  const [, folder, ofTerm] = /^(.*\/t(\d+)\/)[^/]+$/.exec(key) ?? [];
  if (folder === undefined) return false;
  const canCommit = isCurrent && !ENDED.includes(status) && Number(ofTerm) === term;
  return !canCommit && !manifests.some((uri) => uri.startsWith(`s3://${bucket}/${folder}`));
}

async function readBranches({ database }: Pick<Stores, 'database'>): Promise<Branch[]> {
  return readRows(
    database,
    'branches',
    branchSchema,
    `SELECT b.run, b.stage, b.branch, b.branch = st.branch AS "isCurrent", st.status,
       coalesce((SELECT max(t.term) FROM terms t
         WHERE t.run = b.run AND t.stage = b.stage AND t.branch = b.branch), 0) AS term,
       ARRAY(SELECT c.manifest ->> 'uri' FROM checkpoints c
         WHERE c.run = b.run AND c.stage = b.stage AND c.branch = b.branch) AS manifests
     FROM branches b JOIN stages st USING (run, stage) ORDER BY b.run, b.stage, b.branch`,
  );
}
