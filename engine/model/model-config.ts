/**
 * The shape of a policy: a Hugging Face Llama `config.json`, keys as they stand there, and the tensors
 * that such a configuration demands. Anything in the file that would change the mathematics and that the
 * engine does not compute is refused by name, never ignored.
 */
import { z } from 'zod';
import { shape, tokens } from '../../contracts/bounds.ts';
import { issueText, strictest } from '../../contracts/issue-text.ts';

/** Thrown when a `config.json` is malformed or asks for mathematics that the engine does not have. */
export class ModelConfigError extends Error {
  override name = 'ModelConfigError';
}

/** Beyond every vocabulary. */
const MOST_TOKEN_ID = 10_000_000;
/** Angles of the rotary tables, kept whole: a million positions of heads of 128. */
const MOST_ANGLES = 2 ** 26;

const tokenId = z.int().min(0).max(MOST_TOKEN_ID);
/** How a message begins that says what the engine does not compute. */
const MATHEMATICS = 'the engine knows';

/** A key with one value that the engine computes; any other value is refused. */
const only = <const T extends string | number | boolean | null>(value: T, meaning: string) =>
  z
    .literal(value, { error: (issue) => `${MATHEMATICS} ${meaning} alone, found ${found(issue.input)}` })
    .nullish();

const required = (value: string) =>
  z.literal(value, {
    error: (issue) => `${MATHEMATICS} ${found(value)} alone, found ${found(issue.input)}`,
  });

const ropeParameters = z.looseObject({
  rope_theta: shape.rope_theta.optional(),
  rope_type: only('default', 'the unscaled rotary embedding ("default")'),
  type: only('default', 'the unscaled rotary embedding ("default")'),
  partial_rotary_factor: only(1, 'rotation of the whole head (1)'),
});

/** What stands on the last hidden state: logits over the vocabulary, or one number a sequence (`score.weight`). */
export const architectures = ['LlamaForCausalLM', 'LlamaForSequenceClassification'] as const;
export type Architecture = (typeof architectures)[number];

const architecture = z.enum(architectures, {
  error: (issue) => `${MATHEMATICS} ${architectures.join(' and ')} alone, found ${found(issue.input)}`,
});

const fileSchema = z.object({
  architectures: z.tuple([architecture]).nullish(),
  model_type: required('llama'),
  vocab_size: shape.vocab_size,
  hidden_size: shape.hidden_size,
  intermediate_size: shape.intermediate_size,
  num_hidden_layers: shape.num_hidden_layers,
  num_attention_heads: shape.num_attention_heads,
  num_key_value_heads: shape.num_attention_heads.nullish(),
  head_dim: shape.head_dim.nullish(),
  max_position_embeddings: tokens.default(2048),
  rms_norm_eps: shape.rms_norm_eps.default(1e-6),
  rope_theta: shape.rope_theta.nullish(),
  rope_parameters: ropeParameters.nullish(),
  rope_scaling: ropeParameters.nullish(),
  hidden_act: only('silu', '"silu"'),
  attention_bias: z.boolean().default(false),
  mlp_bias: only(false, 'a feed-forward block without bias (false)'),
  partial_rotary_factor: only(1, 'rotation of the whole head (1)'),
  pretraining_tp: only(1, 'unsplit projections (1)'),
  quantization_config: only(null, 'weights that are not quantized (null)'),
  tie_word_embeddings: z.boolean().default(false),
  initializer_range: shape.initializer_range.default(0.02),
  bos_token_id: tokenId.nullish(),
  eos_token_id: z
    .union([tokenId, z.array(tokenId).min(1)], { error: 'expected a token’s number, or a list of them' })
    .nullish(),
  pad_token_id: tokenId.nullish(),
  num_labels: z.int().min(1).max(MOST_TOKEN_ID).nullish(),
  id2label: z.record(z.string(), z.unknown()).nullish(),
});

/** The configuration with every default filled in. */
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
  /** the four projections of attention add a bias */
  attention_bias: boolean;
  /** the output projection is the embedding itself */
  tie_word_embeddings: boolean;
  /** standard deviation of freshly drawn weights */
  initializer_range: number;
  bos_token_id: number | null;
  eos_token_id: number | number[] | null;
  pad_token_id: number | null;
}

