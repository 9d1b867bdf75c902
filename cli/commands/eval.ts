import { type Command, Option } from 'commander';
import { evaluateModel } from '../../activities/evaluate-model.ts';
import type { EvalDocument } from '../../contracts/documents.ts';
import type { EngineThread } from '../../engine/thread.ts';
import { createRewardTools } from '../../rewards/tools.ts';
import { chooseMeasure, type Measure, type MeasureOptions } from '../choose-measure.ts';
import { createLiveLine, tenthOf } from '../live-line.ts';
import { CHECKPOINT_HELP, type OpenModel, withEngine, withModel } from '../open-model.ts';
import { nonNegative, positiveInteger, probability, seed } from '../options.ts';
import { examples, printDocument, printLine } from '../output.ts';
import { domainsText, evaluationsText } from '../run-view.ts';

type Options = MeasureOptions & { json?: boolean };

export function define(command: Command): void {
  command
    .description(
      'Measures a checkpoint on held-out problems as its run does: pass@1, pass@k and cons@k with 95 % intervals by ' +
        'domain, format, length, reflection, language. Problems, sampling and seed are the run’s own unless options ' +
        'say otherwise; a model’s folder needs --prompts or --recipe.',
    )
    .argument('<checkpoint>', CHECKPOINT_HELP)
    .option('--problems <n>', 'the first n held-out problems', positiveInteger)
    .option('--k <n>', 'samples a problem', positiveInteger)
    .option(
      '--prompts <file>',
      'problems of a JSONL or Parquet file in a layout that `r1 import` reads: its rows with split test, or all where ' +
        'it has none',
    )
    .option(
      '--domain <domain>',
      'how answers to --prompts are judged, where their layout does not say: math, science, code, …',
    )
    .option('--recipe <file>', 'problems, sampling and seed of a recipe')
    .addOption(
      new Option('--prompt-format <format>', 'chat template, or text as it is').choices(['chat', 'text']),
    )
    .option('--temperature <t>', 'softmax(logits / t); 0 is greedy', nonNegative)
    .option('--top-p <p>', 'draw among the likeliest tokens that have this share together', probability)
    .option('--max-tokens <n>', 'tokens of an answer at most', positiveInteger)
    .option('--trained-too', 'measure also with problems of --prompts that the run was trained on')
    .option('--seed <n>', 'seed of the samples', seed)
    .option('--json', 'print one document (contracts/schemas/eval.json)')
    .addHelpText(
      'after',
      examples(
        'r1 eval nano-zero-1',
        'r1 eval nano-zero-1/zero@40 --problems 64 --k 4',
        'r1 eval nano-r1-1/scenario-rl --prompts benchmark.jsonl --k 8',
        'r1 eval models/nano-base --recipe recipes/nano-zero.yaml --json',
      ),
    )
    .action(evaluate);
}

async function evaluate(name: string, options: Options): Promise<void> {
  await withModel(name, async (opened, connections) => {
    const measure = await chooseMeasure(opened, connections, options);
    const document = await withEngine((engine) => measureModel(engine, opened, measure));
    if (options.json) return printDocument('eval', document);
    for (const note of measure.notes) printLine(note);
    printLine(evaluationsText([document]));
    printLine();
    printLine(domainsText(document));
    printLine();
    printLine(`${opened.name}, ${document.seconds.toFixed(0)} s`);
  });
}

/** How often the progress is looked at, in milliseconds. */
const LOOK_EVERY = 500;

async function measureModel(
  engine: EngineThread,
  { name, model, origin }: OpenModel,
  measure: Measure,
): Promise<EvalDocument> {
  const started = performance.now();
  const line = createLiveLine();
  const samples = measure.prompts.length * measure.k;
  const ticking = setInterval(() => {
    const { finished } = engine.progress();
    line.show(`evaluate  ${finished}/${samples} answers`, tenthOf(finished, samples));
  }, LOOK_EVERY);
  const tools = createRewardTools();
  try {
    const figures = await evaluateModel(engine, tools, { model, ...measure });
    const ofStage =
      origin !== null && origin.step > 0 ? origin : { stage: origin ? 'base' : 'model', step: 0 };
    return {
      stage: ofStage.stage,
      step: ofStage.step,
      ...figures,
      checkpoint: name,
      digest: model.digest,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    clearInterval(ticking);
    line.end();
    await tools.close();
  }
}
