import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../infra/errors.ts';
import { writeAtomically } from '../infra/machine/atomic-file.ts';
import { makeFolder } from '../infra/machine/file-errors.ts';

const noteSchema = z.strictObject({ queue: z.string(), workflowId: z.string() });
export type LeaseNote = z.infer<typeof noteSchema>;

/**
 * A trainer's note of the lease it holds, kept beside the stack's data. A trainer that is killed cannot say
 * so; its successor finds the note and tells the workflow, which then need not wait for the silence to be
 * noticed. Losing a note costs that wait and nothing else: one that cannot be written is `say`'s to tell.
 */
export function leaseNotes(folder: string, trainer: string, say: (line: string) => void) {
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
      try {
        makeFolder(dirname(path));
        writeAtomically(path, JSON.stringify(note));
      } catch (error) {
        // What a predecessor left must not be taken for this lease.
        this.remove();
        say(`the note of the lease is not kept: ${messageOf(error)}`);
      }
    },
    remove(): void {
      try {
        rmSync(path, { force: true });
      } catch (error) {
        say(`the note of the lease cannot be removed: ${messageOf(error)}`);
      }
    },
  };
}
