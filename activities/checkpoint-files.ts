import { Failure } from '../contracts/failures.ts';
import type { Reference } from '../contracts/reference.ts';
import { type Manifest, manifestSchema } from '../contracts/training.ts';
import { loadTokenizer, type Tokenizer } from '../engine/tokenizer.ts';
import type { ObjectStore } from '../stores/objects.ts';

const text = new TextDecoder();

/** A checkpoint's manifest, checked. */
export async function readManifest(objects: ObjectStore, reference: Reference): Promise<Manifest> {
  const parsed = manifestSchema.safeParse(JSON.parse(text.decode(await objects.get(reference))));
  if (parsed.success) return parsed.data;
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
  { files }: Manifest,
): Promise<Record<string, Uint8Array>> {
  const fetched = Object.entries(files).map(async ([name, file]) => [name, await objects.get(file)] as const);
  return Object.fromEntries(await Promise.all(fetched));
}

const tokenizers = new Map<string, Promise<Tokenizer>>();

/** The tokenizer of a checkpoint; kept, since a run asks for the same one at every step. */
export function tokenizerOf(objects: ObjectStore, checkpoint: Reference): Promise<Tokenizer> {
  const known = tokenizers.get(checkpoint.sha256);
  if (known !== undefined) return known;
  const loading = fetchTokenizer(objects, checkpoint);
  loading.catch(() => tokenizers.delete(checkpoint.sha256));
  tokenizers.set(checkpoint.sha256, loading);
  return loading;
}

async function fetchTokenizer(objects: ObjectStore, checkpoint: Reference): Promise<Tokenizer> {
  const manifest = await readManifest(objects, checkpoint);
  const [tokenizer, config] = await Promise.all(
    ['tokenizer.json', 'tokenizer_config.json'].map((name) => readJsonFile(objects, manifest, name)),
  );
  return loadTokenizer({ tokenizer, config });
}
