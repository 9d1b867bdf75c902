/** Runs a policy's graphs over batches: sessions, shared inputs, and micro-batches. */

import type { DType, Tensor, TensorMap, TypedArrays } from '../graph/tensor.ts';
import { type ModelConfig, parameterCount } from '../model/architecture.ts';
import { AttentionInputs } from '../model/attention-inputs.ts';
import type { RowLayout } from '../model/full-attention.ts';
import { GraphSessions, renamed, runGraph, type Tensors } from '../runtime/graph-sessions.ts';
import { freesBetweenCalls } from '../runtime/memory.ts';
import { noReport, type ProgressReport } from '../runtime/progress.ts';
import type { Runtime, Session } from '../runtime/runtime.ts';
import type { Objective } from './losses.ts';
import {
  flatten,
  layOut,
  type MicroBatch,
  membersOf,
  planMicroBatches,
  planPacked,
  type Sequence,
  unflatten,
} from './micro-batches.ts';
import type { TokenOutputs } from './step-metrics.ts';
import type { Scalars } from './train-batch.ts';
import { gradientInput, gradientOutput, scoringGraph, trainingGraph } from './training-graph.ts';

export interface ScoreCall {
  weights: TensorMap;
  sequences: readonly Sequence[];
  temperature: number;
}

export interface TrainCall {
  objective: Objective;
  weights: TensorMap;
  /** Added to, in place. */
  gradients: TensorMap;
  sequences: readonly Sequence[];
  /** Per sequence, per completion token. */
  perToken: Readonly<Record<string, readonly Float32Array[]>>;
  scalars: Scalars;
  /** Several sequences per row. */
  packing: boolean;
}

/** Floats of activations that a micro-batch may store for its backward pass: two gigabytes. */
const ACTIVATION_FLOATS = 2 ** 29;

/** Limit of a micro-batch's positions: more of them exceed the processor's caches, and longer rows have more padding. */
const MOST_TOKENS = 1024;

/** Positions of a micro-batch, padding included. Depends on the configuration alone: it decides the order of sums. */
export function defaultMicroBatchTokens(config: ModelConfig): number {
  const { hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, vocab_size } = config;
  const scores = 3 * num_attention_heads * 128;
  const layer = 12 * hidden_size + 5 * intermediate_size + scores;
  const floats = num_hidden_layers * layer + 4 * vocab_size;
  return Math.min(MOST_TOKENS, Math.floor(ACTIVATION_FLOATS / floats));
}

export class PolicyGraphs {
  private readonly runtime: Runtime;
  private readonly config: ModelConfig;
  private readonly maxTokens: number;
  private readonly sessions: GraphSessions;
  private readonly attention: AttentionInputs;
  private readonly report: ProgressReport;
  private readonly freeBetweenCalls: boolean;

  constructor(options: {
    runtime: Runtime;
    config: ModelConfig;
    maxMicroBatchTokens?: number | undefined;
    report?: ProgressReport | undefined;
    freeBetweenCalls?: boolean | undefined;
  }) {
    this.runtime = options.runtime;
    this.config = options.config;
    this.maxTokens = options.maxMicroBatchTokens ?? defaultMicroBatchTokens(options.config);
    this.sessions = new GraphSessions(options.runtime);
    this.attention = new AttentionInputs(options.runtime, options.config);
    this.report = options.report ?? noReport;
    this.freeBetweenCalls = options.freeBetweenCalls ?? freesBetweenCalls(parameterCount(options.config));
  }

  score({ weights, sequences, temperature }: ScoreCall): Pick<TokenOutputs, 'logprobs' | 'entropies'> {
    this.check(sequences, {});
    const session = this.sessions.get('score', () => scoringGraph(this.config));
    const results = { logprobs: emptyTokens(sequences), entropies: emptyTokens(sequences) };
    const plans = planMicroBatches(sequences, this.maxTokens);
    this.report.begin('log-probabilities', plans.length);
    for (const plan of plans) {
      const own = this.inputs(sequences, plan, {}, { floats: { temperature }, flags: {} });
      const kept = { ...this.attention.shared(plan, { packed: false }), ...Object.fromEntries(weights) };
      this.runOnce(session, { kept, own, inPlace: {}, freeAfter: this.isLast(plan, plans) }, plan, results);
      this.report.advance(tokensOf(sequences, plan));
    }
    return results;
  }

  train(call: TrainCall): TokenOutputs {
    const { objective, weights, gradients, sequences, perToken, scalars, packing } = call;
    this.check(sequences, perToken);
    const layout: RowLayout = packing ? 'packed' : 'padded';
    const key = `${objective.loss} ${objective.level} ${layout}`;
    const session = this.sessions.get(key, () => trainingGraph(this.config, objective, layout));
    const results = emptyOutputs(sequences, objective);
    const shared = { ...Object.fromEntries(weights), ...renamed(gradients, gradientInput) };
    const accumulated = renamed(gradients, gradientOutput);
    const plans = (packing ? planPacked : planMicroBatches)(sequences, this.maxTokens);
    // The update of the weights follows, tensor by tensor.
    this.report.begin('training', plans.length + weights.size);
    for (const plan of plans) {
      const kept = { ...this.attention.shared(plan, { packed: packing }), ...shared };
      const own = {
        ...this.inputs(sequences, plan, perToken, scalars),
        ...(packing ? this.attention.packed(sequences, plan) : {}),
      };
      const inPlace = accumulated;
      this.runOnce(session, { kept, own, inPlace, freeAfter: this.isLast(plan, plans) }, plan, results);
      this.report.advance(tokensOf(sequences, plan));
    }
    return results;
  }

