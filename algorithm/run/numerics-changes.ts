import type { Numerics } from '../../contracts/numerics.ts';

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

/** `onnxruntime 1.30.0 on cpu (avx512, 2 threads)` */
function numericsText({ engine, version, device, instructionSet, threads, deterministic }: Numerics): string {
  const how = [instructionSet, `${threads} thread${threads === 1 ? '' : 's'}`];
  return `${engine} ${version} on ${device} (${[...how, ...(deterministic ? [] : ['not deterministic'])].join(', ')})`;
}
