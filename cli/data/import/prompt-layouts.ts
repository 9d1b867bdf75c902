import { z } from 'zod';
import { answerText, filled, has, jsonOr, layout } from './layout.ts';
import { domainNamed, refuseProof } from './truths.ts';

/** The project's own: all that a prompt is. */
export const ownPrompts = layout({
  kind: 'prompts',
  fields: 'problem, answer, domain [, entry]',
  matches: (row) => has(row, 'problem', 'answer', 'domain'),
  schema: z.looseObject({
    problem: filled,
    answer: answerText,
    domain: filled,
    entry: z.record(z.string(), z.unknown()).nullish(),
  }),
  read({ problem, answer, domain: named, entry }) {
    const domain = domainNamed(named);
    return { problem, answer: refuseProof(answer, 'answer', domain), domain, entry: entry ?? undefined };
  },
});

const metadata = z.looseObject({ source_dataset: filled });

/** reasoning-gym's entries: scored by their metadata, so that is kept. */
export const reasoningGym = layout({
  kind: 'prompts',
  fields: 'question, answer, metadata.source_dataset',
  matches: (row) => has(row, 'question', 'metadata') && jsonOr(metadata).safeParse(row.metadata).success,
  schema: z.looseObject({ question: filled, answer: answerText, metadata: jsonOr(metadata) }),
  read: ({ question, answer, metadata: known }) => ({
    problem: question,
    answer,
    domain: `reasoning-gym/${known.source_dataset}`,
    entry: { answer, metadata: known },
  }),
});
