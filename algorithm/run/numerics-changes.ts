import type { Numerics } from '../../contracts/numerics.ts';

/** What absent fields mean: numerics of version 1 do not name them. */
const VERSION_1 = { computeDtype: 'float32', kernels: 'r1-layout-1' } as const;

/** Whether two results were computed under numerics that give the same bits: equal and deterministic. */
export function sameNumerics(a: Numerics, b: Numerics): boolean {
  return a.deterministic && b.deterministic && equalNumerics(a, b);
}

/** Whether two results were computed under equal numerics, deterministic or not. */
export function equalNumerics(a: Numerics, b: Numerics): boolean {
  return numericsText(a) === numericsText(b);
}

/** `onnxruntime 1.30.0 on cpu (avx512, 1 thread) → … (avx512, 2 threads)` */
export function numericsChangeText({ before, after }: { before: Numerics; after: Numerics }): string {
  if (equalNumerics(before, after)) return `${numericsText(after)}, computed again`;
  return `${numericsText(before)} → ${numericsText(after)}`;
}

/**
 * `onnxruntime 1.30.0 on cpu (avx512, 2 threads)`. Names every field whose value is not that of version 1, so that
 * equal texts mean equal numerics.
 */
function numericsText(numerics: Numerics): string {
  const { engine, version, device, instructionSet, threads, worldSize, shardSize, deterministic } = numerics;
  const { computeDtype = VERSION_1.computeDtype, kernels = VERSION_1.kernels } = numerics;
  const how = [
    instructionSet,
    counted(threads, 'thread'),
    computeDtype === VERSION_1.computeDtype ? null : computeDtype,
    kernels === VERSION_1.kernels ? null : `kernels ${kernels}`,
    worldSize === undefined ? null : `sums over ${counted(worldSize, 'process', 'processes')}`,
    shardSize === undefined ? null : `shards of ${counted(shardSize, 'group')}`,
    deterministic ? null : 'not deterministic',
  ];
  return `${engine} ${version} on ${device} (${how.filter((part) => part !== null).join(', ')})`;
}

const counted = (count: number, one: string, more = `${one}s`) => `${count} ${count === 1 ? one : more}`;
