import { z } from 'zod';
import { filled, has, jsonOr, layout } from './layout.ts';

/** The project's own: all that a prompt is. */
export const ownPrompts = layout({
  kind: 'prompts',
  fields: 'problem, answer, domain [, entry, split]',
  matches: (row) => has(row, 'problem', 'answer', 'domain'),
  schema: z.looseObject({
    problem: filled,
    answer: filled,
    domain: filled,
    entry: z.record(z.string(), z.unknown()).nullish(),
    split: z.enum(['train', 'test']).optional(),
  }),
  read: ({ problem, answer, domain, entry, split }) => ({
    problem,
    answer,
    domain,
    entry: entry ?? undefined,
    split,
  }),
});

const metadata = z.looseObject({ source_dataset: filled });

/** reasoning-gym's entries: scored by their metadata, so that is kept. */
export const reasoningGym = layout({
  kind: 'prompts',
  fields: 'question, answer, metadata.source_dataset',
  matches: (row) => has(row, 'question', 'metadata') && jsonOr(metadata).safeParse(row.metadata).success,
  schema: z.looseObject({ question: filled, answer: z.string(), metadata: jsonOr(metadata) }),
  read: ({ question, answer, metadata: known }) => ({
    problem: question,
    answer,
    domain: `reasoning-gym/${known.source_dataset}`,
    entry: { answer, metadata: known },
  }),
});
