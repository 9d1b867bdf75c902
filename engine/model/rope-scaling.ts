/**
 * The frequencies of the rotary embedding, scaled for contexts beyond those of pre-training as transformers does
 * (`modeling_rope_utils.py`). They depend on the configuration alone, never on the lengths of a batch.
 */

/** Under transformers' names, with every default filled in; null: derived from the other numbers. */
export type RopeScaling =
  | { rope_type: 'linear'; factor: number }
  | {
      rope_type: 'llama3';
      factor: number;
      low_freq_factor: number;
      high_freq_factor: number;
      original_max_position_embeddings: number;
    }
  | {
      rope_type: 'yarn';
      factor: number;
      original_max_position_embeddings: number;
      attention_factor: number | null;
      beta_fast: number;
      beta_slow: number;
      mscale: number | null;
      mscale_all_dim: number | null;
      truncate: boolean;
    }
  /** Changes nothing up to `max_position_embeddings`, and the engine takes no longer sequences. */
  | { rope_type: 'dynamic'; factor: number };

export type RopeType = RopeScaling['rope_type'];
type ScalingOf<T extends RopeType> = Extract<RopeScaling, { rope_type: T }>;

/** What decides the angles. */
export interface RotaryShape {
  head_dim: number;
  rope_theta: number;
  /** absent: not scaled */
  rope_scaling?: RopeScaling | undefined;
}

export interface RotaryFrequencies {
  /** radians per position, [h/2] */
  frequencies: Float64Array;
  /** factor of cosine and sine */
  magnitude: number;
}

/** θ^(−2i/h) (RoFormer, arXiv 2104.09864, eq. 15), scaled; computed in float64. */
export function rotaryFrequencies(shape: RotaryShape): RotaryFrequencies {
  const { head_dim: h, rope_theta, rope_scaling } = shape;
  const frequencies = Float64Array.from({ length: h / 2 }, (_, i) => rope_theta ** ((-2 * i) / h));
  if (rope_scaling === undefined) return { frequencies, magnitude: 1 };
  return scaled(frequencies, rope_scaling, shape);
}

function scaled(frequencies: Float64Array, scaling: RopeScaling, shape: RotaryShape): RotaryFrequencies {
  switch (scaling.rope_type) {
    case 'linear':
      return { frequencies: frequencies.map((frequency) => frequency / scaling.factor), magnitude: 1 };
    case 'llama3':
      return { frequencies: frequencies.map((frequency) => llama3(frequency, scaling)), magnitude: 1 };
    case 'yarn':
      return yarn(frequencies, scaling, shape);
    case 'dynamic':
      return { frequencies, magnitude: 1 };
  }
}

/** Llama 3.1: long wavelengths are stretched by the factor, short ones are kept, those between are interpolated. */
function llama3(frequency: number, scaling: ScalingOf<'llama3'>): number {
  const { factor, low_freq_factor: low, high_freq_factor: high } = scaling;
  const rotations = (scaling.original_max_position_embeddings * frequency) / (2 * Math.PI);
  if (rotations < low) return frequency / factor;
  if (rotations > high) return frequency;
  const kept = (rotations - low) / (high - low);
  return (1 - kept) * (frequency / factor) + kept * frequency;
}

/** YaRN (arXiv 2309.00071, section 3.2): interpolation by parts, and a temperature of attention. */
function yarn(frequencies: Float64Array, scaling: ScalingOf<'yarn'>, shape: RotaryShape): RotaryFrequencies {
  const { factor, beta_fast, beta_slow } = scaling;
  const { low, high } = corrected(
    correctionOf(beta_fast, scaling, shape),
    correctionOf(beta_slow, scaling, shape),
    {
      ...scaling,
      ...shape,
    },
  );
  return {
    frequencies: frequencies.map((frequency, i) => {
      const interpolated = Math.min(1, Math.max(0, (i - low) / (high - low)));
      return interpolated * (frequency / factor) + (1 - interpolated) * frequency;
    }),
    magnitude: yarnMagnitude(scaling),
  };
}

/** The dimension that rotates a number of times within the original context. */
function correctionOf(
  rotations: number,
  scaling: ScalingOf<'yarn'>,
  { head_dim: h, rope_theta }: RotaryShape,
): number {
  const wavelength = scaling.original_max_position_embeddings / (rotations * 2 * Math.PI);
  return (h * Math.log(wavelength)) / (2 * Math.log(rope_theta));
}

function corrected(
  first: number,
  last: number,
  { truncate, head_dim }: { truncate: boolean; head_dim: number },
) {
  const low = Math.max(0, truncate ? Math.floor(first) : first);
  const high = Math.min(head_dim - 1, truncate ? Math.ceil(last) : last);
  // As transformers: a ramp of no width is a step.
  return { low, high: low === high ? high + 0.001 : high };
}

function yarnMagnitude({ attention_factor, factor, mscale, mscale_all_dim }: ScalingOf<'yarn'>): number {
  // 0.1·m·ln(s) + 1
  const temperature = (m: number) => (factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1);
  if (attention_factor !== null) return attention_factor;
  // As transformers: zero counts as absent.
  return mscale && mscale_all_dim ? temperature(mscale) / temperature(mscale_all_dim) : temperature(1);
}
