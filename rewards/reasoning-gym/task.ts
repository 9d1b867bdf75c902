import { z } from 'zod';

/** An entry in reasoning-gym's format. */
export const entrySchema = z.object({
  question: z.string().optional(),
  answer: z.string(),
  metadata: z.looseObject({ source_dataset: z.string() }),
});
type Entry = z.infer<typeof entrySchema>;

/** How one task is scored: `score` returns the same as reasoning-gym's own `score_answer`, 0 … 1. */
export interface Task<Metadata> {
  /** the part of the entry's metadata that the scorer reads */
  metadata: z.ZodType<Metadata>;
  score(answer: string, oracle: string, metadata: Metadata): number;
}

/** A task without its metadata's type. Returns a problem where the metadata lacks fields that the scorer reads. */
export type Scorer = (answer: string, entry: Entry) => { score: number } | { problem: string };

export function scorer<Metadata>({ metadata, score }: Task<Metadata>): Scorer {
  return (answer, entry) => {
    const parsed = metadata.safeParse(entry.metadata);
    if (!parsed.success) return { problem: z.prettifyError(parsed.error) };
    return { score: score(answer, entry.answer, parsed.data) };
  };
}

/** A task whose scorer needs no metadata. */
export function byAnswer(score: (answer: string, oracle: string) => number): Scorer {
  return (answer, entry) => ({ score: score(answer, entry.answer) });
}
