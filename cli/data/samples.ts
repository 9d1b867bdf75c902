/** `r1 samples`: samples for data sets, and completions of GRPO steps. */

import { type Command, Option } from 'commander';
import { sumCounts } from '../../algorithm/data/filters.ts';
import type { SampleDocument } from '../../contracts/dataset-documents.ts';
import {
  type RejectionReason,
  rejectionReasons,
  type SampleCounts,
  type SampleVerdict,
} from '../../contracts/datasets.ts';
import { countSamples, listLastParts, listSamples, type SampleRow } from '../../stores/data/samples.ts';
import type { Queryable } from '../../stores/database/database.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { readTexts } from '../../stores/objects/texts.ts';
import { listStages } from '../../stores/runs/stages.ts';
import { InputError } from '../errors.ts';
import { rowCount, stepNumber } from '../options.ts';
import { plainText } from '../output/figures.ts';
import { examples, printDocument, printLine, printResult, RUN } from '../output/output.ts';
import { findRun } from '../run/run-rows.ts';
import { withConnections } from '../stack/connections.ts';
import { suggestion } from '../suggestion.ts';
import { readStepSamples, stepSamplesText } from './completions.ts';

interface Options {
  rejected?: boolean;
  reason?: RejectionReason | null;
  step?: number;
  right?: boolean;
  wrong?: boolean;
  limit: number;
  json?: boolean;
}

export const commands = { samples: defineSamples };

function defineSamples(command: Command): void {
  command
    .description(
      'List the samples of a run for its data sets: prompt, rewards, the rule that rejected the sample, and the text, ' +
        'which is the rewritten one for accepted samples. With --step, list the completions that a GRPO step trained on: ' +
        'prompt, completion, extracted answer, correct answer, rewards, advantage.',
    )
    .argument(...RUN)
    .argument('[stage]', 'only samples for this stage; with --step, the stage of the step')
    .option('--step <n>', 'completions of this step of a GRPO stage', stepNumber)
    .option('--right', 'with --step: only correct completions')
    .option('--wrong', 'with --step: only wrong completions')
    .option('--rejected', 'only rejected samples')
    .addOption(
      new Option('--reason <reason>', 'only samples rejected for this reason').choices(rejectionReasons),
    )
    .option('--limit <n>', 'maximum number of samples', rowCount, 20)
    .option('--json', 'print a JSON document (contracts/schemas/samples.json, samples-step.json)')
    .addHelpText(
      'after',
      examples(
        'r1 samples',
        'r1 samples nano-r1-1 rejection-sft --rejected --reason mixed-language',
        'r1 samples nano-zero-1 zero --step 20 --wrong --limit 5',
      ),
    )
    .action(samples);
}

async function samples(name: string | undefined, stage: string | undefined, options: Options): Promise<void> {
  refuseMixed(options);
  await withConnections(async ({ database, objects }) => {
    const sources = { reader: await database(), objects: await objects() };
    const { run } = await findRun(sources.reader, name);
    const stages = await listStages(sources.reader, run);
    if (stage !== undefined) refuseUnknown(stage, stages);
    if (options.step === undefined) return printSamples(sources, { run, stage }, options);
    const { step, right, wrong, limit } = options;
    const filter = { step, verdict: right ? 'right' : wrong ? 'wrong' : null, limit } as const;
    const key = { run, stage: stage ?? onlyGrpoStage(stages) };
    printResult(options.json, 'samples-step', await readStepSamples(sources, key, filter), stepSamplesText);
  });
}

/** Samples for data sets. */
async function printSamples(
  { reader, objects }: { reader: Queryable; objects: ObjectStore },
  { run, stage }: { run: string; stage: string | undefined },
  { rejected = false, reason = null, limit, json }: Options,
): Promise<void> {
  const filter = { stage: stage ?? null, rejected, reason };
  const rows = await listSamples(reader, run, { ...filter, limit });
  const texts = await readTexts(
    objects,
    rows.map(({ text }) => text),
  );
  const samples = rows.map((row, index) => sampleDocumentOf(row, texts[index] ?? ''));
  if (json) return printDocument('samples', samples);
  const stages = await sampledStages(reader, run, stage);
  printLine(samplesText({ stages, samples, all: await countSamples(reader, run, filter) }));
}

