import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../infra/errors.ts';
import { writeAtomically } from '../infra/machine/atomic-file.ts';
import { makeFolder } from '../infra/machine/file-errors.ts';

const noteSchema = z.strictObject({ queue: z.string(), workflowId: z.string() });
export type LeaseNote = z.infer<typeof noteSchema>;

/**
 * A trainer's note of its lease, stored beside the stack's data. A killed trainer cannot release its lease; its successor
 * reads the note and signals the workflow, which then need not wait for a heartbeat timeout. A lost note costs that wait
 * and nothing else: a note that cannot be written is only logged.
 */
export function leaseNotes(folder: string, trainer: string, log: (line: string) => void) {
  const path = join(folder, `${trainer}.json`);
  return {
    /** The predecessor's note; null where there is none. */
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
        // An older note must not be taken for this lease.
        this.remove();
        log(`the note of the lease cannot be written: ${messageOf(error)}`);
      }
    },
    remove(): void {
      try {
        rmSync(path, { force: true });
      } catch (error) {
        log(`the note of the lease cannot be removed: ${messageOf(error)}`);
      }
    },
  };
}
