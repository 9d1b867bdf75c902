import { evaluationSeed } from '../../activities/orchestrator/evaluation/draw-evaluation.ts';
import { evaluatedSamples } from '../../activities/orchestrator/evaluation/record-evaluation.ts';
import { split } from '../../activities/ragged.ts';
import { judge } from '../../activities/rewards/judge.ts';
import { judgedCompletions } from '../../activities/rewards/judged-completions.ts';
import { completionTexts, rewardInputs } from '../../activities/rewards/reward-inputs.ts';
import { sampleRequest } from '../../activities/sample-request.ts';
import { measuredRewards } from '../../algorithm/evaluation/measured-rewards.ts';
import { summarizeEvaluation } from '../../algorithm/evaluation/statistics.ts';
import type { EvaluationSummary } from '../../contracts/activities.ts';
import type { CompletionDocument } from '../../contracts/completion-document.ts';
import type { EvaluationOptions, SamplingOptions } from '../../contracts/options.ts';
import type { RunPlan } from '../../contracts/plan.ts';
import type { DrawnPrompt } from '../../contracts/records.ts';
import type { EngineThread } from '../../engine/service/thread.ts';
import type { ModelFolder } from '../../engine/weights/model-folder.ts';
import { WEIGHTS_FILE } from '../../engine/weights/weights.ts';
import type { RewardTools } from '../../rewards/tools.ts';

export interface EvaluateInput {
  model: ModelFolder;
  prompts: readonly Omit<DrawnPrompt, 'slot'>[];
  /** of the prompts that have one, by the prompts' hashes */
  entries: ReadonlyMap<string, unknown>;
  promptFormat: RunPlan['promptFormat'];
  /** domains without reasoning, measured apart */
  generalDomains: readonly string[];
  /** whose words are counted in chains of thought */
  language: EvaluationOptions['language'];
  /** samples a problem */
  k: number;
  sampling: SamplingOptions;
  /** with a run's own seed, prompts and options the samples are those of the run's evaluation */
  runSeed: bigint;
}

/**
 * Measures a model that no stage holds, as a stage measures its policy: same seeds, verdicts and statistics. With the
 * figures come the completions that they are of.
 */
export async function evaluateModel(
  engine: EngineThread,
  tools: RewardTools,
  input: EvaluateInput,
): Promise<{ figures: EvaluationSummary; completions: CompletionDocument[] }> {
  const { model, promptFormat, prompts, entries, k, sampling, runSeed } = input;
  const { tokenizer } = model;
  const { record, tensors } = sampleRequest({
    tokenizer,
    model: null,
    promptFormat,
    prompts: prompts.map((prompt, slot) => ({ ...prompt, slot })),
    numGenerations: k,
    seedOf: (slot, sample) => evaluationSeed(runSeed, slot, sample),
    sampling,
  });
  const promptsP = split(intsOf(tensors, 'promptTokens'), intsOf(tensors, 'promptLengths'));
  await loadModel(engine, model);
  const { completions, truncatedN } = await engine.call('sample', {
    prompts: record.seeds.map((_, n) => promptsP[Math.floor(n / k)] ?? new Int32Array()),
    seeds: record.seeds,
    sampling,
    eosTokenIds: record.eosTokenIds,
  });
  const texts = completionTexts(record, split(completions.flat, completions.lengths), tokenizer);
  const lengthsN = completions.lengths;
  const inputs = rewardInputs({ request: record, entries, texts, lengthsN, truncatedN });
  const judged = await judge(measuredRewards(input.language), inputs, tools);
  const scores = { rewards: judged, texts };
  return {
    figures: summarizeEvaluation(evaluatedSamples(record, scores, lengthsN), input.generalDomains),
    completions: judgedCompletions({
      ...{ request: record, scores, lengthsN, truncatedN },
      promptTextsP: promptsP.map((tokens) => tokenizer.decode(tokens)),
    }),
  };
}

/** Gives an engine a model to sample from. */
export async function loadModel(engine: EngineThread, { files }: ModelFolder): Promise<void> {
  const file = (name: string) => files.get(name) ?? new Uint8Array();
  await engine.call('load', {
    config: JSON.parse(new TextDecoder().decode(file('config.json'))),
    model: file(WEIGHTS_FILE),
    moments: null,
    reference: null,
    withReference: false,
  });
}

function intsOf(tensors: ReturnType<typeof sampleRequest>['tensors'], name: string): Int32Array {
  const tensor = tensors.get(name);
  return tensor?.dtype === 'I32' ? tensor.data : new Int32Array();
}
