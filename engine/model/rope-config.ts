/**
 * The keys of `config.json` about the rotary embedding: `rope_theta` with `rope_scaling`, or `rope_parameters` as newer
 * versions of transformers write it.
 */
import { z } from 'zod';
import { shape, tokens } from '../../contracts/bounds.ts';
import type { RopeScaling, RopeType } from './rope-scaling.ts';

/** Prefix of messages about values that the engine does not compute. */
export const MATHEMATICS = 'the engine supports only';

/** A key with one value that the engine computes; any other value is refused. */
export const only = <const T extends string | number | boolean | null>(value: T, meaning: string) =>
  z.literal(value, { error: ({ input }) => `${MATHEMATICS} ${meaning}, found ${found(input)}` }).nullish();

export function found(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}

type ScaledKey = 'factor' | 'low_freq_factor' | 'high_freq_factor';

/** The types of scaling, and the keys that each must have; the others have defaults. */
const REQUIRED: Record<RopeType, readonly ScaledKey[]> = {
  linear: ['factor'],
  llama3: ['factor', 'low_freq_factor', 'high_freq_factor'],
  yarn: [],
  dynamic: ['factor'],
};

const TYPES = ['default', ...(Object.keys(REQUIRED) as RopeType[])] as const;
const typeName = z.enum(TYPES, {
  error: ({ input }) =>
    `${MATHEMATICS} the rotary embeddings ${TYPES.map(found).join(', ')}, found ${found(input)}`,
});

/** A stretch of the context; below 1 it would be compressed. */
const factor = z.number().min(1).max(1e6);
const positive = z.number().gt(0).max(1e6);
const scale = z.number().min(0).max(1e6);

/** Keys that a type does not read are ignored by transformers too; keys that no type reads are refused. */
const keysSchema = z
  .strictObject(
    {
      rope_type: typeName.nullish(),
      type: typeName.nullish(),
      rope_theta: shape.rope_theta.nullish(),
      factor: factor.nullish(),
      original_max_position_embeddings: tokens.nullish(),
      low_freq_factor: positive.nullish(),
      high_freq_factor: positive.nullish(),
      attention_factor: positive.nullish(),
      beta_fast: scale.nullish(),
      beta_slow: scale.nullish(),
      mscale: scale.nullish(),
      mscale_all_dim: scale.nullish(),
      truncate: z.boolean().nullish(),
      partial_rotary_factor: only(1, 'rotation of the whole head (1)'),
    },
    {
      error: ({ code, keys }) =>
        code === 'unrecognized_keys'
          ? `${MATHEMATICS} rotary embeddings without ${(keys as string[]).map(found).join(', ')}`
          : undefined,
    },
  )
  .check(({ value, issues }) => {
    const refuse = (key: string, message: string) =>
      issues.push({ code: 'custom', path: [key], message, input: value });
    if (value.rope_type && value.type && value.rope_type !== value.type)
      refuse(
        'type',
        `expected the value of rope_type (${found(value.rope_type)}), found ${found(value.type)}`,
      );
    const type = typeOf(value);
    if (type === 'default') return;
    for (const key of REQUIRED[type])
      if (value[key] == null)
        refuse(key, `expected a number for the rotary embedding ${found(type)}, found none`);
    const { low_freq_factor: low, high_freq_factor: high } = value;
    if (type === 'llama3' && low != null && high != null && low >= high)
      refuse('high_freq_factor', `expected more than low_freq_factor (${low}), found ${high}`);
  });

type RopeKeys = z.infer<typeof keysSchema>;

const typeOf = ({ rope_type, type }: RopeKeys) => rope_type ?? type ?? 'default';

/** To be spread into the schema of `config.json`. */
export const ropeSchema = {
  rope_theta: shape.rope_theta.nullish(),
  rope_scaling: keysSchema.nullish(),
  rope_parameters: keysSchema.nullish(),
  partial_rotary_factor: only(1, 'rotation of the whole head (1)'),
  original_max_position_embeddings: tokens.nullish(),
};

