import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const noteSchema = z.strictObject({ queue: z.string(), workflowId: z.string() });
export type LeaseNote = z.infer<typeof noteSchema>;

/**
 * A trainer's note of the lease it holds, kept beside the stack's data. A trainer that is killed cannot say
 * so; its successor finds the note and tells the workflow, which then need not wait for the silence to be
 * noticed. Losing a note costs that wait and nothing else.
 */
export function leaseNotes(folder: string, trainer: string) {
  const path = join(folder, `${trainer}.json`);
  return {
    /** The note that a predecessor left. */
    read(): LeaseNote | null {
      try {
        return noteSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
      } catch {
        return null;
      }
    },
    write(note: LeaseNote): void {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, JSON.stringify(note));
    },
    remove(): void {
      rmSync(path, { force: true });
    },
  };
}
