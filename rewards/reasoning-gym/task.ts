import { z } from 'zod';

/** An entry as reasoning-gym writes it. */
export const entrySchema = z.object({
  question: z.string().optional(),
  answer: z.string(),
  metadata: z.looseObject({ source_dataset: z.string() }),
});
type Entry = z.infer<typeof entrySchema>;

/** How one task is scored: `score` gives what reasoning-gym's own `score_answer` would, 0 … 1. */
export interface Task<Metadata> {
  /** what the scorer reads of the entry's metadata */
  metadata: z.ZodType<Metadata>;
  score(answer: string, oracle: string, metadata: Metadata): number;
}

/** A task with its metadata's type put away; a problem where the metadata lacks what the scorer reads. */
export type Scorer = (answer: string, entry: Entry) => { score: number } | { problem: string };

export function scorer<Metadata>({ metadata, score }: Task<Metadata>): Scorer {
  return (answer, entry) => {
    const parsed = metadata.safeParse(entry.metadata);
    if (!parsed.success) return { problem: z.prettifyError(parsed.error) };
    return { score: score(answer, entry.answer, parsed.data) };
  };
}

/** A task whose scorer reads the answer alone. */
export function byAnswer(score: (answer: string, oracle: string) => number): Scorer {
  return (answer, entry) => ({ score: score(answer, entry.answer) });
}
