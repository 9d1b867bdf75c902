/** `r1 pretrain`. */
import { readFile } from 'node:fs/promises';
import { basename, extname, join, relative, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { PretrainDocument } from '../../contracts/documents.ts';
import {
  type PretrainingRecord,
  type PretrainOptions,
  pretrainingSchema,
  pretrainSchema,
} from '../../contracts/pretrain.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';
import { readSettings } from '../../infra/settings.ts';
import { stepNumber, whole } from '../options.ts';
import { count, decimal, duration, short } from '../output/figures.ts';
import { refuseOccupied } from '../output/new-file.ts';
import { examples, jsonOption, printDocument, printLine } from '../output/output.ts';
import { parseConfiguration, readInput } from '../recipe/recipe-file.ts';
import { createLiveLine, tenthOf } from '../run/live-line.ts';

const RECIPE = join(PROJECT_ROOT, 'recipes', 'nano-base.yaml');

/** The shipped model of a recipe: `models/` and the recipe's name. */
const shippedFolder = (recipe: string) => join(PROJECT_ROOT, 'models', basename(recipe, extname(recipe)));

interface Options {
  recipe: string;
  out?: string;
  steps?: number;
  seed?: number;
  json?: boolean;
}

export const commands = { pretrain: definePretrain };

function definePretrain(command: Command): void {
  command
    .description(
      'Train a nano base model from scratch by its recipe and write it as a Hugging Face folder with ' +
        'pretraining.json. The same options with the same numerics give the same bits.',
    )
    .addOption(
      new Option('--recipe <file>', 'recipe of the base, or of a student').default(
        RECIPE,
        relative(PROJECT_ROOT, RECIPE),
      ),
    )
    .option('--out <dir>', 'folder to write, empty or new (default: models/ and the name of the recipe)')
    .option('--steps <n>', 'optimiser steps (default: as in the recipe)', stepNumber)
    .option('--seed <n>', 'random seed (default: as in the recipe)', whole(0, Number.MAX_SAFE_INTEGER))
    .option(...jsonOption('pretrain'))
    .addHelpText(
      'after',
      examples(
        'r1 pretrain --out /tmp/nano-base',
        'r1 pretrain --recipe recipes/nano-student.yaml --out /tmp/b --steps 20',
      ),
    )
    .action(makeBase);
}

async function makeBase({ recipe, out, steps, seed, json }: Options): Promise<void> {
  const shipped = shippedFolder(recipe);
  const folder = out === undefined ? shipped : resolve(out);
  await refuseOccupied(folder);
  const options = await readOptions(recipe, { steps, seed });
  const { config, made, files } = await train(options, folder);
  const document = { folder, files, ...made.record };
  if (json) return printDocument('pretrain', document);
  printLine(`${relative(process.cwd(), folder) || '.'}: ${files.join(', ')}`);
  printLine(`${count(made.record.parameters)} parameters, ${config.num_hidden_layers} layers`);
  const compared = await comparison(document, shipped);
  if (compared !== undefined) printLine(compared);
}

async function readOptions(
  recipe: string,
  { steps, seed }: Pick<Options, 'steps' | 'seed'>,
): Promise<PretrainOptions> {
  const { text } = await readInput(recipe);
  const given = { max_steps: steps, seed };
  const overrides = Object.entries(given).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value, text: `${key}=${value}` }],
  );
  return parseConfiguration(pretrainSchema, text, relative(process.cwd(), recipe), overrides);
}

async function train(options: PretrainOptions, folder: string) {
  const { openRuntime } = await import('../../engine/runtime/runtime.ts');
  const { pretrain } = await import('../../engine/train/pretrain.ts');
  const { nanoModelConfig, nanoSequence, nanoTokenizer, writeNanoBase } = await import(
    '../../engine/model/nano-base.ts'
  );
  const { threads } = readSettings();
  const config = nanoModelConfig(options.architecture);
  const tokenizer = nanoTokenizer(config);
  const line = createLiveLine();
  const progress = progressText(options.max_steps);
  const made = await pretrain({
    runtime: openRuntime({ threads }),
    config,
    options,
    sequenceOf: (example) => nanoSequence(tokenizer, example),
    onStep: (step) => line.show(progress(step), tenthOf(step.step, options.max_steps)),
  });
  line.end();
  return { config, made, files: await writeNanoBase(folder, config, made) };
}

/** `step 37/1600 · loss 1.312 · 14.2k tok/s · 4 min left` */
function progressText(steps: number) {
  let tokens = 0;
  let seconds = 0;
  return (step: { step: number; loss: number; tokens: number; seconds: number }) => {
    tokens += step.tokens;
    seconds += step.seconds;
    const left = duration(((steps - step.step) * seconds) / step.step);
    const speed = `${count(tokens / seconds)} tok/s`;
    return `pretrain  step ${step.step}/${steps} · loss ${decimal(step.loss)} · ${speed} · ${left} left`;
  };
}

/** Compares the weights with those of the shipped model, where both have the same options. */
async function comparison(
  { folder, options, numerics, digests }: PretrainDocument,
  shippedIn: string,
): Promise<string | undefined> {
  const shipped = folder === shippedIn ? undefined : await readRecord(shippedIn);
  const name = relative(PROJECT_ROOT, shippedIn);
  if (shipped === undefined || !same(shipped.options, options)) return;
  const last = String(options.max_steps);
  if (shipped.digests[last] === digests[last])
    return `The same bits as ${name} (${short(digests[last] ?? null)}).`;
  const why = same(shipped.numerics, numerics)
    ? 'with the same numerics, which must not happen'
    : 'as the numerics differ';
  return `Other bits than ${name}, ${why}.`;
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

async function readRecord(folder: string): Promise<PretrainingRecord | undefined> {
  const text = await readFile(join(folder, 'pretraining.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : pretrainingSchema.parse(JSON.parse(text));
}