/** Reads a parsed `config.json`. `source` names it in errors. Throws ModelConfigError. */
export function parseModelConfig(json: unknown, source = 'config.json'): ModelConfig {
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) throw refusalOf(source, parsed.error.issues, json);
  const file = parsed.data;
  const config: ModelConfig = {
    architecture: file.architectures?.[0] ?? 'LlamaForCausalLM',
    vocab_size: file.vocab_size,
    hidden_size: file.hidden_size,
    intermediate_size: file.intermediate_size,
    num_hidden_layers: file.num_hidden_layers,
    num_attention_heads: file.num_attention_heads,
    num_key_value_heads: file.num_key_value_heads ?? file.num_attention_heads,
    head_dim: file.head_dim ?? file.hidden_size / file.num_attention_heads,
    max_position_embeddings: file.max_position_embeddings,
    rms_norm_eps: file.rms_norm_eps,
    rope_theta: file.rope_parameters?.rope_theta ?? file.rope_theta ?? 10_000,
    attention_bias: file.attention_bias,
    tie_word_embeddings: file.tie_word_embeddings,
    initializer_range: file.initializer_range,
    bos_token_id: file.bos_token_id ?? null,
    eos_token_id: file.eos_token_id ?? null,
    pad_token_id: file.pad_token_id ?? null,
  };
  // transformers' default is two labels.
  const labels = file.num_labels ?? Object.keys(file.id2label ?? { 0: '', 1: '' }).length;
  const problems = [...impossibilities(config), ...headProblems(config, labels)];
  if (problems.length > 0) throw refusal(source, problems);
  return config;
}

/** The same, of a model that generates. Throws ModelConfigError for one with a scalar head. */
export function parsePolicyConfig(json: unknown, source = 'config.json'): ModelConfig {
  const config = parseModelConfig(json, source);
  if (config.architecture === 'LlamaForCausalLM') return config;
  throw new ModelConfigError(
    `${source}: architectures: expected a model that generates ("LlamaForCausalLM"), found "${config.architecture}". ` +
      'Choose a language model; a reward model only scores.',
  );
}

