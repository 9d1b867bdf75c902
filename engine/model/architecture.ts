/**
 * The architectures that the engine computes, as data: the configuration that they share, and what each adds.
 * Names, shapes and order of all weights follow from a row of the table. transformer.ts builds every graph from the
 * same description: a bias or a norm of heads is computed where the model has a weight for it.
 */
import type { RopeScaling } from './rope-scaling.ts';

/** What is computed from the last hidden state: logits over the vocabulary, or one number per sequence. */
type Head = 'vocabulary' | 'score';

type Projection = 'q_proj' | 'k_proj' | 'v_proj' | 'o_proj';

/** How a family of architectures differs from the others. */
export interface Family {
  /** `model_type` in `config.json` */
  modelType: string;
  /** projections of attention that add a bias */
  biased(config: Pick<ModelConfig, 'attention_bias'>): readonly Projection[];
  /** RMSNorm of each head of queries and keys, before rotation: `q_norm`, `k_norm` */
  headNorms: boolean;
  /** transformers' values of keys that are absent; null: derived from `hidden_size` and `num_attention_heads` */
  defaults: {
    max_position_embeddings: number;
    num_key_value_heads: number | null;
    head_dim: number | null;
  };
}

const PROJECTIONS: readonly Projection[] = ['q_proj', 'k_proj', 'v_proj', 'o_proj'];

const LLAMA: Family = {
  modelType: 'llama',
  biased: ({ attention_bias }) => (attention_bias ? PROJECTIONS : []),
  headNorms: false,
  defaults: { max_position_embeddings: 2048, num_key_value_heads: null, head_dim: null },
};

/** Qwen2.5 too; whatever `attention_bias` says. */
const QWEN2: Family = {
  modelType: 'qwen2',
  biased: () => ['q_proj', 'k_proj', 'v_proj'],
  headNorms: false,
  defaults: { max_position_embeddings: 32_768, num_key_value_heads: 32, head_dim: null },
};

const QWEN3: Family = {
  modelType: 'qwen3',
  biased: ({ attention_bias }) => (attention_bias ? PROJECTIONS : []),
  headNorms: true,
  defaults: { max_position_embeddings: 32_768, num_key_value_heads: 32, head_dim: 128 },
};

interface Described {
  family: Family;
  head: Head;
}

const described = <Name extends string>(table: Record<Name, Described>) => table;

/** By the name of transformers' class, as in `architectures` of `config.json`. */
export const ARCHITECTURES = described({
  LlamaForCausalLM: { family: LLAMA, head: 'vocabulary' },
  LlamaForSequenceClassification: { family: LLAMA, head: 'score' },
  Qwen2ForCausalLM: { family: QWEN2, head: 'vocabulary' },
  Qwen2ForSequenceClassification: { family: QWEN2, head: 'score' },
  Qwen3ForCausalLM: { family: QWEN3, head: 'vocabulary' },
  Qwen3ForSequenceClassification: { family: QWEN3, head: 'score' },
});

export type Architecture = keyof typeof ARCHITECTURES;

export const ARCHITECTURE_NAMES = Object.keys(ARCHITECTURES) as [Architecture, ...Architecture[]];

/** The architecture of each `model_type` that generates. */
export const GENERATING: ReadonlyMap<string, Architecture> = new Map(
  ARCHITECTURE_NAMES.filter((name) => ARCHITECTURES[name].head === 'vocabulary').map((name) => [
    ARCHITECTURES[name].family.modelType,
    name,
  ]),
);

/** A Hugging Face configuration with every default filled in. */
export interface ModelConfig {
  architecture: Architecture;
  vocab_size: number;
  /** width of the residual stream */
  hidden_size: number;
  /** width inside the feed-forward block */
  intermediate_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  /** heads of keys and values, each shared by `num_attention_heads / num_key_value_heads` query heads */
  num_key_value_heads: number;
  /** width of one head; a multiple of 8 */
  head_dim: number;
  /** tokens, prompt and completion together */
  max_position_embeddings: number;
  rms_norm_eps: number;
  /** base of the rotary embedding's frequencies */
  rope_theta: number;
  /** how the frequencies are scaled for longer contexts; absent: not at all */
  rope_scaling?: RopeScaling;
  /** the four projections of attention add a bias; false in families that have no such key */
  attention_bias: boolean;
  /** the output projection is the embedding itself */
  tie_word_embeddings: boolean;
  /** standard deviation of freshly drawn weights */
  initializer_range: number;
  bos_token_id: number | null;
  eos_token_id: number | number[] | null;
  pad_token_id: number | null;
}

