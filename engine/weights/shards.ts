/** How tensors are distributed over the files of a Hugging Face folder. Pure functions. */
import type { StoredTensors } from './safetensors.ts';
import { INDEX_FILE, WEIGHTS_FILE } from './weights.ts';

/** Largest file of weights that is written: what hubs and most object stores take without a special case. */
const MOST_FILE_BYTES = 5e9;

interface Sharded {
  /** by name */
  files: Map<string, StoredTensors>;
  /** names each tensor's file, where there is more than one */
  index: { name: string; text: string } | null;
}

/** In the tensors' own order, each file as full as `limit` bytes of tensors allow; a larger tensor has its own. */
export function shardTensors(tensors: StoredTensors, limit = MOST_FILE_BYTES): Sharded {
  const shards: StoredTensors[] = [];
  let room = 0;
  for (const [name, tensor] of tensors) {
    const { byteLength } = tensor.data;
    if (shards.length === 0 || byteLength > room) {
      shards.push(new Map());
      room = limit;
    }
    shards.at(-1)?.set(name, tensor);
    room -= byteLength;
  }
  if (shards.length <= 1) return { files: new Map([[WEIGHTS_FILE, tensors]]), index: null };
  const nameOf = (shard: number) => `model-${padded(shard + 1)}-of-${padded(shards.length)}.safetensors`;
  const files = new Map(shards.map((shard, number) => [nameOf(number), shard]));
  const weightMap = [...files].flatMap(([file, shard]) => [...shard.keys()].map((name) => [name, file]));
  const size = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  const index = { metadata: { total_size: size }, weight_map: Object.fromEntries(weightMap.sort()) };
  return { files, index: { name: INDEX_FILE, text: `${JSON.stringify(index, null, 2)}\n` } };
}

const padded = (number: number) => String(number).padStart(5, '0');