interface RopeFile {
  rope_theta?: number | null | undefined;
  rope_scaling?: RopeKeys | null | undefined;
  rope_parameters?: RopeKeys | null | undefined;
  original_max_position_embeddings?: number | null | undefined;
  max_position_embeddings: number;
}

export interface Rope {
  rope_theta: number;
  rope_scaling?: RopeScaling;
}

const DEFAULT_THETA = 10_000;

/** The rotary embedding of a configuration, and what contradicts itself in it. */
export function readRope(file: RopeFile): { rope: Rope; problems: string[] } {
  const read = (keys: RopeKeys | null | undefined): Rope => {
    const scaling = scalingOf(keys ?? {}, file);
    const rope_theta = keys?.rope_theta ?? file.rope_theta ?? DEFAULT_THETA;
    return { rope_theta, ...(scaling ? { rope_scaling: scaling } : {}) };
  };
  const { rope_scaling: older, rope_parameters: newer } = file;
  const rope = read(given(older) ? older : newer);
  const problems = originalProblems(file);
  if (rope.rope_scaling?.rope_type === 'yarn' && rope.rope_theta <= 1)
    problems.push(
      `rope_theta: expected more than 1 for the rotary embedding "yarn", found ${rope.rope_theta}`,
    );
  if (given(older) && given(newer) && found(read(newer)) !== found(rope))
    problems.push(
      `rope_parameters: expected the rotary embedding of rope_scaling (${found(older)}), found ${found(newer)}`,
    );
  return { rope, problems };
}

const given = (keys: RopeKeys | null | undefined) => keys != null && Object.keys(keys).length > 0;

/** The context of pre-training may be beside the other keys or among them. */
function originalProblems(file: RopeFile): string[] {
  const outside = file.original_max_position_embeddings;
  if (outside == null) return [];
  return (['rope_scaling', 'rope_parameters'] as const).flatMap((key) => {
    const inside = file[key]?.original_max_position_embeddings;
    return inside == null || inside === outside
      ? []
      : [
          `${key}.original_max_position_embeddings: expected ${outside}, as outside of ${key}, found ${inside}`,
        ];
  });
}

/** The numbers in force; transformers' defaults where a key is absent. */
function scalingOf(keys: RopeKeys, file: RopeFile): RopeScaling | undefined {
  const rope_type = typeOf(keys);
  const original =
    keys.original_max_position_embeddings ??
    file.original_max_position_embeddings ??
    file.max_position_embeddings;
  const number = (key: ScaledKey) => keys[key] ?? Number.NaN;
  switch (rope_type) {
    case 'default':
      return undefined;
    case 'linear':
    case 'dynamic':
      return { rope_type, factor: number('factor') };
    case 'llama3':
      return {
        rope_type,
        factor: number('factor'),
        low_freq_factor: number('low_freq_factor'),
        high_freq_factor: number('high_freq_factor'),
        original_max_position_embeddings: original,
      };
    case 'yarn':
      return {
        rope_type,
        factor: keys.factor ?? file.max_position_embeddings / original,
        original_max_position_embeddings: original,
        attention_factor: keys.attention_factor ?? null,
        // As transformers: zero counts as absent.
        beta_fast: keys.beta_fast || 32,
        beta_slow: keys.beta_slow || 1,
        mscale: keys.mscale ?? null,
        mscale_all_dim: keys.mscale_all_dim ?? null,
        truncate: keys.truncate ?? true,
      };
  }
}

/** The keys for all versions of transformers: `rope_theta` is in both of its places, and so is a scaling. */
export function formatRope({ rope_theta, rope_scaling }: Rope): Record<string, unknown> {
  if (rope_scaling === undefined)
    return { rope_theta, rope_parameters: { rope_theta, rope_type: 'default' } };
  const written = Object.fromEntries(Object.entries(rope_scaling).filter(([, value]) => value !== null));
  return { rope_theta, rope_scaling: written, rope_parameters: { rope_theta, ...written } };
}
