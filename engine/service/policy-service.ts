/**
 * A trainer's model, and models that only score. Arguments and results of all methods can be sent between threads.
 * Everything is synchronous; `engine/service/thread.ts` runs it outside of the event loop that heartbeats.
 *
 * Axes: N = sequences, T = tokens of all sequences one after the other.
 */
import { parseSeed } from '../../algorithm/random/seeds.ts';
import type { Digests, StepMetrics } from '../../contracts/training.ts';
import { createDecoder, type Decoder } from '../decode/decoder.ts';
import { disposeAll, type TensorMap } from '../graph/tensor.ts';
import { expectedTensors, isRewardModel, type ModelConfig, parameterCount } from '../model/architecture.ts';
import { ModelConfigError, parseModelConfig } from '../model/model-config.ts';
import type { Moments } from '../model/parameters.ts';
import { momentTensors, nativeMoments } from '../model/parameters.ts';
import { nativeWeights, type WeightsInput, WeightsLoader } from '../model/weights-loader.ts';
import { collectGarbage } from '../runtime/memory.ts';
import { noReport, type ProgressReport } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { createPolicy, type Policy, type StepResult } from '../train/policy.ts';
import { RewardModel } from '../train/reward-model.ts';
import { type SupervisedArrays, supervisedStep } from '../train/supervised-step.ts';
import { digestTensors } from '../weights/digest.ts';
import { copyTensors } from '../weights/safetensors.ts';
import { storedTensors, WEIGHTS_FILE as WEIGHTS } from '../weights/weights.ts';
import { joined, joinFloats } from './ragged.ts';
import type {
  LoadedPolicy,
  LoadedScorer,
  LoadInput,
  SampleArrays,
  SampledArrays,
  SampleWatch,
  ScoreArrays,
  ScorerInput,
  SequenceArrays,
  Staged,
  TrainArrays,
  Trained,
  TrainedSupervised,
  WeightsFileInput,
} from './service-arrays.ts';

export type { SupervisedArrays } from '../train/supervised-step.ts';
export type * from './service-arrays.ts';

interface HeldPolicy {
  kind: 'policy';
  policy: Policy;
  decoder: Decoder;
}
interface HeldRewardModel {
  kind: 'reward-model';
  model: RewardModel;
}

/** Has one model at a time, a policy or a reward model by its architecture; loading another disposes of it. */
export class PolicyService {
  private readonly runtime: Runtime;
  private held: HeldPolicy | HeldRewardModel | null = null;
  /** the weights that `readWeights` has read, until they are loaded */
  private pending: WeightsLoader | null = null;
  private readonly scorers = new Map<string, RewardModel>();
  private readonly report: ProgressReport;
  private readonly onTensor = () => this.report.advance();

  constructor(runtime: Runtime, report: ProgressReport = noReport) {
    this.runtime = runtime;
    this.report = report;
  }

  /** Reads one of the files of a model's weights; then `load` or `loadScorer` takes all that were read. */
  readWeights({ config: json, file, first }: WeightsFileInput): void {
    if (first) this.dropPending();
    const config = parseModelConfig(json);
    if (first) this.report.begin('loading', expectedTensors(config).size);
    this.pending ??= new WeightsLoader(this.runtime, config, WEIGHTS, this.onTensor);
    this.pending.read(file);
  }

  /** The weights of `model`, or of the files that were read before. */
  private weightsOf(config: ModelConfig, model: WeightsInput | null) {
    const loader = this.pending ?? new WeightsLoader(this.runtime, config, WEIGHTS, this.onTensor);
    this.pending = null;
    if (model !== null) loader.read(model);
    return loader.finish();
  }

  private dropPending(): void {
    this.pending?.dispose();
    this.pending = null;
  }

  load(input: LoadInput): LoadedPolicy {
    this.dispose();
    const config = parseModelConfig(input.config);
    const { onTensor, report, runtime } = this;
    if (input.model !== null) this.dropPending();
    report.begin('loading', expectedTensors(config).size * (input.moments === null ? 1 : 3));
    const { weights, ...stored } = this.weightsOf(config, input.model);
    const moments =
      input.moments === null ? undefined : nativeMoments(runtime, config, input.moments, onTensor);
    const options = { runtime, config, weights, moments, report };
    this.held = isRewardModel(config)
      ? { kind: 'reward-model', model: new RewardModel(options) }
      : this.openPolicy(options, input);
    const digests = this.digestsOf(partsOf(this.held), input.moments !== null);
    return {
      digests: stored.isExact ? digests : { ...digests, weights: stored.storedDigest },
      numerics: this.runtime.numerics,
      parameters: parameterCount(config),
    };
  }

