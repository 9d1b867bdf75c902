/**
 * Reads and writes a model's Hugging Face `config.json`. A key that would change the mathematics in a way that the
 * engine does not compute is refused by name, never ignored.
 */
import { z } from 'zod';
import { shape, tokens } from '../../contracts/bounds.ts';
import { issueText, strictest } from '../../contracts/issue-text.ts';
import { ARCHITECTURES, type Architecture, isRewardModel, type ModelConfig } from './architecture.ts';

/** Thrown when a `config.json` is malformed or describes a model that the engine does not compute. */
export class ModelConfigError extends Error {
  override name = 'ModelConfigError';
}

/** Above every vocabulary. */
const MOST_TOKEN_ID = 10_000_000;
/** Limit of the rotary tables, which are in memory whole: a million positions of heads of 128. */
const MOST_ANGLES = 2 ** 26;

const tokenId = z.int().min(0).max(MOST_TOKEN_ID);
/** Prefix of messages about values that the engine does not compute. */
const MATHEMATICS = 'the engine supports only';

/** A key with one value that the engine computes; any other value is refused. */
const only = <const T extends string | number | boolean | null>(value: T, meaning: string) =>
  z.literal(value, { error: (issue) => `${MATHEMATICS} ${meaning}, found ${found(issue.input)}` }).nullish();

const required = (value: string) =>
  z.literal(value, {
    error: (issue) => `${MATHEMATICS} ${found(value)}, found ${found(issue.input)}`,
  });

const ropeParameters = z.looseObject({
  rope_theta: shape.rope_theta.optional(),
  rope_type: only('default', 'the unscaled rotary embedding ("default")'),
  type: only('default', 'the unscaled rotary embedding ("default")'),
  partial_rotary_factor: only(1, 'rotation of the whole head (1)'),
});

const architectures = Object.keys(ARCHITECTURES) as [Architecture, ...Architecture[]];

const architecture = z.enum(architectures, {
  error: (issue) => `${MATHEMATICS} ${architectures.join(' and ')}, found ${found(issue.input)}`,
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

/** The same for a model that generates. Throws ModelConfigError for one with a scalar head. */
export function parsePolicyConfig(json: unknown, source = 'config.json'): ModelConfig {
  const config = parseModelConfig(json, source);
  if (!isRewardModel(config)) return config;
  throw new ModelConfigError(
    `${source}: architectures: expected a model that generates ("LlamaForCausalLM"), found "${config.architecture}". ` +
      'Choose a language model; a reward model only scores.',
  );
}

/** The `config.json` of a configuration, for all versions of transformers: `rope_theta` is in both of its places. */
export function formatModelConfig(config: ModelConfig): string {
  const { architecture, ...shape } = config;
  const file = {
    architectures: [architecture],
    model_type: ARCHITECTURES[architecture].family.modelType,
    ...shape,
    ...(isRewardModel(config) ? scalarHeadKeys : {}),
    mlp_bias: false,
    hidden_act: 'silu',
    rope_parameters: { rope_theta: config.rope_theta, rope_type: 'default' },
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
  if (!reported.some(isMathematics)) return refusal(source, problems);
  const scaled = reported.some(({ path }) => String(path[0]).startsWith('rope_'));
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
