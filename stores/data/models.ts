import { z } from 'zod';
import { Failure } from '../../contracts/failures.ts';
import { nameSchema, referenceSchema, sha256Schema } from '../../contracts/reference.ts';
import type { Database, Queryable } from '../database/database.ts';
import { insertRow, readRow, readRows } from '../database/rows.ts';

const addedModelSchema = z.object({
  name: nameSchema,
  /** a folder, a GGUF file, or `owner/name` of a hub */
  source: z.string(),
  /** the commit of the hub's repository; null for files of this machine */
  revision: z.string().nullable(),
  license: z.string().nullable(),
  architecture: z.string(),
  parameters: z.coerce.number().int().positive(),
  /** positions */
  context: z.int().positive(),
  /** of the source's tensors, the most elements first */
  dtypes: z.array(z.string()),
  /** of the stored weights */
  digest: sha256Schema,
  manifest: referenceSchema,
  addedAt: z.iso.datetime(),
});

/** A model that was added under a name. */
export type AddedModel = z.infer<typeof addedModelSchema>;

const COLUMNS = `name, source, revision, license, architecture, parameters, context, dtypes, digest, manifest,
  added_at AS "addedAt"`;

/**
 * Records a model whose objects are written. The same model under the same name is returned as it was recorded.
 * @throws Failure 'InvalidInput' where the name refers to a model with other files, or is the name of a run.
 */
export async function addModel(
  database: Database,
  model: Omit<AddedModel, 'addedAt'>,
): Promise<{ model: AddedModel; isNew: boolean }> {
  return database.transaction(async (tx) => {
    await refuseNameOfRun(tx, model.name);
    const inserted = await insertRow(tx, 'models', model, { onConflict: 'nothing', returning: 'name' });
    const recorded = await findModel(tx, model.name);
    if (recorded === undefined) throw new Error(`model ${model.name}: expected its row, found none`);
    if (recorded.manifest.sha256 === model.manifest.sha256)
      return { model: recorded, isNew: inserted.length > 0 };
    throw new Failure(
      'InvalidInput',
      `model ${model.name}: expected the files that were added under this name (weights ${recorded.digest}, from ` +
        `${recorded.source}), found others (weights ${model.digest}, from ${model.source}). Choose another name with --name.`,
    );
  });
}

async function refuseNameOfRun(reader: Queryable, name: string): Promise<void> {
  const found = await reader.query('SELECT 1 FROM runs WHERE run = $1', [name]);
  if (found.length === 0) return;
  throw new Failure(
    'InvalidInput',
    `model ${name}: expected a name that no run has, found a run of this name. Choose another name with --name.`,
  );
}

/** The model of a name; undefined where none was added under it. */
export async function findModel(reader: Queryable, name: string): Promise<AddedModel | undefined> {
  return readRow(reader, 'models', addedModelSchema, `SELECT ${COLUMNS} FROM models WHERE name = $1`, [name]);
}

/** All models, by name. */
export async function listModels(reader: Queryable): Promise<AddedModel[]> {
  return readRows(reader, 'models', addedModelSchema, `SELECT ${COLUMNS} FROM models ORDER BY name`);
}