/** Some options apply only to samples for data sets, others only to completions of a step. */
function refuseMixed({ step, right, wrong, rejected, reason }: Options): void {
  if (right && wrong) throw new InputError('--right and --wrong: expected one of them, found both');
  if (step === undefined && (right || wrong))
    throw new InputError(`--${right ? 'right' : 'wrong'}: of the completions of a step; add --step N`);
  if (step !== undefined && (rejected || reason !== undefined))
    throw new InputError(
      '--rejected and --reason: of samples for data sets; leave them out, or leave out --step',
    );
}

function onlyGrpoStage(stages: readonly { stage: string; algorithm: string }[]): string {
  const grpo = stages.filter(({ algorithm }) => algorithm === 'grpo').map(({ stage }) => stage);
  const [only, ...others] = grpo;
  if (only !== undefined && others.length === 0) return only;
  const found = grpo.length === 0 ? 'none' : grpo.join(', ');
  throw new InputError(`stage: expected a GRPO stage with --step; this run has ${found}`);
}

/** The stages that have samples, or only the named one. */
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

const sampleDocumentOf = (row: SampleRow, text: string): SampleDocument => {
  const { sourceStage, checkpoint, policy, text: location, ...rest } = row;
  const { object, offset, length, sha256 } = location;
  return {
    ...rest,
    from: { stage: sourceStage, checkpoint, policy },
    at: { uri: object.uri, offset, length, sha256 },
    text,
  };
};

/** A stage's samples, summed up. */
interface SampledStage {
  stage: string;
  /** stages whose policies sampled */
  from: string[];
  counts: SampleCounts;
}

/** `rejection-sft: 2400 sampled by reasoning-rl, 2079 correct, 1149 kept; rejected: over-quota 612, …` */
function countsText({ stage, from, counts }: SampledStage): string {
  const rejected = Object.entries(counts.rejected)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`);
  const reasons = rejected.length === 0 ? '' : `; rejected: ${rejected.join(', ')}`;
  return `${stage}: ${counts.sampled} sampled by ${from.join(', ')}, ${counts.correct} correct, ${counts.kept} kept${reasons}`;
}

interface FoundSamples {
  /** stages with samples, shown or not */
  stages: readonly SampledStage[];
  samples: readonly SampleDocument[];
  /** number of samples that match */
  all: number;
}

/** Counts by stage, then each shown sample. */
export function samplesText({ stages, samples, all }: FoundSamples): string {
  if (stages.length === 0) return 'No samples for data sets: only supervised stages sample them.';
  const shown = samples.length < all ? `${samples.length} of ${all} shown; --limit shows more.` : '';
  return [
    stages.map(countsText).join('\n'),
    ...(samples.length === 0 ? ['No such sample.'] : samples.map(sampleText)),
    ...(shown === '' ? [] : [shown]),
  ].join('\n\n');
}

const PROBLEM_CHARACTERS = 160;
const TEXT_CHARACTERS = 400;

function sampleText({ stage, part, sequence, reason, rewards, tokens, problem, text }: SampleDocument) {
  const verdicts = Object.entries(rewards).map(([name, verdict]) => `${name} ${verdictText(verdict)}`);
  return [
    [`${stage} ${part}/${sequence}`, reason ?? 'accepted', verdicts.join(', '), `${tokens} tokens`].join(
      '  ·  ',
    ),
    `  ${plainText(problem, PROBLEM_CHARACTERS)}`,
    `  ${plainText(text, TEXT_CHARACTERS)}`,
  ].join('\n');
}

const verdictText = (verdict: SampleVerdict) =>
  'score' in verdict ? String(Number(verdict.score.toFixed(3))) : verdict.error.kind;
