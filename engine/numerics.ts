import { readFileSync } from 'node:fs';

/** What a result's bits depend on. Two equal records promise equal bits for equal calls. */
export interface Numerics {
  engine: 'onnxruntime';
  version: string;
  device: 'cpu';
  instructionSet: 'avx512' | 'avx2' | 'neon' | 'baseline';
  threads: number;
  deterministic: true;
}

/** The widest vector instructions that the runtime's kernels can choose here. */
export function instructionSet(): Numerics['instructionSet'] {
  if (process.arch === 'arm64') return 'neon';
  if (process.platform !== 'linux') return process.arch === 'x64' ? 'avx2' : 'baseline';
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  if (/\bavx512f\b/.test(flags)) return 'avx512';
  return /\bavx2\b/.test(flags) ? 'avx2' : 'baseline';
}
