import { readFileSync } from 'node:fs';
import type { Language } from './language.ts';
import type { Limits, RunLimits } from './limits.ts';
import { endingOf } from './run-outcome.ts';
import type { Sandbox } from './sandbox.ts';
import { SandboxError } from './sandbox-error.ts';
import { BOX, type SandboxedCommand, type SandboxedFile } from './sandboxed-command.ts';

/** A program ready to run, compiled where its language needs it. */
export interface Program {
  /** absolute path and arguments; a run may append further arguments */
  argv: string[];
  files: SandboxedFile[];
  memoryRlimit: SandboxedCommand['memoryRlimit'];
  stackBytes: number;
}

/** A source, and the name of the function to call; null: run the whole program. */
export interface Source {
  language: Language;
  source: string;
  functionName: string | null;
}

type Preparation = Program | { compileError: string };
type Prepare = (source: Source, sandbox: Sandbox, limits: Limits) => Promise<Preparation> | Preparation;

/**
 * Makes a program from a source. A source that the compiler rejects, or that exceeds the compiler's limits, is a
 * compile error. Throws a `SandboxError` where the language's tools or the sandbox are missing.
 */
export async function prepare(source: Source, sandbox: Sandbox, limits: Limits): Promise<Preparation> {
  return await PREPARE[source.language](source, sandbox, limits);
}

const PREPARE: Record<Language, Prepare> = {
  python: preparePython,
  javascript: prepareJavaScript,
  cpp: prepareCpp,
};

const MEBIBYTE = 2 ** 20;
const ORDINARY_STACK = 8 * MEBIBYTE;

const harness = (name: string): SandboxedFile => ({
  name,
  content: readFileSync(new URL(`./harness/${name}`, import.meta.url)),
});

function tool(sandbox: Sandbox, program: string): string {
  const path = sandbox.find(program);
  if (path !== undefined) return path;
  throw new SandboxError('sandbox-missing', `expected ${program} on the search path, found none: install it`);
}

/** Removes Python's limit on the digits of an integer that is printed (4,300 since 3.11). */
const ANY_DIGITS = ['-X', 'int_max_str_digits=0'];

function preparePython({ source, functionName }: Source, sandbox: Sandbox): Program {
  const main: SandboxedFile = { name: 'main.py', content: source };
  const python = [tool(sandbox, 'python3'), '-s', '-B', ...ANY_DIGITS];
  const rest = { memoryRlimit: 'as' as const, stackBytes: ORDINARY_STACK };
  return functionName === null
    ? { argv: [...python, `${BOX}/main.py`], files: [main], ...rest }
    : { argv: [...python, `${BOX}/call.py`, functionName], files: [main, harness('call.py')], ...rest };
}

/** Node reserves gigabytes of address space, so its heap has a separate limit, below the memory limit. */
function prepareJavaScript({ source, functionName }: Source, sandbox: Sandbox, { run }: Limits): Program {
  const main: SandboxedFile = { name: 'main.js', content: source };
  const heap = Math.max(16, Math.floor((0.75 * run.memoryBytes) / MEBIBYTE));
  const node = [sandbox.node, `--max-old-space-size=${heap}`];
  const rest = { memoryRlimit: 'data' as const, stackBytes: ORDINARY_STACK };
  return functionName === null
    ? { argv: [...node, `${BOX}/main.js`], files: [main], ...rest }
    : { argv: [...node, `${BOX}/call.cjs`, functionName], files: [main, harness('call.cjs')], ...rest };
}

const CPP_FLAGS = ['-std=gnu++20', '-O2', '-w', '-fmax-errors=5'];
/** The compiler's output is sent through the result descriptor, so no file of it is written on this machine. */
const COMPILE = 'compiler=$1; shift; "$compiler" "$@" -o /tmp/program && exec cat /tmp/program >&3';

async function prepareCpp(source: Source, sandbox: Sandbox, limits: Limits): Promise<Preparation> {
  const unit = source.functionName === null ? [] : [harness('call.hpp'), caller(source, source.functionName)];
  const main = source.functionName === null ? 'main.cpp' : 'call.cpp';
  const outcome = await sandbox.run({
    argv: ['/bin/sh', '-c', COMPILE, 'sh', tool(sandbox, 'g++'), ...CPP_FLAGS, `${BOX}/${main}`],
    files: [{ name: 'main.cpp', content: source.source }, ...unit],
    stdin: '',
    limits: limits.compile,
    memoryRlimit: 'as',
    stackBytes: 64 * MEBIBYTE,
  });
  const ending = endingOf(outcome, limits.compile);
  if (ending === 'completed') return cppProgram(outcome.result, limits.run);
  return { compileError: ending === 'crashed' ? outcome.stderr.slice(0, 2000) : `${ending} of the compiler` };
}

function cppProgram(binary: Buffer, { memoryBytes }: RunLimits): Program {
  return {
    argv: [`${BOX}/program`],
    files: [{ name: 'program', content: binary, executable: true }],
    memoryRlimit: 'as',
    // Deep recursion is common in contests.
    stackBytes: Math.floor(memoryBytes / 4),
  };
}

/** A compilation unit that includes the program and renames its `main`, if it has one. */
function caller({ source }: Source, functionName: string): SandboxedFile {
  const name = /\b(?:class|struct)\s+Solution\b/.test(source)
    ? `Solution::${functionName}`
    : `::${functionName}`;
  const lines = [
    '#include "call.hpp"',
    'using namespace std;',
    '#define main solution_main',
    '#include "main.cpp"',
    '#undef main',
    `int main() { r1_call::answer(&${name}); }`,
  ];
  return { name: 'call.cpp', content: `${lines.join('\n')}\n` };
}
