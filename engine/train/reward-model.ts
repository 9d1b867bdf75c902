/**
 * A model with a scalar head that learns from preferences, as transformers' `…ForSequenceClassification`
 * with one label. The score is read at a sequence's last token that is not padding.
 *
 * Axes: N sequences.
 */

import type { Tensor } from '../graph/tensor.ts';
import {
  isRewardModel,
  type ModelConfig,
  parameterCount,
  rewardArchitecture,
} from '../model/architecture.ts';
import { AttentionInputs } from '../model/attention-inputs.ts';
import { ModelConfigError } from '../model/model-config.ts';
import { Parameters, type ParametersOptions } from '../model/parameters.ts';
import { GraphSessions, renamed, runGraph } from '../runtime/graph-sessions.ts';
import { freesBetweenCalls } from '../runtime/memory.ts';
import { noReport, type ProgressReport } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import {
  layOut,
  type MicroBatch,
  membersOf,
  planMicroBatches,
  planPairs,
  type Sequence,
} from './micro-batches.ts';
import { defaultMicroBatchTokens } from './policy-graphs.ts';
import type { PreferenceBatch } from './preferences.ts';
import { preferenceGraph, preferenceMetrics, sequenceScoresGraph } from './preferences.ts';
import { gradientInput, gradientOutput } from './training-graph.ts';

export interface PreferenceResult {
  loss: number;
  /** Before clipping. */
  gradNorm: number;
  /** Share of pairs ranked or labels predicted (good: a score above 0) correctly, before the update. */
  accuracy: number;
  /** [N], before the update. */
  scores: Float32Array;
  tokens: number;
}

export interface RewardModelOptions extends ParametersOptions {
  maxMicroBatchTokens?: number | undefined;
  report?: ProgressReport | undefined;
}

export class RewardModel {
  readonly config: ModelConfig;
  readonly parameters: Parameters;
  private readonly runtime: Runtime;
  private readonly sessions: GraphSessions;
  private readonly attention: AttentionInputs;
  private readonly maxTokens: number;
  private readonly report: ProgressReport;
  private readonly frees: boolean;

  /** Throws ModelConfigError where the configuration has no scalar head. */
  constructor({ maxMicroBatchTokens, report = noReport, ...options }: RewardModelOptions) {
    const { runtime, config } = options;
    if (!isRewardModel(config)) {
      const expected = rewardArchitecture(config.architecture);
      throw new ModelConfigError(
        `expected a reward model ("${expected}"), found "${config.architecture}": make one of it first`,
      );
    }
    this.config = config;
    this.runtime = runtime;
    this.frees = freesBetweenCalls(parameterCount(config));
    this.parameters = new Parameters(options);
    this.sessions = new GraphSessions(runtime);
    this.attention = new AttentionInputs(runtime, config);
    this.report = report;
    this.maxTokens = maxMicroBatchTokens ?? defaultMicroBatchTokens(config);
  }

  /** The score of each sequence, [N]. */
  score(sequencesN: readonly Int32Array[]): Float32Array {
    const sequences = this.unpadded(sequencesN);
    const session = this.sessions.get('score', () => sequenceScoresGraph(this.config));
    const scores = new Float32Array(sequences.length);
    const plans = planMicroBatches(sequences, this.maxTokens);
    this.report.begin('scoring', plans.length);
    for (const plan of plans) {
      const freeAfter = this.frees && plan === plans.at(-1);
      this.run(session, sequences, plan, { own: {}, gradients: false, freeAfter }, scores);
      this.report.advance(tokensOf(sequences, plan));
    }
    return scores;
  }

  /** One update. Throws, without an update, where the gradient is not finite. */
  step(batch: PreferenceBatch): PreferenceResult {
    const result = this.computeGradients(batch);
    this.parameters.update(result.gradNorm, batch.options, () => this.report.advance());
    return result;
  }

  /** Forward and backward pass into the parameters' gradients, without an update. */
  computeGradients(batch: PreferenceBatch): PreferenceResult {
    refuseInvalid(batch);
    const { objective, sequencesN } = batch;
    const sequences = this.unpadded(sequencesN);
    const session = this.sessions.get(objective, () => preferenceGraph(this.config, objective));
    const scores = new Float32Array(sequences.length);
    this.parameters.clearGradients();
    const cut = { pairwise: planPairs, pointwise: planMicroBatches }[objective];
    const plans = cut(sequences, this.maxTokens);
    // The update of the weights follows, tensor by tensor.
    this.report.begin('training', plans.length + this.parameters.weights.size);
    for (const plan of plans) {
      const freeAfter = this.frees && plan === plans.at(-1);
      this.run(
        session,
        sequences,
        plan,
        { own: this.items(batch, plan), gradients: true, freeAfter },
        scores,
      );
      this.report.advance(tokensOf(sequences, plan));
    }
    return {
      ...preferenceMetrics(batch, scores),
      gradNorm: this.parameters.gradientNorm(),
      scores,
      tokens: sequencesN.reduce((sum, { length }) => sum + length, 0),
    };
  }