  private openPolicy(
    options: {
      runtime: Runtime;
      config: ModelConfig;
      weights: TensorMap;
      moments: Moments | undefined;
      report: ProgressReport;
    },
    { withReference, reference }: LoadInput,
  ): HeldPolicy {
    const policy = createPolicy(options);
    if (withReference) {
      const given =
        reference === null
          ? undefined
          : nativeWeights(options.runtime, options.config, reference, 'the reference policy').weights;
      policy.setReference(given && new Map([...given].map(([name, { data }]) => [name, data])));
      if (given !== undefined) disposeAll(given);
    }
    return { kind: 'policy', policy, decoder: createDecoder({ ...options, weights: policy.weights }) };
  }

  sample({ prompts, seeds, sampling, eosTokenIds }: SampleArrays, watch: SampleWatch = {}): SampledArrays {
    const requests = prompts.map((promptTokens, n) => ({ promptTokens, seed: parseSeed(seeds[n] ?? '') }));
    this.report.begin('sampling', requests.length);
    const sampled = this.current.decoder.sample(requests, { ...sampling, eosTokenIds, ...watch });
    return {
      completions: joined(sampled.map(({ tokens }) => tokens)),
      logprobsT: joinFloats(sampled.map(({ logprobs }) => logprobs)),
      truncatedN: Int32Array.from(sampled, ({ finish }) => Number(finish === 'length')),
    };
  }

  /** logprobsT of given completions, of softmax(logits / temperature). */
  logprobs(arrays: SequenceArrays, temperature: number, of: 'policy' | 'reference'): Float32Array {
    return joinFloats(this.current.policy.logprobs(sequencesOf(arrays), { temperature, of }).logprobs);
  }

  /** One optimiser step. The reference is refreshed after it if the batch says so. */
  train(arrays: TrainArrays): Trained {
    const { policy } = this.current;
    const { numbers } = arrays;
    const result = policy.trainStep({
      sequences: sequencesOf(arrays),
      advantagesB: arrays.advantagesN,
      oldLogprobs: arrays.oldLogprobsN,
      refLogprobs: arrays.referenceLogprobsN,
      tokenWeights: arrays.completionsN.map(({ length }, n) =>
        new Float32Array(length).fill(arrays.lossWeightsN[n] ?? 0),
      ),
      options: { ...numbers, loss: 'grpo', importance_sampling_level: 'token', step: numbers.adam_step },
    });
    if (arrays.refreshReference !== null) policy.refreshReference(arrays.refreshReference.alpha);
    return {
      metrics: metricsOf(result, arrays),
      digestAfter: arrays.digestAfter ? this.digestOf(policy.weights) : null,
      referenceDigest:
        policy.reference === undefined ? null : this.referenceDigest(arrays.refreshReference !== null),
    };
  }

  /** One optimiser step towards examples (a policy), or on preferences (a reward model). */
  trainSupervised(arrays: SupervisedArrays): TrainedSupervised {
    const { held } = this;
    const metrics = supervisedStep(held ?? refuseNothing(), arrays);
    const { weights } = partsOf(held ?? refuseNothing());
    const digestAfter = arrays.digestAfter ? this.digestOf(weights) : null;
    return { metrics, digestAfter, referenceDigest: null };
  }

  /** Loads a reward model for scoring only, beside the trained model, until it is dropped. */
  loadScorer({ name, config: json, model }: ScorerInput): LoadedScorer {
    this.dropScorer(name);
    const config = parseModelConfig(json);
    const { report, runtime } = this;
    report.begin('loading', expectedTensors(config).size);
    if (model !== null) this.dropPending();
    const { weights, isExact, storedDigest } = this.weightsOf(config, model);
    this.scorers.set(name, new RewardModel({ runtime, config, weights, report }));
    const { numerics } = runtime;
    const digest = isExact ? this.digestOf(weights) : storedDigest;
    return { digest, longest: config.max_position_embeddings, numerics };
  }

