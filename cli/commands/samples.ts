import { type Command, Option } from 'commander';
import { sumCounts } from '../../algorithm/filters.ts';
import { type RejectionReason, rejectionReasons } from '../../contracts/datasets.ts';
import type { Queryable } from '../../stores/database.ts';
import { countSamples, listLastParts, listSamples } from '../../stores/samples.ts';
import { listStages } from '../../stores/stages.ts';
import { readTexts } from '../../stores/texts.ts';
import { withConnections } from '../connections.ts';
import { InputError } from '../errors.ts';
import { rowCount } from '../options.ts';
import { examples, printDocument, printLine } from '../output.ts';
import { findRun } from '../run-rows.ts';
import { type SampledStage, sampleDocumentOf, samplesText } from '../samples-view.ts';
import { suggestion } from '../suggestion.ts';

interface Options {
  rejected?: boolean;
  reason?: RejectionReason;
  limit: number;
  json?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      'Lists what a run sampled for its data sets: prompt, rewards, the rule that refused it, and its text, ' +
        'which for an accepted one is as rewritten.',
    )
    .argument('[run]', 'a run’s name; by default the latest run')
    .argument('[stage]', 'only the samples of this stage’s data')
    .option('--rejected', 'only what was refused')
    .addOption(new Option('--reason <reason>', 'only what was refused for this').choices(rejectionReasons))
    .option('--limit <n>', 'samples at most', rowCount, 20)
    .option('--json', 'print one document (contracts/schemas/samples.json)')
    .addHelpText(
      'after',
      examples('r1 samples', 'r1 samples nano-r1-1 rejection-sft --rejected --reason mixed-language'),
    )
    .action(samples);
}

async function samples(
  name: string | undefined,
  stage: string | undefined,
  { rejected = false, reason, limit, json }: Options,
): Promise<void> {
  await withConnections(async ({ database, objects }) => {
    const reader = await database();
    const { run } = await findRun(reader, name);
    if (stage !== undefined) refuseUnknown(stage, await listStages(reader, run));
    const filter = { stage: stage ?? null, rejected, reason: reason ?? null };
    const rows = await listSamples(reader, run, { ...filter, limit });
    const texts = await readTexts(
      await objects(),
      rows.map(({ text }) => text),
    );
    const samples = rows.map((row, index) => sampleDocumentOf(row, texts[index] ?? ''));
    if (json) return printDocument('samples', samples);
    const stages = await sampledStages(reader, run, stage);
    printLine(samplesText({ stages, samples, all: await countSamples(reader, run, filter) }));
  });
}

/** The stages of a run that sampled, or the one asked for. */
async function sampledStages(
  reader: Queryable,
  run: string,
  only: string | undefined,
): Promise<SampledStage[]> {
  const sampled: SampledStage[] = [];
  for (const { stage } of await listStages(reader, run)) {
    const parts = await listLastParts(reader, { run, stage });
    if (parts.length === 0 || stage !== (only ?? stage)) continue;
    const from = [...new Set(parts.map(({ sourceStage }) => sourceStage))];
    sampled.push({ stage, from, counts: sumCounts(parts.map(({ counts }) => counts)) });
  }
  return sampled;
}

function refuseUnknown(stage: string, stages: readonly { stage: string }[]): void {
  const known = stages.map((each) => each.stage);
  if (known.includes(stage)) return;
  throw new InputError(
    `stage: expected one of ${known.join(', ')}; found ${stage}${suggestion(stage, known)}`,
  );
}
