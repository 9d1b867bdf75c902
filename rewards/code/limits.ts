import { z } from 'zod';

const MEBIBYTE = 1024 * 1024;

/**
 * What one run of a program may use. CPU time decides verdicts, since it is the program's own doing; wall
 * time only ends what would never end, and must leave room for a machine that is busy with others.
 */
const runLimitsShape = {
  /** CPU seconds of all its processes together */
  cpuSeconds: z.number().positive(),
  wallSeconds: z.number().positive(),
  /** bytes of memory, its temporary files among them */
  memoryBytes: z.int().positive(),
  /** processes and threads */
  processes: z.int().positive(),
  /** bytes written to each of standard output, standard error and the result channel */
  outputBytes: z.int().positive(),
  /** bytes of one file, and of all files in each of its two writable folders together */
  fileBytes: z.int().positive(),
};

const LEAST_WALL_PER_CPU = 2;

const runLimitsSchema = z
  .strictObject(runLimitsShape)
  .refine(({ cpuSeconds, wallSeconds }) => wallSeconds >= LEAST_WALL_PER_CPU * cpuSeconds, {
    path: ['wallSeconds'],
    message: `expected at least ${LEAST_WALL_PER_CPU} × cpuSeconds, so that a busy machine is told from a slow program`,
  });
export type RunLimits = z.infer<typeof runLimitsSchema>;

/** Limits of one program: of each of its tests, and of its compilation. */
export const limitsSchema = z.strictObject({ run: runLimitsSchema, compile: runLimitsSchema });
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

/** The defaults with what a task says otherwise. Throws a `ZodError` where the outcome contradicts itself. */
export function limitsWith(given: { run?: Partial<RunLimits>; compile?: Partial<RunLimits> } = {}): Limits {
  return limitsSchema.parse({
    run: withRoom({ ...DEFAULT_LIMITS.run, ...given.run }, given.run),
    compile: withRoom({ ...DEFAULT_LIMITS.compile, ...given.compile }, given.compile),
  });
}

/** A longer CPU limit alone stretches the wall limit in the proportion of the defaults. */
function withRoom(limits: RunLimits, given: Partial<RunLimits> = {}): RunLimits {
  const wallSeconds = given.wallSeconds ?? Math.max(limits.wallSeconds, 4 * limits.cpuSeconds);
  return { ...limits, wallSeconds };
}