/** Whether the model has a scalar head: it scores sequences and generates nothing. */
export function isRewardModel({ architecture }: Pick<ModelConfig, 'architecture'>): boolean {
  return ARCHITECTURES[architecture].head === 'score';
}

/** The architecture of the same family with a scalar head. */
export function rewardArchitecture(architecture: Architecture): Architecture {
  const { family } = ARCHITECTURES[architecture];
  const found = ARCHITECTURE_NAMES.find(
    (name) => ARCHITECTURES[name].family === family && isRewardModel({ architecture: name }),
  );
  if (found === undefined) throw new Error(`No reward model is known of the family of ${architecture}.`);
  return found;
}

/** Names of the weights outside the blocks. */
export const WEIGHT = {
  embedding: 'model.embed_tokens.weight',
  finalNorm: 'model.norm.weight',
  outputProjection: 'lm_head.weight',
  /** the scalar head: the score is its product with the last hidden state of the last token */
  score: 'score.weight',
} as const;

/** The weight of a model's head: `outputProjection`, the embedding where both are one, or `score`. */
export function headWeight(config: ModelConfig): string {
  if (isRewardModel(config)) return WEIGHT.score;
  return config.tie_word_embeddings ? WEIGHT.embedding : WEIGHT.outputProjection;
}

/** The prefix of a block's weights. */
export const blockName = (layer: number): string => `model.layers.${layer}`;

type Tensors = [name: string, shape: readonly number[]][];

/** Every weight of a configuration: name → shape, in the order of the forward pass. Projections are `[out, in]`. */
export function expectedTensors(config: ModelConfig): Map<string, readonly number[]> {
  const { vocab_size: V, hidden_size: D, num_hidden_layers } = config;
  const blocks = Array.from(
    { length: num_hidden_layers },
    (_, layer): Tensors =>
      blockTensors(config).map(([name, shape]) => [`${blockName(layer)}.${name}`, shape]),
  );
  const head = headWeight(config);
  return new Map([
    [WEIGHT.embedding, [V, D]],
    ...blocks.flat(),
    [WEIGHT.finalNorm, [D]],
    ...(head === WEIGHT.embedding ? [] : ([[head, [isRewardModel(config) ? 1 : V, D]]] as Tensors)),
  ]);
}

/** The number of weights of a configuration. */
export function parameterCount(config: ModelConfig): number {
  const sizes = [...expectedTensors(config).values()].map((shape) => shape.reduce((a, b) => a * b, 1));
  return sizes.reduce((a, b) => a + b, 0);
}

function blockTensors(config: ModelConfig): Tensors {
  const { hidden_size: D, intermediate_size: I, head_dim: h } = config;
  const { family } = ARCHITECTURES[config.architecture];
  const biased = family.biased(config);
  const [queries, keys] = [config.num_attention_heads * h, config.num_key_value_heads * h];
  const shapes: Record<Projection, readonly [out: number, into: number]> = {
    q_proj: [queries, D],
    k_proj: [keys, D],
    v_proj: [keys, D],
    o_proj: [D, queries],
  };
  const projections = PROJECTIONS.flatMap((name): Tensors => {
    const weight: Tensors = [[`self_attn.${name}.weight`, shapes[name]]];
    return biased.includes(name) ? [...weight, [`self_attn.${name}.bias`, [shapes[name][0]]]] : weight;
  });
  const headNorms: Tensors = [
    ['self_attn.q_norm.weight', [h]],
    ['self_attn.k_norm.weight', [h]],
  ];
  return [
    ['input_layernorm.weight', [D]],
    ...projections,
    ...(family.headNorms ? headNorms : []),
    ['post_attention_layernorm.weight', [D]],
    ['mlp.gate_proj.weight', [I, D]],
    ['mlp.up_proj.weight', [I, D]],
    ['mlp.down_proj.weight', [D, I]],
  ];
}
