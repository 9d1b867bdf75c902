import { readFileSync } from 'node:fs';

/** The widest vector instructions that the runtime's kernels can choose on this machine. */
export function instructionSet(): 'avx512' | 'avx2' | 'neon' | 'baseline' {
  if (process.arch === 'arm64') return 'neon';
  if (process.platform !== 'linux') return process.arch === 'x64' ? 'avx2' : 'baseline';
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  if (/\bavx512f\b/.test(flags)) return 'avx512';
  return /\bavx2\b/.test(flags) ? 'avx2' : 'baseline';
}
