/**
 * Reads and writes a model's Hugging Face `config.json`. A key that would change the mathematics in a way that the
 * engine does not compute is refused by name, never ignored.
 */
import { z } from 'zod';
import { shape, tokens } from '../../contracts/bounds.ts';
import { issueText, strictest } from '../../contracts/issue-text.ts';
import {
  ARCHITECTURE_NAMES,
  ARCHITECTURES,
  type Architecture,
  type Family,
  GENERATING,
  isRewardModel,
  type ModelConfig,
} from './architecture.ts';
import { formatRope, found, MATHEMATICS, only, readRope, ropeSchema } from './rope-config.ts';

/** Thrown when a `config.json` is malformed or describes a model that the engine does not compute. */
export class ModelConfigError extends Error {
  override name = 'ModelConfigError';
}

/** Above every vocabulary. */
const MOST_TOKEN_ID = 10_000_000;
/** Limit of the rotary tables, which are in memory whole: a million positions of heads of 128. */
const MOST_ANGLES = 2 ** 26;

const tokenId = z.int().min(0).max(MOST_TOKEN_ID);
const MODEL_TYPES = [...GENERATING.keys()];

/** One of the names that the engine knows. */
const known = <const Name extends string>(names: readonly Name[]) =>
  z.enum(names, {
    error: ({ input }) => `${MATHEMATICS} ${names.map(found).join(', ')}, found ${found(input)}`,
  });

