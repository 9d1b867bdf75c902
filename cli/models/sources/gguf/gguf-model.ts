/** What a GGUF file says of its model, as `config.json` and names of tensors in Hugging Face's layout. */
import { InputError } from '../../../errors.ts';
import { type GgufFile, wholeTensor } from './gguf-file.ts';

/** Architectures by GGUF's name. `permuted`: the converter has reordered the rows of queries and keys. */
const ARCHITECTURES = {
  llama: { class: 'LlamaForCausalLM', permuted: true },
  qwen2: { class: 'Qwen2ForCausalLM', permuted: false },
  qwen3: { class: 'Qwen3ForCausalLM', permuted: false },
} as const;
type ArchitectureName = keyof typeof ARCHITECTURES;

/** Typed access to metadata, by names without the architecture's prefix. */
export class Metadata {
  readonly architecture: ArchitectureName;
  private readonly file: Pick<GgufFile, 'path' | 'metadata'>;

  constructor(file: Pick<GgufFile, 'path' | 'metadata'>) {
    this.file = file;
    const found = file.metadata['general.architecture'];
    const known = Object.keys(ARCHITECTURES) as ArchitectureName[];
    const architecture = known.find((name) => name === found);
    if (architecture === undefined)
      throw this.refusal('general.architecture', `one of ${known.join(', ')}`, found);
    this.architecture = architecture;
  }

  /** a value of the architecture; undefined where there is none */
  number(name: string): number | undefined {
    const key = `${this.architecture}.${name}`;
    const value = this.file.metadata[key];
    if (value === undefined) return undefined;
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) return shortest(number);
    throw this.refusal(key, 'a number', value);
  }

  required(name: string): number {
    const value = this.number(name);
    if (value !== undefined) return value;
    throw this.refusal(`${this.architecture}.${name}`, 'a number', undefined);
  }

  refusal(key: string, expected: string, found: unknown): InputError {
    const text =
      typeof found === 'bigint' ? String(found) : (JSON.stringify(found)?.slice(0, 80) ?? 'nothing');
    return new InputError(
      `${this.file.path}: ${key}: expected ${expected}, found ${text}. Choose another file or model.`,
    );
  }
}

