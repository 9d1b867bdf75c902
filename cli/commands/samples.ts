import { type Command, Option } from 'commander';
import { type RejectionReason, rejectionReasons } from '../../contracts/datasets.ts';
import { listSamples } from '../../stores/samples.ts';
import { listStages } from '../../stores/stages.ts';
import { readTexts } from '../../stores/texts.ts';
import { withConnections } from '../connections.ts';
import { sampleDocumentOf, samplesText } from '../dataset-view.ts';
import { InputError } from '../errors.ts';
import { positiveInteger } from '../options.ts';
import { examples, printDocument, printLine } from '../output.ts';
import { findRun } from '../run-rows.ts';
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
    .option('--limit <n>', 'samples at most', positiveInteger, 20)
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
    const rows = await listSamples(reader, run, {
      stage: stage ?? null,
      rejected,
      reason: reason ?? null,
      limit,
    });
    const texts = await readTexts(
      await objects(),
      rows.map(({ text }) => text),
    );
    const found = rows.map((row, index) => sampleDocumentOf(row, texts[index] ?? ''));
    if (json) printDocument('samples', found);
    else printLine(samplesText(found));
  });
}

function refuseUnknown(stage: string, stages: readonly { stage: string }[]): void {
  const known = stages.map((each) => each.stage);
  if (known.includes(stage)) return;
  throw new InputError(
    `stage: expected one of ${known.join(', ')}; found ${stage}${suggestion(stage, known)}`,
  );
}
