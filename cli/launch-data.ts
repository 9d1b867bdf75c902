/** What a recipe's stages need beside prompts: examples to imitate, preferences to rank by. */
import { resolve } from 'node:path';
import type { Stores } from '../activities/dependencies.ts';
import { readExampleFile } from '../activities/example-file.ts';
import { readPreferenceFile } from '../activities/preference-file.ts';
import { nanoGeneralRows, plainResponse } from '../algorithm/nano-general.ts';
import { nanoPreferencePairs, nanoSafetyLabels } from '../algorithm/nano-preferences.ts';
import type { NewExample } from '../contracts/datasets.ts';
import type { ExampleSource, PreferenceSource, Recipe } from '../contracts/recipe.ts';
import { createExampleSet } from '../stores/example-sets.ts';
import { importPreferences, type NewPreference } from '../stores/preferences.ts';
import { objectiveOf } from './run-plan.ts';

/** By stage; read and checked, nothing is written. */
export interface LaunchData {
  examples: Record<string, NewExample[][]>;
  preferences: Record<string, NewPreference[]>;
}

/** Throws naming file and line. */
export async function readLaunchData({ stages }: Recipe, folder: string): Promise<LaunchData> {
  const data: LaunchData = { examples: {}, preferences: {} };
  for (const stage of stages) {
    if (stage.algorithm === 'sft') data.examples[stage.stage] = await examplesOf(stage.data, folder);
    if (stage.algorithm === 'reward-model')
      data.preferences[stage.stage] = await preferencesOf(stage.stage, stage.preferences, folder);
  }
  return data;
}

async function examplesOf(sources: readonly ExampleSource[], folder: string): Promise<NewExample[][]> {
  const sets: NewExample[][] = [];
  for (const source of sources) {
    if (source.source === 'jsonl') sets.push(await readExampleFile(resolve(folder, source.path)));
    if (source.source === 'nano-general') sets.push(generalExamples(source));
  }
  return sets;
}

/** The general tasks' training problems, answered plainly. */
function generalExamples({ rows, seed }: { rows: number; seed: number }): NewExample[] {
  return nanoGeneralRows({ train: rows, test: 0, seed }).map(({ problem, answer, domain }, index) => ({
    problem,
    response: plainResponse(answer),
    domain,
    source: `nano-general seed ${seed}`,
    line: index + 1,
  }));
}

async function preferencesOf(
  stage: string,
  source: PreferenceSource,
  folder: string,
): Promise<NewPreference[]> {
  const kind = objectiveOf(stage) === 'pairwise' ? 'pair' : 'label';
  if (source.source === 'jsonl')
    return readPreferenceFile(resolve(folder, source.path), kind, source.held_out);
  const rows = kind === 'pair' ? nanoPreferencePairs(source) : nanoSafetyLabels(source);
  return rows.map(
    (row, index) => ({ kind, ...row, source: `nano seed ${source.seed}`, line: index + 1 }) as NewPreference,
  );
}

/** Digests by stage, as they lie in the stores. */
export interface ImportedLaunchData {
  examples: Record<string, string[]>;
  preferences: Record<string, string>;
}

/** Writes what was read, or finds it already there. */
export async function importLaunchData(
  { name, stages }: Recipe,
  data: LaunchData,
  { database, objects }: Stores,
): Promise<ImportedLaunchData> {
  const imported: ImportedLaunchData = { examples: {}, preferences: {} };
  for (const { stage } of stages) {
    const setName = (kind: string) => `${name}-${stage.replace('/', '-')}-${kind}`;
    const digests: string[] = [];
    for (const [place, rows] of (data.examples[stage] ?? []).entries()) {
      const set = { name: setName(`examples-${place + 1}`), rows };
      digests.push((await createExampleSet(database, objects, set)).digest);
    }
    imported.examples[stage] = digests;
    const rows = data.preferences[stage];
    if (rows !== undefined)
      imported.preferences[stage] = (
        await importPreferences(database, { name: setName('preferences'), rows })
      ).digest;
  }
  return imported;
}