/** Numbers are stored as float32: 9.999999747378752e-06 was written as 1e-5. */
function shortest(value: number): number {
  if (Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 17; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}

/** The `config.json` of transformers. Throws InputError where the model is of a kind that is not read. */
export async function configOf(file: GgufFile, metadata: Metadata): Promise<Record<string, unknown>> {
  const { architecture } = metadata;
  for (const name of ['expert_count', 'attention.sliding_window']) {
    const value = metadata.number(name);
    if (value) throw metadata.refusal(`${architecture}.${name}`, 'none', value);
  }
  const embedding = file.tensors.get('token_embd.weight');
  if (embedding === undefined)
    throw new InputError(`${file.path}: expected the tensor token_embd.weight, found none.`);
  const heads = metadata.required('attention.head_count');
  const hidden = metadata.required('embedding_length');
  const headSize = metadata.number('attention.key_length') ?? hidden / heads;
  const rotated = metadata.number('rope.dimension_count') ?? headSize;
  if (rotated !== headSize)
    throw metadata.refusal(
      `${architecture}.rope.dimension_count`,
      `the size of a head (${headSize})`,
      rotated,
    );
  const context = metadata.required('context_length');
  return {
    architectures: [ARCHITECTURES[architecture].class],
    model_type: architecture,
    vocab_size: embedding.shape[0],
    hidden_size: hidden,
    intermediate_size: metadata.required('feed_forward_length'),
    num_hidden_layers: metadata.required('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: metadata.number('attention.head_count_kv') ?? heads,
    head_dim: headSize,
    max_position_embeddings: context,
    rms_norm_eps: metadata.required('attention.layer_norm_rms_epsilon'),
    rope_theta: metadata.number('rope.freq_base') ?? 10_000,
    ...(await scalingOf(file, metadata, { headSize, context })),
    hidden_act: 'silu',
    ...(architecture === 'qwen2'
      ? { use_sliding_window: false }
      : { attention_bias: file.tensors.has('blk.0.attn_q.bias') }),
    tie_word_embeddings: !file.tensors.has('output.weight'),
    torch_dtype: 'float32',
    ...tokenIds(file),
  };
}

/** `bos_token_id`, `eos_token_id` and `pad_token_id`. */
function tokenIds({ metadata }: GgufFile): Record<string, number> {
  const ids = { bos: 'bos', eos: 'eos', pad: 'padding' };
  return Object.fromEntries(
    Object.entries(ids).flatMap(([role, key]) => {
      const id = metadata[`tokenizer.ggml.${key}_token_id`];
      return typeof id === 'number' ? [[`${role}_token_id`, id]] : [];
    }),
  );
}

interface Positions {
  headSize: number;
  context: number;
}

async function scalingOf(file: GgufFile, metadata: Metadata, positions: Positions): Promise<object> {
  const { architecture } = metadata;
  if (file.tensors.has('rope_freqs.weight')) return llama3Scaling(file, metadata, positions);
  const key = `${architecture}.rope.scaling.type`;
  const type = file.metadata[key];
  if (type === undefined || type === 'none') return {};
  const factor = metadata.required('rope.scaling.factor');
  if (type === 'linear') return { rope_scaling: { rope_type: 'linear', factor } };
  if (type !== 'yarn') throw metadata.refusal(key, 'none, linear or yarn', type);
  const optional = {
    attention_factor: metadata.number('rope.scaling.attn_factor'),
    beta_fast: metadata.number('rope.scaling.yarn_beta_fast'),
    beta_slow: metadata.number('rope.scaling.yarn_beta_slow'),
  };
  return {
    rope_scaling: {
      rope_type: 'yarn',
      factor,
      original_max_position_embeddings: metadata.required('rope.scaling.original_context_length'),
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    },
  };
}

/** All published models of Llama 3.1 and 3.2 have these; only the factor differs. */
const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };

/** The file holds the divisor of each frequency; the parameters that give them are found again, and checked. */
async function llama3Scaling(file: GgufFile, metadata: Metadata, { headSize }: Positions): Promise<object> {
  const tensor = file.tensors.get('rope_freqs.weight');
  const divisors = tensor === undefined ? new Float32Array() : await wholeTensor(file.path, tensor);
  const factor = divisors.reduce((most, each) => Math.max(most, each), 1);
  const expected = llama3Divisors(factor, headSize, metadata.number('rope.freq_base') ?? 10_000);
  const differs = expected.some((value, index) => !(Math.abs((divisors[index] ?? 0) / value - 1) < 1e-3));
  if (differs || divisors.length !== expected.length)
    throw metadata.refusal('rope_freqs.weight', 'the divisors of Llama 3’s scaling', 'others');
  return { rope_scaling: { rope_type: 'llama3', factor, ...LLAMA3 } };
}

export function llama3Divisors(factor: number, headSize: number, base: number): number[] {
  const { low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: original } = LLAMA3;
  return Array.from({ length: headSize / 2 }, (_, index) => {
    const wavelength = 2 * Math.PI * base ** ((2 * index) / headSize);
    if (wavelength < original / high) return 1;
    if (wavelength > original / low) return factor;
    const smooth = (original / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

const WHOLE: Record<string, string> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
};
const OF_BLOCK: Record<string, string> = {
  attn_norm: 'input_layernorm',
  ffn_norm: 'post_attention_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

/** A tensor under its Hugging Face name; `heads`: its rows are permuted within so many heads. */
export interface NamedTensor {
  /** in the GGUF file */
  from: string;
  heads: number | null;
}

/** The tensors of a model by their Hugging Face names. Throws InputError for a name that is not known. */
export function tensorNames(file: GgufFile, metadata: Metadata): Map<string, NamedTensor> {
  const { permuted } = ARCHITECTURES[metadata.architecture];
  const heads = metadata.required('attention.head_count');
  const headsOf: Record<string, number> = {
    attn_q: heads,
    attn_k: metadata.number('attention.head_count_kv') ?? heads,
  };
  const names = new Map<string, NamedTensor>();
  for (const from of file.tensors.keys()) {
    // Read as part of the configuration.
    if (from === 'rope_freqs.weight') continue;
    const whole = WHOLE[from];
    const [, block, part = '', kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(from) ?? [];
    const own = OF_BLOCK[part];
    if (whole !== undefined) names.set(whole, { from, heads: null });
    else if (own !== undefined)
      names.set(`model.layers.${block}.${own}.${kind}`, { from, heads: (permuted && headsOf[part]) || null });
    else
      throw new InputError(
        `${file.path}: expected the tensors of a ${metadata.architecture} model, found ${from}. Choose another file or model.`,
      );
  }
  return names;
}

/**
 * Undoes the converter's order of a Llama's query and key rows. Within a head, row 2i + s of the file is row
 * s · size/2 + i of Hugging Face's layout: the file has the two halves of a rotation side by side.
 */
export function unpermuteRows(values: Float32Array, rows: number, heads: number): Float32Array {
  const width = values.length / rows;
  const size = rows / heads;
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const [head, within] = [Math.floor(row / size), row % size];
    const to = head * size + (within % 2) * (size / 2) + Math.floor(within / 2);
    out.set(values.subarray(row * width, (row + 1) * width), to * width);
  }
  return out;
}
