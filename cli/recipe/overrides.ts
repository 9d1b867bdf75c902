/**
 * `--set key=value`: changes to a recipe before it is checked.
 *
 * A dotted path is relative to the recipe's root: `evaluation.k`, `stages[0].options.beta`, `stages.zero.options.beta`
 * (a stage by its name) or, shorter, `zero.beta`. A bare key means, in this order: the recipe's own key (`seed`); the
 * option of that name in every stage that has it (`max_steps`); the key of that name in the one section, `evaluation` or
 * `prompts`, that has it (`k`). Values are YAML.
 */
import type { z } from 'zod';
import { InputError, messageOf } from '../errors.ts';
import { suggestion } from '../suggestion.ts';
import { keysAt, type Path, pathText, schemaAt, valueAt } from './schema-keys.ts';
import { parseYaml } from './yaml-document.ts';

/** One `--set` as given. */
export interface Override {
  /** `learning_rate=1e-4` */
  text: string;
  key: string;
  value: unknown;
}

/** The path that an override has set. */
export interface Placed {
  path: Path;
  override: Override;
}

const LONGEST_SHOWN = 100;

/** Parses `key=value`. Throws InputError. */
export function parseOverride(whole: string): Override {
  const text = whole.length > LONGEST_SHOWN ? `${whole.slice(0, LONGEST_SHOWN)}…` : whole;
  const at = whole.indexOf('=');
  if (at <= 0) throw new InputError(`--set ${text}: expected key=value, such as max_steps=8`);
  return { text, key: whole.slice(0, at).trim(), value: yamlValue(whole.slice(at + 1), text) };
}

function yamlValue(value: string, text: string): unknown {
  try {
    return parseYaml(value, '').data;
  } catch (error) {
    const [reason = ''] = messageOf(error)
      .replace(/^ line \d+: /, '')
      .split('\n');
    throw new InputError(`--set ${text}: expected a YAML value: ${reason}`);
  }
}

/** Applies overrides to a copy of a recipe's data, in order. Throws InputError. */
export function applyOverrides(
  schema: z.core.$ZodType,
  data: unknown,
  overrides: readonly Override[],
): { data: unknown; placed: Placed[] } {
  let changed = structuredClone(data);
  const placed: Placed[] = [];
  for (const override of overrides) {
    for (const path of placesOf(schema, changed, override)) {
      changed = withValue(changed, path, override.value);
      placed.push({ path, override });
    }
  }
  return { data: changed, placed };
}

function placesOf(schema: z.core.$ZodType, data: unknown, override: Override): Path[] {
  const segments = segmentsOf(override);
  const [only] = segments;
  if (segments.length > 1 || only === undefined) return [resolvePath(schema, data, segments, override)];
  return placesOfBareKey(schema, data, String(only), override);
}

const SECTIONS = ['evaluation', 'prompts'];

function placesOfBareKey(schema: z.core.$ZodType, data: unknown, key: string, override: Override): Path[] {
  if (keysAt(schema, data, []).includes(key)) return [[key]];
  const stages = stagesOf(data).map((_, index): Path => ['stages', index, 'options']);
  const knows = (path: Path) => keysAt(schema, data, path).includes(key);
  const inStages = stages.filter(knows);
  if (inStages.length > 0) return inStages.map((path) => [...path, key]);
  const [section, ...others] = SECTIONS.map((name): Path => [name]).filter(knows);
  if (section !== undefined && others.length === 0) return [[...section, key]];
  const places: Path[] = [[], ...stages, ...SECTIONS.map((name): Path => [name])];
  const known = new Set(places.flatMap((path) => keysAt(schema, data, path)));
  throw new InputError(
    `--set ${override.text}: unknown key ${key}${suggestion(key, known)} ` +
      'Expected an option of a stage, or a dotted path from the recipe’s root.',
  );
}

/** The path of the segments; all must be known. */
function resolvePath(schema: z.core.$ZodType, data: unknown, segments: Path, override: Override): Path {
  const path: (string | number)[] = [];
  for (const segment of fromRoot(schema, data, segments)) {
    const next = valueAt(data, path);
    path.push(Array.isArray(next) ? placeInList(next, path, segment, override) : segment);
    if (schemaAt(schema, data, path) !== undefined) continue;
    const known = keysAt(schema, data, path.slice(0, -1));
    throw new InputError(
      `--set ${override.text}: ${pathText(path)}: unknown key${suggestion(String(segment), known) || `; known: ${known.join(', ') || 'none'}`}`,
    );
  }
  return path;
}

/** `zero.beta` → `stages[0].options.beta`, unless the recipe itself has a key of that name. */
function fromRoot(schema: z.core.$ZodType, data: unknown, segments: Path): Path {
  const [first, ...rest] = segments;
  const stage = stagesOf(data).indexOf(String(first));
  const isKey = keysAt(schema, data, []).includes(String(first));
  return stage >= 0 && !isKey ? ['stages', stage, 'options', ...rest] : segments;
}

/** An index, or the index of the stage with that name. */
function placeInList(
  list: readonly unknown[],
  path: Path,
  segment: string | number,
  override: Override,
): number {
  const names = list.map((item) => String(valueAt(item, ['stage']) ?? ''));
  const index = typeof segment === 'number' ? segment : names.indexOf(segment);
  if (index >= 0 && index < list.length) return index;
  const expected = [...list.keys(), ...names.filter(Boolean)].join(', ');
  throw new InputError(
    `--set ${override.text}: ${pathText(path)}: expected one of ${expected}, found ${segment}`,
  );
}

/** `a.b[0].c` → a, b, 0, c */
function segmentsOf({ key, text }: Override): (string | number)[] {
  const segments = key.replaceAll(/\[(\w[\w-]*)\]/g, '.$1').split('.');
  if (segments.some((segment) => segment === '')) {
    throw new InputError(`--set ${text}: expected a key such as max_steps or stages[0].options.max_steps`);
  }
  return segments.map((segment) => (/^\d+$/.test(segment) ? Number(segment) : segment));
}

/** Names of the recipe's stages, in order. */
function stagesOf(data: unknown): string[] {
  const stages = valueAt(data, ['stages']);
  return Array.isArray(stages) ? stages.map((stage) => String(valueAt(stage, ['stage']))) : [];
}

function withValue(data: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const child = withValue(valueAt(data, [key]), rest, value);
  if (Array.isArray(data)) return data.map((item, index) => (index === key ? child : item));
  return { ...(typeof data === 'object' ? data : {}), [key]: child };
}
