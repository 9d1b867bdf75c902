/** `r1 eval`. */
import { type Command, Option } from 'commander';
import { evaluationSeed } from '../../activities/orchestrator/evaluation/draw-evaluation.ts';
import { evaluatedSamples } from '../../activities/orchestrator/evaluation/record-evaluation.ts';
import type { DecodedRequest } from '../../activities/records/request.ts';
import { judge } from '../../activities/rewards/judge.ts';
import { judgedCompletions } from '../../activities/rewards/judged-completions.ts';
import { completionTexts, rewardInputs } from '../../activities/rewards/reward-inputs.ts';
import { sampleRequest } from '../../activities/sample-request.ts';
import { measuredRewards } from '../../algorithm/evaluation/measured-rewards.ts';
import { type EvaluatedSample, summarizeEvaluation } from '../../algorithm/evaluation/statistics.ts';
import type { EvaluationSummary } from '../../contracts/activities.ts';
import type { CompletionDocument } from '../../contracts/completion-document.ts';
import type { DomainFigures, EvalDocument, EvaluationDocument } from '../../contracts/documents.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import type { SampledModel } from '../../engine/weights/model-folder.ts';
import { createRewardTools, type RewardTools } from '../../rewards/tools.ts';
import { completionText, countCompletions, countsText } from '../data/completions.ts';
import { InputError } from '../errors.ts';
import {
  probability,
  problemCount,
  rowCount,
  sampleCount,
  seed,
  temperatureOption,
  tokenCount,
} from '../options.ts';
import { metricsOf, percent, percentInterval } from '../output/figures.ts';
import { refuseExisting, writeLines, writeNewFile } from '../output/new-file.ts';
import { examples, jsonOption, printDocument, printLine, tableText } from '../output/output.ts';
import { locationText } from './checkpoint-location.ts';
import { chooseMeasure, type Measure, type MeasureOptions } from './measure.ts';
import { CHECKPOINT_HELP, type OpenModel, type Place, withModel } from './open-model.ts';
import { onOption, progressLine, withSampler } from './sampler.ts';
import type { Sampler, SamplingWork } from './sampling-work.ts';

type Options = MeasureOptions & { json?: boolean; show?: number; out?: string; on?: Place };

export const commands = { eval: defineEval };

function defineEval(command: Command): void {
  command
    .description(
      'Evaluate a checkpoint on held-out problems as its run does: pass@1, pass@k and cons@k with 95 % intervals by ' +
        'domain, format, length, reflection, language. Problems, sampling and seed are those of the run unless options ' +
        'change them; a model’s folder needs --prompts or --recipe.',
    )
    .argument('<checkpoint>', CHECKPOINT_HELP)
    .option('--problems <n>', 'use the first n held-out problems', problemCount)
    .option('--k <n>', 'samples per problem', sampleCount)
    .option(
      '--prompts <file>',
      'problems from a JSONL or Parquet file in a layout of `r1 import`: rows of the split test, or all rows if there ' +
        'are none',
    )
    .option('--domain <domain>', 'domain of --prompts whose layout names none: math, science, code, …')
    .option('--recipe <file>', 'use problems, sampling and seed of a recipe')
    .addOption(
      new Option('--prompt-format <format>', 'apply the chat template, or use the text as it is').choices([
        'chat',
        'text',
      ]),
    )
    .option('--temperature <t>', 'softmax(logits / t); 0 is greedy', temperatureOption)
    .option('--top-p <p>', 'sample from the most likely tokens with this total probability', probability)
    .option('--max-tokens <n>', 'token limit of an answer', tokenCount)
    .option('--trained-too', 'also use problems of --prompts that the run was trained on')
    .option('--seed <n>', 'random seed of the samples', seed)
    .addOption(onOption())
    .option(
      '--show <n>',
      'show n samples: prompt, completion, extracted answer, correct answer, verdict',
      rowCount,
    )
    .option(
      '--out <file>',
      'write every sample to a new JSON lines file (contracts/schemas/eval-sample.json)',
    )
    .option(...jsonOption('eval'))
    .addHelpText(
      'after',
      examples(
        'r1 eval nano-zero-1',
        'r1 eval nano-zero-1/zero@40 --problems 64 --k 4 --show 8',
        'r1 eval nano-r1-1/scenario-rl --prompts benchmark.jsonl --k 8',
        'r1 eval models/nano-base --recipe recipes/nano-zero.yaml --json',
        'r1 eval models/nano-base --recipe recipes/nano-zero.yaml --on trainer',
      ),
    )
    .action(evaluate);
}

async function evaluate(name: string, options: Options): Promise<void> {
  const { show = 0, out } = options;
  if (out !== undefined) await refuseOut(out);
  await withModel(name, options.on, async (model, connections) => {
    const { opened } = model;
    const measure = await chooseMeasure(opened, connections, options);
    const { figures, completions } = await withSampler(model, connections, (sampler) =>
      measureModel(sampler, opened, measure),
    );
    const samples = spread(completions, measure.k).slice(0, show);
    const document = { ...figures, counts: countCompletions(completions), samples };
    if (out !== undefined) await writeNewFile(out, (file) => writeLines(file, completions));
    if (options.json) return printDocument('eval', document);
    for (const note of measure.notes) printLine(note);
    printLine(evaluationsText([document]));
    printLine();
    printLine(domainsText(document));
    printLine();
    const limit = measure.sampling.max_completion_length;
    printLine(countsText(document.counts, { samples: completions.length, limit }));
    for (const [n, sample] of samples.entries())
      printLine(`\n${completionText(sample, [`${n + 1} of ${completions.length}`])}`);
    printLine();
    if (opened.location !== undefined) printLine(locationText(opened.location));
    printLine(`${opened.name}, ${document.seconds.toFixed(0)} s`);
    if (out !== undefined) printLine(`${out}: ${completions.length} samples`);
  });
}

