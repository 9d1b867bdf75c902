/** What a recipe's stages need beside prompts: examples to imitate, preferences to rank by. */
import { resolve } from 'node:path';
import type { Stores } from '../../activities/dependencies.ts';
import { nanoGeneralRows, plainResponse } from '../../algorithm/nano/general.ts';
import { nanoPreferencePairs, nanoSafetyLabels } from '../../algorithm/nano/preferences.ts';
import type { NewExample } from '../../contracts/datasets.ts';
import type { ExampleSource, PreferenceSource, Recipe } from '../../contracts/recipe.ts';
import { createExampleSet } from '../../stores/data/example-sets.ts';
import { importedSet } from '../../stores/data/imported-sets.ts';
import { importPreferences, type NewPreference } from '../../stores/data/preferences.ts';
import { examplesIn } from '../data/example-file.ts';
import { type LinesText, readLinesText } from '../data/json-lines.ts';
import { preferencesIn } from '../data/preference-file.ts';
import type { Connections } from '../stack/connections.ts';
import { objectiveOf } from './run-plan.ts';

/** By stage; read and checked, nothing is written. */
export interface LaunchData {
  examples: Record<string, NewExample[][]>;
  preferences: Record<string, NewPreference[]>;
}

/** What paths count from, and where imported sets lie. */
export interface LaunchSources extends Pick<Connections, 'database' | 'objects'> {
  folder: string;
}

/** Throws naming file and line. */
export async function readLaunchData({ stages }: Recipe, places: LaunchSources): Promise<LaunchData> {
  const data: LaunchData = { examples: {}, preferences: {} };
  for (const stage of stages) {
    if (stage.algorithm === 'sft') data.examples[stage.stage] = await examplesOf(stage.data, places);
    if (stage.algorithm === 'reward-model')
      data.preferences[stage.stage] = await preferencesOf(stage.stage, stage.preferences, places);
  }
  return data;
}

async function examplesOf(sources: readonly ExampleSource[], places: LaunchSources): Promise<NewExample[][]> {
  const sets: NewExample[][] = [];
  for (const source of sources) {
    if (source.source === 'jsonl' || source.source === 'imported')
      sets.push(examplesIn(await linesOf(source, 'examples', places)));
    if (source.source === 'nano-general') sets.push(generalExamples(source));
  }
  return sets;
}

/** The lines of a file, or of what was imported under a name. */
async function linesOf(
  source: { source: 'jsonl'; path: string } | { source: 'imported'; name: string },
  kind: 'examples' | 'preferences' | 'labels',
  { folder, database, objects }: LaunchSources,
): Promise<LinesText> {
  if (source.source === 'jsonl') return readLinesText(resolve(folder, source.path));
  const { object } = await importedSet(await database(), source.name, kind);
  const bytes = await (await objects()).get(object);
  return { name: source.name, text: new TextDecoder().decode(bytes) };
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
  places: LaunchSources,
): Promise<NewPreference[]> {
  const kind = objectiveOf(stage) === 'pairwise' ? 'pair' : 'label';
  if (source.source === 'jsonl' || source.source === 'imported') {
    const lines = await linesOf(source, kind === 'pair' ? 'preferences' : 'labels', places);
    return preferencesIn(lines, kind, source.held_out);
  }
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