  private run(
    session: ReturnType<GraphSessions['get']>,
    sequences: readonly Sequence[],
    plan: MicroBatch,
    { own, gradients, freeAfter }: { own: Record<string, Tensor>; gradients: boolean; freeAfter: boolean },
    scores: Float32Array,
  ): void {
    const { weights } = this.parameters;
    const mine = { ...own, ...this.rows(sequences, plan) };
    const accumulators = gradients ? this.parameters.gradients : new Map<string, Tensor>();
    const shared = this.attention.shared(plan, { packed: false });
    try {
      runGraph(session, {
        inputs: {
          ...mine,
          ...shared,
          ...Object.fromEntries(weights),
          ...renamed(accumulators, gradientInput),
        },
        inPlace: renamed(accumulators, gradientOutput),
        freeAfter,
        wanted: ['scores'],
        read: (_, values) => {
          membersOf(plan).forEach((index, r) => {
            scores[index] = values[r] ?? Number.NaN;
          });
        },
      });
    } finally {
      for (const tensor of Object.values(mine)) tensor.dispose();
    }
  }

  private rows(sequences: readonly Sequence[], plan: MicroBatch): Record<string, Tensor> {
    const { tokens, rows, rowsInverse } = layOut(sequences, plan);
    const { runtime } = this;
    return {
      tokens: runtime.createTensor('int64', [plan.rows.length, plan.length], tokens),
      rows: runtime.createTensor('int64', [rows.length], rows),
      rowsInverse: runtime.createTensor('int64', [rowsInverse.length], rowsInverse),
    };
  }

  /** The items of the loss: classes and weights. */
  private items({ objective, labelsN, lossWeightsN }: PreferenceBatch, plan: MicroBatch) {
    const members = membersOf(plan);
    const items = objective === 'pairwise' ? members.filter((_, index) => index % 2 === 0) : members;
    const classes = items.map((index) => BigInt(objective === 'pairwise' ? 0 : 1 - (labelsN?.[index] ?? 0)));
    const weights = items.map((index) => lossWeightsN[index] ?? 0);
    return {
      classes: this.runtime.createTensor('int64', [items.length], classes),
      itemWeights: this.runtime.createTensor('float32', [items.length], weights),
    };
  }

  /**
   * Sequences without their padding, in a policy's form: all tokens up to the one that the score is read at are the
   * prompt, followed by one completion token that is not used.
   */
  private unpadded(sequencesN: readonly Int32Array[]): Sequence[] {
    return sequencesN.map((tokens, index) => {
      checkTokens(this.config, tokens, index);
      const last = lastUnpadded(tokens, this.config.pad_token_id);
      return { promptTokens: tokens.subarray(0, last + 1), completionTokens: Int32Array.of(0) };
    });
  }

  dispose(): void {
    this.parameters.dispose();
    this.sessions.dispose();
    this.attention.dispose();
  }
}

const tokensOf = (sequences: readonly Sequence[], plan: MicroBatch) =>
  membersOf(plan).reduce((sum, index) => sum + (sequences[index]?.promptTokens.length ?? 0), 0);

/** The index of the last token that is not padding; 0 where all are padding, as in transformers. */
function lastUnpadded(tokens: Int32Array, padTokenId: number | null): number {
  return Math.max(
    0,
    tokens.findLastIndex((token) => token !== padTokenId),
  );
}

function checkTokens(config: ModelConfig, tokens: Int32Array, index: number): void {
  const most = config.max_position_embeddings;
  if (tokens.length === 0 || tokens.length > most) {
    throw new RangeError(`sequence ${index}: expected 1 to ${most} tokens, found ${tokens.length}`);
  }
  const unknown = tokens.find((token) => token < 0 || token >= config.vocab_size);
  if (unknown !== undefined) {
    throw new RangeError(
      `sequence ${index}: expected tokens from 0 to ${config.vocab_size - 1}, found ${unknown}`,
    );
  }
}

function refuseInvalid({ objective, sequencesN, labelsN, lossWeightsN }: PreferenceBatch): void {
  const { length } = sequencesN;
  const refuse = (expected: string, found: string) => {
    throw new RangeError(`a ${objective} batch: expected ${expected}, found ${found}`);
  };
  if (length === 0) refuse('at least one sequence', 'none');
  if (objective === 'pairwise' && length % 2 === 1) refuse('sequences in pairs', String(length));
  if (lossWeightsN.length !== length) refuse(`${length} loss weights`, String(lossWeightsN.length));
  if (objective === 'pairwise') return;
  const labels = Array.from(labelsN ?? []);
  if (labels.length !== length) refuse(`${length} labels`, String(labels.length));
  const invalid = labels.find((label) => label !== 0 && label !== 1);
  if (invalid !== undefined) refuse('labels 0 and 1', String(invalid));
}