/** The `config.json` of a configuration, such as transformers reads: `rope_theta` in both places. */
export function formatModelConfig(config: ModelConfig): string {
  const { architecture, ...shape } = config;
  const file = {
    architectures: [architecture],
    model_type: 'llama',
    ...shape,
    ...headKeys[architecture],
    mlp_bias: false,
    hidden_act: 'silu',
    rope_parameters: { rope_theta: config.rope_theta, rope_type: 'default' },
    dtype: 'float32',
    torch_dtype: 'float32',
  };
  const sorted = Object.fromEntries(Object.entries(file).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify(sorted, null, 2)}\n`;
}

/** What `config.json` says of the head beside its name. */
const headKeys: Record<Architecture, object> = {
  LlamaForCausalLM: {},
  LlamaForSequenceClassification: { num_labels: 1, id2label: { 0: 'reward' }, label2id: { reward: 0 } },
};

/**
 * Every tensor of a configuration: name → shape, in the order of the forward pass.
 * Projections are `[out, in]`.
 */
export function expectedTensors(config: ModelConfig): Map<string, readonly number[]> {
  const { vocab_size: V, hidden_size: H } = config;
  const layers = Array.from({ length: config.num_hidden_layers }, (_, layer) => layerTensors(config, layer));
  return new Map([
    ['model.embed_tokens.weight', [V, H]],
    ...layers.flat(),
    ['model.norm.weight', [H]],
    ...headTensors[config.architecture](config),
  ]);
}

const headTensors: Record<Architecture, (config: ModelConfig) => [string, readonly number[]][]> = {
  LlamaForCausalLM: ({ tie_word_embeddings, vocab_size: V, hidden_size: H }) =>
    tie_word_embeddings ? [] : [['lm_head.weight', [V, H]]],
  LlamaForSequenceClassification: ({ hidden_size: H }) => [[SCORE_WEIGHT, [1, H]]],
};

/** The scalar head: the score is its product with the last hidden state of the last token. */
export const SCORE_WEIGHT = 'score.weight';

/** The number of weights of a configuration. */
export function parameterCount(config: ModelConfig): number {
  const sizes = [...expectedTensors(config).values()].map((shape) => shape.reduce((a, b) => a * b, 1));
  return sizes.reduce((a, b) => a + b, 0);
}

function layerTensors(config: ModelConfig, layer: number): [string, readonly number[]][] {
  const { hidden_size: H, intermediate_size: I, head_dim } = config;
  const [queries, keys] = [config.num_attention_heads * head_dim, config.num_key_value_heads * head_dim];
  const attention: Record<string, [number, number]> = {
    q_proj: [queries, H],
    k_proj: [keys, H],
    v_proj: [keys, H],
    o_proj: [H, queries],
  };
  const projections = Object.entries(attention).flatMap(([name, [out, into]]): [string, number[]][] => {
    const weight: [string, number[]] = [`self_attn.${name}.weight`, [out, into]];
    return config.attention_bias ? [weight, [`self_attn.${name}.bias`, [out]]] : [weight];
  });
  const shapes: [string, number[]][] = [
    ['input_layernorm.weight', [H]],
    ...projections,
    ['post_attention_layernorm.weight', [H]],
    ['mlp.gate_proj.weight', [I, H]],
    ['mlp.up_proj.weight', [I, H]],
    ['mlp.down_proj.weight', [H, I]],
  ];
  return shapes.map(([name, shape]) => [`model.layers.${layer}.${name}`, shape]);
}

function impossibilities(config: ModelConfig): string[] {
  const { hidden_size, num_attention_heads, num_key_value_heads, head_dim } = config;
  const { max_position_embeddings: positions } = config;
  const problems: string[] = [];
  if (!Number.isInteger(head_dim)) {
    problems.push(
      `head_dim: expected hidden_size (${hidden_size}) to be a multiple of num_attention_heads ` +
        `(${num_attention_heads}), or head_dim to be given`,
    );
  } else if (head_dim % 8 !== 0) {
    problems.push(`head_dim: the runtime's attention needs a multiple of 8, found ${head_dim}`);
  } else if (positions * (head_dim / 2) > MOST_ANGLES) {
    problems.push(
      `max_position_embeddings: expected at most ${Math.floor((2 * MOST_ANGLES) / head_dim)} with head_dim ${head_dim}, as the ` +
        `engine keeps its rotary tables whole, found ${positions}`,
    );
  }
  if (num_attention_heads % num_key_value_heads !== 0) {
    problems.push(
      `num_key_value_heads: expected a divisor of num_attention_heads (${num_attention_heads}), found ${num_key_value_heads}`,
    );
  }
  return problems;
}

/** A scalar head is read at the last token that is no padding, so padding must have a name. */
function headProblems({ architecture, pad_token_id }: ModelConfig, labels: number): string[] {
  if (architecture === 'LlamaForCausalLM') return [];
  return [
    ...(labels === 1 ? [] : [`num_labels: expected 1, a scalar head, found ${labels}`]),
    ...(pad_token_id === null ? ['pad_token_id: expected a token that pads, found none'] : []),
  ];
}

/** What is wrong with the file is corrected; what the engine does not compute is not: other values would compute another model. */
function refusalOf(source: string, issues: readonly z.core.$ZodIssue[], json: unknown): ModelConfigError {
  const told = strictest(issues);
  const problems = told.map((issue) => {
    const place = issue.path.join('.') || '(the whole file)';
    return `${place}: ${isMathematics(issue) ? issue.message : issueText(issue, valueAt(json, issue.path))}`;
  });
  if (!told.some(isMathematics)) return refusal(source, problems);
  const scaled = told.some(({ path }) => String(path[0]).startsWith('rope_'));
  return new ModelConfigError(
    `${source} is not a Llama configuration that the embedded engine can compute:\n${listed(problems)}\n` +
      'Leave the file as it is: with other values the engine would compute another model, and its answers would be wrong. ' +
      `Choose a Llama ${scaled ? 'whose rotary embedding is not scaled' : 'of that kind'}, such as HuggingFaceTB/SmolLM2-135M.`,
  );
}

const isMathematics = ({ message }: z.core.$ZodIssue) => message.startsWith(MATHEMATICS);

const valueAt = (json: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    json,
  );

function refusal(source: string, problems: readonly string[]): ModelConfigError {
  return new ModelConfigError(
    `${source} is not a Llama configuration that the engine can compute:\n${listed(problems)}\n` +
      'Fetch the file again, or choose a model of that kind.',
  );
}

const listed = (problems: readonly string[]) => problems.map((problem) => `  ${problem}`).join('\n');

function found(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}