const fileSchema = z.object({
  architectures: z.tuple([known(ARCHITECTURE_NAMES)]).nullish(),
  model_type: known(MODEL_TYPES),
  vocab_size: shape.vocab_size,
  hidden_size: shape.hidden_size,
  intermediate_size: shape.intermediate_size,
  num_hidden_layers: shape.num_hidden_layers,
  num_attention_heads: shape.num_attention_heads,
  num_key_value_heads: shape.num_attention_heads.nullish(),
  head_dim: shape.head_dim.nullish(),
  max_position_embeddings: tokens.optional(),
  rms_norm_eps: shape.rms_norm_eps.default(1e-6),
  ...ropeSchema,
  rope_interleaved: only(false, 'rotation of the two halves of a head (false)'),
  is_causal: only(true, 'causal attention (true)'),
  hidden_act: only('silu', '"silu"'),
  attention_bias: z.boolean().optional(),
  mlp_bias: only(false, 'a feed-forward block without bias (false)'),
  use_sliding_window: z.boolean().nullish(),
  sliding_window: tokens.nullish(),
  max_window_layers: z.int().min(0).nullish(),
  layer_types: z.array(z.string()).nullish(),
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

type ConfigFile = z.infer<typeof fileSchema>;

/** Reads a parsed `config.json`. `source` names it in errors. Throws ModelConfigError. */
export function parseModelConfig(json: unknown, source = 'config.json'): ModelConfig {
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) throw refusalOf(source, parsed.error.issues, json);
  const file = parsed.data;
  const architecture = architectureOf(file);
  const { family } = ARCHITECTURES[architecture];
  const max_position_embeddings = file.max_position_embeddings ?? family.defaults.max_position_embeddings;
  const { rope, problems: contradictions } = readRope({ ...file, max_position_embeddings });
  const uncomputed = uncomputedIn(file, family, max_position_embeddings);
  if (uncomputed.length > 0) throw uncomputable(source, uncomputed);
  const config: ModelConfig = {
    architecture,
    vocab_size: file.vocab_size,
    hidden_size: file.hidden_size,
    intermediate_size: file.intermediate_size,
    num_hidden_layers: file.num_hidden_layers,
    num_attention_heads: file.num_attention_heads,
    num_key_value_heads: keyValueHeads(file, family),
    head_dim: file.head_dim ?? family.defaults.head_dim ?? file.hidden_size / file.num_attention_heads,
    max_position_embeddings,
    rms_norm_eps: file.rms_norm_eps,
    ...rope,
    attention_bias: readsAttentionBias(family) && (file.attention_bias ?? false),
    tie_word_embeddings: file.tie_word_embeddings,
    initializer_range: file.initializer_range,
    bos_token_id: file.bos_token_id ?? null,
    eos_token_id: file.eos_token_id ?? null,
    pad_token_id: file.pad_token_id ?? null,
  };
  // transformers' default is two labels.
  const labels = file.num_labels ?? Object.keys(file.id2label ?? { 0: '', 1: '' }).length;
  const problems = [...contradictions, ...impossibilities(config), ...headProblems(config, labels)];
  if (problems.length > 0) throw refusal(source, problems);
  return config;
}

/** The architecture named, or the one of the model's type that generates. */
function architectureOf({ architectures, model_type }: ConfigFile): Architecture {
  const architecture = architectures?.[0] ?? GENERATING.get(model_type);
  if (architecture === undefined) throw new Error(`No architecture is known of model_type ${model_type}.`);
  return architecture;
}

/** Absent, transformers takes its class's own number; null, as many as heads of queries. */
function keyValueHeads(
  { num_attention_heads, num_key_value_heads }: ConfigFile,
  { defaults }: Family,
): number {
  const absent = num_key_value_heads === undefined ? defaults.num_key_value_heads : null;
  return num_key_value_heads ?? absent ?? num_attention_heads;
}

/** Whether `attention_bias` decides which projections add a bias. */
const readsAttentionBias = ({ biased }: Family) =>
  biased({ attention_bias: true }).length !== biased({ attention_bias: false }).length;

/** What several keys together ask for and the engine does not compute. */
function uncomputedIn(file: ConfigFile, family: Family, positions: number): string[] {
  const { model_type, architectures, attention_bias } = file;
  const problems: string[] = [];
  if (family.modelType !== model_type)
    problems.push(
      `architectures.0: ${MATHEMATICS} an architecture of model_type ${found(model_type)}, found ${found(architectures?.[0])}`,
    );
  if (attention_bias === false && !readsAttentionBias(family))
    problems.push(`attention_bias: ${MATHEMATICS} queries, keys and values with a bias (true), found false`);
  return [...problems, ...slidingWindow(file, positions)];
}

/** transformers' defaults of Qwen2 and Qwen3. */
const WINDOW_DEFAULTS = { sliding_window: 4096, max_window_layers: 28 };

/** A window that some layer uses, unless it holds the longest sequence. */
function slidingWindow(file: ConfigFile, positions: number): string[] {
  const { use_sliding_window, layer_types, num_hidden_layers } = file;
  const { sliding_window: window = WINDOW_DEFAULTS.sliding_window } = file;
  const from = file.max_window_layers ?? WINDOW_DEFAULTS.max_window_layers;
  const types =
    layer_types ??
    Array.from({ length: num_hidden_layers }, (_, layer) =>
      use_sliding_window && window !== null && layer >= from ? 'sliding_attention' : 'full_attention',
    );
  const other = types.findIndex((type) => type !== 'full_attention');
  if (other < 0) return [];
  const isSliding = types.every((type) => type === 'full_attention' || type === 'sliding_attention');
  if (isSliding && use_sliding_window && window !== null && window >= positions) return [];
  const key = layer_types ? `layer_types.${other}` : 'use_sliding_window';
  const value = layer_types
    ? found(types[other])
    : `a window of ${window} tokens from layer ${from} on (sliding_window, max_window_layers)`;
  return [`${key}: ${MATHEMATICS} attention to all earlier tokens, found ${value}`];
}

/** The same for a model that generates. Throws ModelConfigError for one with a scalar head. */
export function parsePolicyConfig(json: unknown, source = 'config.json'): ModelConfig {
  const config = parseModelConfig(json, source);
  if (!isRewardModel(config)) return config;
  throw new ModelConfigError(
    `${source}: architectures: expected a model that generates ("${GENERATING.get(ARCHITECTURES[config.architecture].family.modelType)}"), found "${config.architecture}". ` +
      'Choose a language model; a reward model only scores.',
  );
}

/** The `config.json` of a configuration, for all versions of transformers. */
export function formatModelConfig(config: ModelConfig): string {
  const { architecture, rope_theta, rope_scaling, attention_bias, ...shape } = config;
  const { family } = ARCHITECTURES[architecture];
  const file = {
    architectures: [architecture],
    model_type: family.modelType,
    ...shape,
    ...(isRewardModel(config) ? scalarHeadKeys : {}),
    ...(readsAttentionBias(family) ? { attention_bias } : {}),
    ...(family.modelType === 'llama' ? { mlp_bias: false } : { use_sliding_window: false }),
    hidden_act: 'silu',
    ...formatRope({ rope_theta, ...(rope_scaling ? { rope_scaling } : {}) }),
    dtype: 'float32',
    torch_dtype: 'float32',
  };
  const sorted = Object.fromEntries(Object.entries(file).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify(sorted, null, 2)}\n`;
}

/** The keys by which transformers makes one scalar head. */
const scalarHeadKeys = { num_labels: 1, id2label: { 0: 'reward' }, label2id: { reward: 0 } };

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

/** A scalar head is read at the last token that is not padding, so there must be a padding token. */
function headProblems(config: ModelConfig, labels: number): string[] {
  if (!isRewardModel(config)) return [];
  return [
    ...(labels === 1 ? [] : [`num_labels: expected 1, a scalar head, found ${labels}`]),
    ...(config.pad_token_id === null ? ['pad_token_id: expected a token that pads, found none'] : []),
  ];
}

/** A damaged file can be fetched again. A model that the engine does not compute can only be replaced: the message says which. */
function refusalOf(source: string, issues: readonly z.core.$ZodIssue[], json: unknown): ModelConfigError {
  const reported = strictest(issues);
  const problems = reported.map((issue) => {
    const key = issue.path.join('.') || '(the whole file)';
    return `${key}: ${isMathematics(issue) ? issue.message : issueText(issue, valueAt(json, issue.path))}`;
  });
  return reported.some(isMathematics) ? uncomputable(source, problems) : refusal(source, problems);
}

function uncomputable(source: string, problems: readonly string[]): ModelConfigError {
  return new ModelConfigError(
    `${source} is not a configuration that the embedded engine can compute:\n${listed(problems)}\n` +
      'Leave the file as it is: with other values the engine would compute another model, and its answers would be wrong. ' +
      'Choose a Llama, Qwen2 (2.5) or Qwen3 model, such as HuggingFaceTB/SmolLM2-135M, Qwen/Qwen2.5-0.5B or Qwen/Qwen3-0.6B.',
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
    `${source} is not a configuration that the engine can compute:\n${listed(problems)}\n` +
      'Fetch the file again, or choose a model of that kind.',
  );
}

const listed = (problems: readonly string[]) => problems.map((problem) => `  ${problem}`).join('\n');