async function refuseOut(out: string): Promise<void> {
  if (!out.endsWith('.jsonl'))
    throw new InputError(`--out ${out}: expected a name that ends in .jsonl, found another`);
  await refuseExisting(out);
}

/** The first sample of every problem, then the second, and so on: independent of the answers. */
function spread<Sample extends { sample: number }>(samples: readonly Sample[], k: number): Sample[] {
  return Array.from({ length: k }, (_, index) => samples.filter(({ sample }) => sample === index)).flat();
}

async function measureModel(
  sampler: Sampler,
  { name, model, origin }: OpenModel,
  measure: Measure,
): Promise<{ figures: Omit<EvalDocument, 'counts' | 'samples'>; completions: CompletionDocument[] }> {
  const started = performance.now();
  const line = progressLine('evaluate', measure.prompts.length * measure.k);
  const tools = createRewardTools();
  try {
    const { figures, completions } = await evaluateModel({ sampler, tools, model, measure, ...line });
    const ofStage =
      origin !== null && origin.step > 0 ? origin : { stage: origin ? 'base' : 'model', step: 0 };
    const seconds = (performance.now() - started) / 1000;
    const { stage, step } = ofStage;
    return {
      figures: { stage, step, ...figures, checkpoint: name, digest: model.digest, seconds },
      completions,
    };
  } finally {
    line.end();
    await tools.close();
  }
}

interface Evaluation extends Pick<SamplingWork, 'onProgress' | 'say'> {
  sampler: Sampler;
  tools: RewardTools;
  model: SampledModel;
  measure: Measure;
}

/** Evaluates a model as a stage evaluates its policy: same shards, seeds, verdicts and statistics. */
async function evaluateModel({
  sampler,
  tools,
  model: { tokenizer },
  measure,
  onProgress,
  say,
}: Evaluation): Promise<{ figures: EvaluationSummary; completions: CompletionDocument[] }> {
  const shards = shardsOf(measure, tokenizer);
  const samplesPK: EvaluatedSample[][] = [];
  const found: CompletionDocument[] = [];
  const next = shards.values();
  for await (const sampled of sampler({ shards, withLogprobs: false, onProgress, say })) {
    const { completionsN, lengthsN, truncatedN } = sampled;
    const { value: shard } = next.next();
    if (shard === undefined) break;
    const { request, promptsP } = shard;
    const texts = await completionTexts(request, completionsN, tokenizer);
    const inputs = rewardInputs({ request, entries: measure.entries, texts, lengthsN, truncatedN });
    const scores = { rewards: await judge(measuredRewards(measure.language), inputs, tools), texts };
    samplesPK.push(...evaluatedSamples(request, scores, lengthsN));
    const promptTextsP = promptsP.map((tokens) => tokenizer.decode(tokens));
    found.push(...judgedCompletions({ request, scores, lengthsN, truncatedN, promptTextsP }));
  }
  return { figures: summarizeEvaluation(samplesPK, measure.generalDomains), completions: found };
}

function shardsOf(
  { prompts, promptFormat, k, sampling, runSeed, shardSize }: Measure,
  tokenizer: Tokenizer,
): DecodedRequest[] {
  const placed = prompts.map((prompt, slot) => ({ ...prompt, slot }));
  return Array.from({ length: Math.ceil(placed.length / shardSize) }, (_, shard) =>
    sampleRequest({
      tokenizer,
      model: null,
      promptFormat,
      prompts: placed.slice(shard * shardSize, (shard + 1) * shardSize),
      numGenerations: k,
      seedOf: (slot, sample) => evaluationSeed(runSeed, slot, sample),
      sampling,
    }),
  );
}

function evaluationsText(evaluations: readonly EvaluationDocument[]): string {
  const rows = evaluations.map((evaluation) => [
    evaluation.stage,
    String(evaluation.step),
    `${evaluation.problems} × ${evaluation.k}`,
    ...metricsOf(COLUMNS, evaluation),
  ]);
  return tableText(['policy', 'step', 'samples', ...COLUMNS], rows, { gap: 2 });
}

const COLUMNS = ['pass@1', '95 %', 'cons@k', 'format', 'length', 'reflects', 'language', 'general'] as const;

/** Metrics by domain. */
function domainsText({ byDomain }: EvaluationDocument): string {
  const rows = Object.entries(byDomain ?? {}).map(([name, figures]) => [
    name,
    String(figures.problems),
    ...solvedOf(figures),
  ]);
  return tableText(['domain', 'problems', ...SOLVED], rows, { gap: 2 });
}

const SOLVED = ['pass@1', '95 %', 'pass@k', '95 %', 'cons@k', '95 %'];

const solvedOf = (figures: DomainFigures): string[] => [
  percent(figures.passAt1),
  percentInterval(figures.passAt1Interval),
  percent(figures.passAtK ?? null),
  percentInterval(figures.passAtKInterval ?? null),
  percent(figures.consAtK ?? null),
  percentInterval(figures.consAtKInterval ?? null),
];
