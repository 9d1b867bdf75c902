/** Every layout that data sets are read in, the most telling first. */

import { z } from 'zod';
import { codeforces, verifiableCode } from './code-layouts.ts';
import { answeredIn, askedIn, messagesSchema, spoken } from './conversations.ts';
import { type DataKind, filled, has, type Layout, layout, RefusedRow, type Row } from './layout.ts';
import { gsm8k, openR1Math, promptSolution, verl } from './math-layouts.ts';
import { multipleChoice } from './multiple-choice-layout.ts';
import { ownPrompts, reasoningGym } from './prompt-layouts.ts';

const DOMAIN = 'general';

const preferences = layout({
  kind: 'preferences',
  fields: 'prompt, chosen, rejected',
  matches: (row) => has(row, 'chosen', 'rejected'),
  schema: z.looseObject({ prompt: spoken.optional(), chosen: spoken, rejected: spoken }),
  read({ prompt, chosen, rejected }) {
    if (prompt === undefined && typeof chosen === 'string')
      throw new RefusedRow('prompt', 'expected a prompt beside texts, found none');
    const pair = { chosen: answeredIn(chosen, 'chosen'), rejected: answeredIn(rejected, 'rejected') };
    if (pair.chosen.trim() === pair.rejected.trim())
      throw new RefusedRow('rejected', 'expected another text than chosen, found the same');
    return { prompt: askedIn(prompt ?? chosen, 'prompt'), ...pair };
  },
});

const safety = z.union([z.boolean(), z.literal([0, 1]).transform((value) => value === 1)], {
  error: 'expected true or false, or 1 or 0',
});

const labels = layout({
  kind: 'labels',
  fields: 'prompt, response, safe (or is_safe)',
  matches: (row) => has(row, 'response') && (has(row, 'safe') || has(row, 'is_safe')),
  schema: z.looseObject({
    prompt: spoken,
    response: spoken,
    safe: safety.optional(),
    is_safe: safety.optional(),
  }),
  read({ prompt, response, safe, is_safe }) {
    return {
      prompt: askedIn(prompt, 'prompt'),
      response: answeredIn(response, 'response'),
      safe: safe ?? is_safe ?? false,
    };
  },
});

const messages = layout({
  kind: 'examples',
  fields: 'messages [{role, content}]',
  matches: (row) => has(row, 'messages'),
  schema: z.looseObject({ messages: messagesSchema, domain: filled.optional() }),
  read: (row, options) => ({
    problem: askedIn(row.messages, 'messages'),
    response: answeredIn(row.messages, 'messages'),
    domain: row.domain ?? options.domain ?? DOMAIN,
  }),
});

const examples = layout({
  kind: 'examples',
  fields: 'problem or prompt, response or completion',
  matches: (row) =>
    (has(row, 'problem') || has(row, 'prompt')) && (has(row, 'response') || has(row, 'completion')),
  schema: z.looseObject({
    problem: spoken.optional(),
    prompt: spoken.optional(),
    response: spoken.optional(),
    completion: spoken.optional(),
    domain: filled.optional(),
  }),
  read: ({ problem, prompt, response, completion, domain }, options) => ({
    problem: askedIn(problem ?? prompt ?? '', 'problem'),
    response: answeredIn(response ?? completion ?? '', 'response'),
    domain: domain ?? options.domain ?? DOMAIN,
  }),
});

export const layouts = {
  'reasoning-gym': reasoningGym,
  code: verifiableCode,
  codeforces,
  verl,
  preferences,
  labels,
  'multiple-choice': multipleChoice,
  prompts: ownPrompts,
  gsm8k,
  'open-r1-math': openR1Math,
  messages,
  examples,
  'prompt-solution': promptSolution,
} as const satisfies Record<string, Layout>;

export type LayoutName = keyof typeof layouts;
export const layoutNames = Object.keys(layouts) as LayoutName[];

/** A layout of the table, whatever its kind. */
export const layoutNamed = (name: LayoutName): Layout<DataKind> => layouts[name] as Layout<DataKind>;

/** The layout that a row is told to be of; null where it is of none. */
export function layoutOf(row: Row): LayoutName | null {
  return layoutNames.find((name) => layouts[name].matches(row)) ?? null;
}
