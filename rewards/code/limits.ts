import { z } from 'zod';

const MEGABYTE = 1_000_000;
const MEBIBYTE = 1024 * 1024;
const GIBIBYTE = 1024 * MEBIBYTE;

/**
 * Limits of one run of a program. Time in which the program waits for a processor counts neither as CPU time nor as
 * wall time.
 */
const runLimitsShape = {
  /** CPU seconds of all its processes together */
  cpuSeconds: z.number().positive().max(60),
  /** seconds on a processor or asleep */
  wallSeconds: z.number().positive().max(600),
  /** bytes of memory, including its temporary files */
  memoryBytes: z
    .int()
    .positive()
    .max(4 * GIBIBYTE),
  /** processes and threads */
  processes: z.int().positive().max(1024),
  /** bytes written to each of standard output, standard error and the result descriptor */
  outputBytes: z.int().positive().max(GIBIBYTE),
  /** bytes of one file, and of all files in each of its two writable folders together */
  fileBytes: z.int().positive().max(GIBIBYTE),
};

const LEAST_WALL_PER_CPU = 2;

const runLimitsSchema = z
  .strictObject(runLimitsShape)
  .refine(({ cpuSeconds, wallSeconds }) => wallSeconds >= LEAST_WALL_PER_CPU * cpuSeconds, {
    path: ['wallSeconds'],
    message: `expected at least ${LEAST_WALL_PER_CPU} × cpuSeconds: a program that computes should reach the CPU limit first`,
  });
export type RunLimits = z.infer<typeof runLimitsSchema>;

/** Limits of one program: for each of its tests, and for its compilation. */
const limitsSchema = z.strictObject({ run: runLimitsSchema, compile: runLimitsSchema });
export type Limits = z.infer<typeof limitsSchema>;

export const DEFAULT_LIMITS: Limits = {
  run: {
    cpuSeconds: 5,
    wallSeconds: 20,
    memoryBytes: 512 * MEBIBYTE,
    processes: 64,
    outputBytes: 16 * MEBIBYTE,
    fileBytes: 64 * MEBIBYTE,
  },
  compile: {
    cpuSeconds: 20,
    wallSeconds: 120,
    memoryBytes: 1024 * MEBIBYTE,
    processes: 64,
    outputBytes: 64 * MEBIBYTE,
    fileBytes: 256 * MEBIBYTE,
  },
};

/** The default limits with a task's changes. Throws a `ZodError` where the result is contradictory. */
export function limitsWith(given: { run?: Partial<RunLimits>; compile?: Partial<RunLimits> } = {}): Limits {
  return limitsSchema.parse({
    run: withWallLimit({ ...DEFAULT_LIMITS.run, ...given.run }, given.run),
    compile: withWallLimit({ ...DEFAULT_LIMITS.compile, ...given.compile }, given.compile),
  });
}

/** Where only the CPU limit is given, the wall limit grows in the proportion of the defaults. */
function withWallLimit(limits: RunLimits, given: Partial<RunLimits> = {}): RunLimits {
  const wallSeconds = given.wallSeconds ?? Math.max(limits.wallSeconds, 4 * limits.cpuSeconds);
  return { ...limits, wallSeconds };
}

/**
 * The limits that an entry may set for its tests. The accepted range is far wider than in any contest: a value outside
 * of it is in another unit, or would occupy a slot of the sandbox for hours.
 */
export const entryLimitsShape = {
  time_limit: bounded({ from: 0.05, to: 60, unit: 'seconds of CPU time per test' }),
  memory_limit: bounded({ from: 1, to: 4096, unit: 'megabytes per test' }),
};

function bounded({ from, to, unit }: { from: number; to: number; unit: string }) {
  const error = ({ input }: { input?: unknown }) =>
    `expected ${from} to ${to} ${unit}, found ${JSON.stringify(input)?.slice(0, 40)}`;
  return z.number({ error }).min(from, { error }).max(to, { error }).nullish();
}

/** An entry's limits in the form of a run's limits. */
export function runLimitsOf({
  time_limit,
  memory_limit,
}: z.infer<z.ZodObject<typeof entryLimitsShape>>): Partial<RunLimits> {
  return {
    ...(time_limit ? { cpuSeconds: time_limit } : {}),
    ...(memory_limit ? { memoryBytes: Math.ceil(memory_limit * MEGABYTE) } : {}),
  };
}

/** Most tests of a completion, and most characters of all tests together. */
const MOST_TESTS = 2_000;
const MOST_CHARACTERS = 256 * MEBIBYTE;

/** Throws a `RangeError` where there are too many tests, or too large ones. */
export function refuseTooManyTests(tests: readonly { input: unknown; output?: unknown }[]): void {
  const most = `expected at most ${MOST_TESTS} tests of ${MOST_CHARACTERS} characters together`;
  if (tests.length > MOST_TESTS) throw new RangeError(`${most}, found ${tests.length} tests`);
  const characters = tests.reduce((sum, { input, output }) => sum + lengthOf(input) + lengthOf(output), 0);
  if (characters > MOST_CHARACTERS) throw new RangeError(`${most}, found ${characters} characters`);
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  const text = JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each));
  return text?.length ?? 0;
}

/** Limits on all runs of one completion together: its compilations, its tests, and the checker of their outputs. */
export const COMPLETION_LIMITS = {
  cpuSeconds: 600,
  /** runs that sleep until their wall limit; a fourth one would add no information */
  sleepers: 3,
};