  /** Gives its memory back to the system. */
  dropScorer(name: string): void {
    if (!this.scorers.has(name)) return;
    this.scorers.get(name)?.dispose();
    this.scorers.delete(name);
    this.giveMemoryBack();
  }

  /** The score of each sequence, [N], read at its last token that is not padding. */
  score({ name, sequencesN }: ScoreArrays): Float32Array {
    const { held } = this;
    const own = held?.kind === 'reward-model' ? held.model : undefined;
    const model = name === null ? own : this.scorers.get(name);
    if (model === undefined) throw new Error(`expected a loaded reward model ${name ?? ''}, found none`);
    return model.score(sequencesN);
  }

  /** Copies of a checkpoint's parts; training may go on. Nothing is hashed here. */
  stage(): Staged {
    const { weights, moments, reference } = partsOf(this.held ?? refuseNothing());
    const state = momentTensors(moments);
    this.report.begin('staging', weights.size + state.size + (reference?.size ?? 0));
    const copy = (tensors: TensorMap) => copyTensors(storedTensors(tensors), this.onTensor);
    return {
      weights: copy(weights),
      moments: copy(state),
      reference: reference === undefined ? null : copy(reference),
    };
  }

  /** Gives the model's memory back to the system. */
  release(): void {
    this.dropPending();
    this.dispose();
    this.giveMemoryBack();
  }

  private giveMemoryBack(): void {
    collectGarbage();
    this.runtime.trim();
  }

  private dispose(): void {
    if (this.held?.kind === 'policy') {
      this.held.decoder.dispose();
      this.held.policy.dispose();
    }
    if (this.held?.kind === 'reward-model') this.held.model.dispose();
    this.held = null;
    this.knownReference = null;
  }

  private get current(): HeldPolicy {
    const held = this.held ?? refuseNothing();
    if (held.kind === 'policy') return held;
    throw new ModelConfigError('expected a policy, found a reward model: load a checkpoint that generates');
  }

  /** Cached: the reference changes only when it is refreshed or loaded. */
  private knownReference: string | null = null;

  private referenceDigest(changed: boolean): string | null {
    const { reference } = this.current.policy;
    if (reference === undefined) return null;
    if (changed || this.knownReference === null) this.knownReference = this.digestOf(reference);
    return this.knownReference;
  }

  private digestsOf({ weights, moments, reference }: Parts, withMoments: boolean): Digests {
    return {
      weights: this.digestOf(weights),
      moments: withMoments ? this.digestOf(momentTensors(moments)) : null,
      reference: reference === undefined ? null : this.digestOf(reference),
    };
  }

  private digestOf(tensors: TensorMap): string {
    this.report.begin('checking', tensors.size);
    return digestTensors(storedTensors(tensors), this.onTensor);
  }
}

function refuseNothing(): never {
  throw new Error('expected a loaded policy, found none: load a checkpoint first');
}

/** The parts of a model in a checkpoint. */
interface Parts {
  weights: TensorMap;
  moments: Moments;
  reference?: TensorMap | undefined;
}

const partsOf = (held: HeldPolicy | HeldRewardModel): Parts =>
  held.kind === 'policy' ? held.policy : held.model.parameters;

const sequencesOf = ({ promptsN, completionsN }: SequenceArrays) =>
  completionsN.map((completionTokens, n) => ({
    promptTokens: promptsN[n] ?? new Int32Array(),
    completionTokens,
  }));

function metricsOf(
  result: StepResult,
  { samplerLogprobsN, oldLogprobsN, numbers }: TrainArrays,
): StepMetrics {
  return {
    loss: result.loss,
    gradNorm: result.gradNorm,
    entropy: result.entropy,
    kl: numbers.beta === 0 ? null : result.kl,
    clipFraction: result.clipFractionLow + result.clipFractionHigh,
    samplerGap: oldLogprobsN === null ? largestGap(samplerLogprobsN, result.logprobs) : null,
    tokensTrained: result.tokens,
    accuracy: null,
  };
}

/** max |log π_sampler − log π_training| over all tokens. */
function largestGap(samplerN: readonly Float32Array[], trainingN: readonly Float32Array[]): number {
  let largest = 0;
  for (const [n, sampler] of samplerN.entries()) {
    const training = trainingN[n] ?? sampler;
    for (const [t, value] of sampler.entries())
      largest = Math.max(largest, Math.abs(value - (training[t] ?? value)));
  }
  return largest;
}