  private isLast(plan: MicroBatch, plans: readonly MicroBatch[]): boolean {
    return this.freeBetweenCalls && plan === plans.at(-1);
  }

  /** Runs one micro-batch and copies its per-token outputs into `results`. */
  private runOnce(
    session: Session,
    { kept, own, inPlace, freeAfter }: { kept: Tensors; own: Tensors; inPlace: Tensors; freeAfter: boolean },
    plan: MicroBatch,
    results: Partial<TokenOutputs>,
  ): void {
    const wanted = Object.keys(results) as (keyof TokenOutputs)[];
    const read = (name: string, values: Float32Array) =>
      unflatten(values, plan, results[name as keyof TokenOutputs] ?? []);
    try {
      runGraph(session, { inputs: { ...kept, ...own }, inPlace, wanted, read, freeAfter });
    } finally {
      for (const tensor of Object.values(own)) tensor.dispose();
    }
  }

  /** The inputs of one micro-batch. */
  private inputs(
    sequences: readonly Sequence[],
    plan: MicroBatch,
    perToken: TrainCall['perToken'],
    { floats, flags }: Scalars,
  ): Tensors {
    const arrays = layOut(sequences, plan);
    const rows = plan.rows.length;
    const scored = arrays.rows.length;
    const tensors: Record<string, Tensor> = {
      tokens: this.tensor('int64', [rows, plan.length], arrays.tokens),
      rows: this.tensor('int64', [scored], arrays.rows),
      rowsInverse: this.tensor('int64', [rows * plan.length], arrays.rowsInverse),
      targets: this.tensor('int64', [scored], arrays.targets),
      sequenceOf: this.tensor('int64', [scored], arrays.sequenceOf),
      tokenShares: this.tensor('float32', [arrays.tokenShares.length, 1], arrays.tokenShares),
    };
    for (const [name, values] of Object.entries(perToken)) {
      tensors[name] = this.tensor('float32', [scored], flatten(values, plan));
    }
    for (const [name, value] of Object.entries(floats)) tensors[name] = this.tensor('float32', [], [value]);
    for (const [name, flag] of Object.entries(flags)) tensors[name] = this.tensor('bool', [], [flag ? 1 : 0]);
    return tensors;
  }

  private tensor<D extends DType>(
    dtype: D,
    shape: readonly number[],
    data: ArrayLike<TypedArrays[D][number]>,
  ): Tensor<D> {
    return this.runtime.createTensor(dtype, shape, data);
  }

  private check(sequences: readonly Sequence[], perToken: TrainCall['perToken']): void {
    sequences.forEach((sequence, index) => {
      checkSequence(this.config, sequence, index);
      for (const [name, values] of Object.entries(perToken)) checkLength(name, values, sequence, index);
    });
  }

  dispose(): void {
    this.sessions.dispose();
    this.attention.dispose();
  }
}

/** Scored tokens of a micro-batch. */
const tokensOf = (sequences: readonly Sequence[], plan: MicroBatch) =>
  membersOf(plan).reduce((sum, index) => sum + (sequences[index]?.completionTokens.length ?? 0), 0);

function checkSequence(
  config: ModelConfig,
  { promptTokens, completionTokens }: Sequence,
  index: number,
): void {
  const total = promptTokens.length + completionTokens.length;
  if (promptTokens.length === 0) {
    throw new RangeError(
      `Sequence ${index} has an empty prompt; expected at least one token to predict from.`,
    );
  }
  if (completionTokens.length === 0) {
    throw new RangeError(`Sequence ${index} has an empty completion; expected at least one token to score.`);
  }
  if (total > config.max_position_embeddings) {
    throw new RangeError(
      `Sequence ${index} has ${total} tokens; the model has ${config.max_position_embeddings} positions.`,
    );
  }
  for (const token of [promptTokens, completionTokens].flatMap((tokens) => [...tokens])) {
    if (token >= 0 && token < config.vocab_size) continue;
    throw new RangeError(`Sequence ${index} has token ${token}; expected 0 to ${config.vocab_size - 1}.`);
  }
}

function checkLength(name: string, values: readonly Float32Array[], sequence: Sequence, index: number): void {
  const found = values[index]?.length ?? 0;
  const expected = sequence.completionTokens.length;
  if (found !== expected) {
    throw new Error(
      `${name} of sequence ${index} has ${found} values; expected one per completion token, ${expected}.`,
    );
  }
}

function emptyTokens(sequences: readonly Sequence[]): Float32Array[] {
  return sequences.map(({ completionTokens }) => new Float32Array(completionTokens.length));
}

function emptyOutputs(sequences: readonly Sequence[], { loss }: Objective): TokenOutputs {
  const perToken = () => emptyTokens(sequences);
  const ofPolicy = () => (loss === 'sft' ? [] : perToken());
  return {
    logprobs: perToken(),
    entropies: perToken(),
    objective: perToken(),
    ratios: ofPolicy(),
    kls: ofPolicy(),
  };
}
