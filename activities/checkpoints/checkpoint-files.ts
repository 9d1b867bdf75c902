import { Failure } from '../../contracts/failures.ts';
import type { RunPlan, TextRules } from '../../contracts/plan.ts';
import type { Reference } from '../../contracts/reference.ts';
import { CONTRACT_VERSION, type Manifest, manifestSchema } from '../../contracts/training.ts';
import { type Tokenizer, tokenizerOfTexts } from '../../engine/tokenizer/tokenizer.ts';
import { TOKENIZER_FILES } from '../../engine/tokenizer/tokenizer-files.ts';
import { INDEX_FILE, parseIndex, shardsOf, WEIGHTS_FILE } from '../../engine/weights/weights.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';

const text = new TextDecoder();

/** A checkpoint's manifest, checked. */
export async function readManifest(objects: ObjectStore, reference: Reference): Promise<Manifest> {
  const json: unknown = JSON.parse(text.decode(await objects.get(reference)));
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const version = typeof json === 'object' && json !== null && 'version' in json ? json.version : undefined;
  if (typeof version === 'number' && version !== CONTRACT_VERSION) {
    throw new Failure(
      'UnknownVersion',
      `${reference.uri}: expected a manifest of version ${CONTRACT_VERSION} or without one, found version ${version}: ` +
        'use the release that wrote it, or a later one',
    );
  }
  const issue = parsed.error.issues[0];
  throw new Failure(
    'CorruptObject',
    `${reference.uri}: expected a checkpoint's manifest, found ${issue?.path.join('.')}: ${issue?.message}`,
  );
}

/** One file of a checkpoint's Hugging Face folder, as JSON. */
export async function readJsonFile(objects: ObjectStore, manifest: Manifest, name: string): Promise<unknown> {
  const reference = manifest.files[name];
  if (reference === undefined) {
    throw new Failure(
      'CorruptObject',
      `checkpoint: expected the file ${name}, found ${Object.keys(manifest.files).join(', ')}`,
    );
  }
  return JSON.parse(text.decode(await objects.get(reference)));
}

/** Every file of a checkpoint's Hugging Face folder, by name. */
export async function fetchFiles(
  objects: ObjectStore,
  { files }: Pick<Manifest, 'files'>,
): Promise<Record<string, Uint8Array>> {
  const fetched = Object.entries(files).map(async ([name, file]) => [name, await objects.get(file)] as const);
  return Object.fromEntries(await Promise.all(fetched));
}

/** The objects of a checkpoint's Hugging Face folder. */
export interface CheckpointObjects {
  /** one file, or those that the index lists */
  weights: [name: string, file: Reference][];
  /** all others, without the index */
  companions: Record<string, Reference>;
  index: Reference | null;
}

/** Throws Failure 'CorruptObject' where the manifest lacks a file of the weights. `uri`: of the manifest. */
export async function checkpointObjects(
  objects: ObjectStore,
  { files }: Pick<Manifest, 'files'>,
  uri: string,
): Promise<CheckpointObjects> {
  const { [WEIGHTS_FILE]: single, [INDEX_FILE]: index, ...others } = files;
  const required = (name: string, file: Reference | undefined): [string, Reference] => {
    if (file !== undefined) return [name, file];
    throw new Failure(
      'CorruptObject',
      `${uri}: expected ${name}, found none; restore the objects or use another checkpoint`,
    );
  };
  if (single !== undefined || index === undefined) {
    const weights = [required(WEIGHTS_FILE, single)];
    return { weights, companions: others, index: null };
  }
  const names = shardsOf(parseIndex(await objects.get(index), `${uri}: ${INDEX_FILE}`));
  const companions = Object.entries(others).filter(([name]) => !names.includes(name));
  return {
    weights: names.map((name) => required(name, others[name])),
    companions: Object.fromEntries(companions),
    index,
  };
}

const tokenizers = new Map<string, Promise<Tokenizer>>();

/** The tokenizer of a checkpoint, by the run's text rules. It is cached: a run needs the same one at every step. */
export function tokenizerOf(
  objects: ObjectStore,
  checkpoint: Reference,
  { textRules = 1 }: Pick<RunPlan, 'textRules'>,
): Promise<Tokenizer> {
  const name = `${checkpoint.sha256} ${textRules}`;
  const known = tokenizers.get(name);
  if (known !== undefined) return known;
  const loading = fetchTokenizer(objects, checkpoint, textRules);
  loading.catch(() => tokenizers.delete(name));
  tokenizers.set(name, loading);
  return loading;
}

async function fetchTokenizer(
  objects: ObjectStore,
  checkpoint: Reference,
  rules: TextRules,
): Promise<Tokenizer> {
  const { files } = await readManifest(objects, checkpoint);
  const texts = new Map<string, string>();
  for (const name of TOKENIZER_FILES) {
    const file = files[name];
    if (file !== undefined) texts.set(name, text.decode(await objects.get(file)));
  }
  return tokenizerOfTexts(texts, checkpoint.uri, rules);
}
