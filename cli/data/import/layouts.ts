/** Every supported layout, the most specific first. */
import { z } from 'zod';
import { codeforces, verifiableCode } from './code-layouts.ts';
import { answeredIn, askedIn, messagesSchema, type Spoken, spoken } from './conversations.ts';
import {
  type DataKind,
  described,
  filled,
  firstOf,
  has,
  type Layout,
  layout,
  optional,
  RefusedRow,
  type Row,
} from './layout.ts';
import { multipleChoice } from './multiple-choice-layout.ts';
import { gsm8k, openR1Math, ownPrompts, promptSolution, reasoningGym, verl } from './prompt-layouts.ts';

const DOMAIN = 'general';

const preferences = layout({
  kind: 'preferences',
  fields: 'prompt, chosen, rejected',
  matches: (row) => has(row, 'chosen', 'rejected'),
  schema: z.looseObject({ prompt: optional(spoken), chosen: spoken, rejected: spoken }),
  read({ prompt, chosen, rejected, ...row }) {
    if (!prompt && typeof chosen === 'string')
      throw new RefusedRow('prompt', 'expected a prompt, found none');
    const pair = {
      chosen: answeredIn(chosen, 'chosen', { row, reasoner: 'chosen' }),
      rejected: answeredIn(rejected, 'rejected', { row, reasoner: 'rejected' }),
    };
    if (pair.chosen.trim() === pair.rejected.trim())
      throw new RefusedRow('rejected', 'expected another text than chosen, found the same');
    return { prompt: askedIn(prompt ?? chosen, 'prompt'), ...pair };
  },
});

const safety = z.union([z.boolean(), z.literal([0, 1]).transform((value) => value === 1)], {
  error: ({ input }) => `expected true or false, or 1 or 0, found ${described(input)}`,
});

const labels = layout({
  kind: 'labels',
  fields: 'prompt, response, safe (or is_safe)',
  matches: (row) => has(row, 'response') && ('safe' in row || 'is_safe' in row),
  schema: z.looseObject({
    prompt: spoken,
    response: spoken,
    safe: safety.nullish(),
    is_safe: safety.nullish(),
  }),
  read({ prompt, response, safe, is_safe, ...row }) {
    const label = safe ?? is_safe ?? null;
    if (label === null) throw new RefusedRow('safe', 'expected a label in safe or is_safe, found none');
    if (label !== (is_safe ?? label))
      throw new RefusedRow('is_safe', `expected ${label} as in safe, found ${is_safe}`);
    return {
      prompt: askedIn(prompt, 'prompt'),
      response: answeredIn(response, 'response', { row, reasoner: 'labelled' }),
      safe: label,
    };
  },
});

const messages = layout({
  kind: 'examples',
  fields: 'messages [{role, content}]',
  matches: (row) => has(row, 'messages'),
  schema: z.looseObject({ messages: messagesSchema, domain: optional(filled) }),
  read: ({ messages, domain, ...row }, options) => ({
    problem: askedIn(messages, 'messages'),
    response: answeredIn(messages, 'messages', { row, reasoner: 'response' }),
    domain: domain ?? options.domain ?? DOMAIN,
  }),
});

const examples = layout({
  kind: 'examples',
  fields: 'problem or prompt, response or completion',
  matches: (row) =>
    (has(row, 'problem') || has(row, 'prompt')) && (has(row, 'response') || has(row, 'completion')),
  schema: z.looseObject({
    problem: optional(spoken),
    prompt: optional(spoken),
    response: optional(spoken),
    completion: optional(spoken),
    domain: optional(filled),
  }),
  read(row, options) {
    const asked = firstOf<Spoken>(row, ['problem', 'prompt']);
    const answered = firstOf<Spoken>(row, ['response', 'completion']);
    return {
      problem: askedIn(asked.value, asked.field),
      response: answeredIn(answered.value, answered.field, { row, reasoner: 'response' }),
      domain: row.domain ?? options.domain ?? DOMAIN,
    };
  },
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

export const layoutNamed = (name: LayoutName): Layout<DataKind> => layouts[name] as Layout<DataKind>;

/**
 * The layout of rows, decided by the first row that matches one; null where none does. Fields that are null or missing
 * in a row are taken from others with the same fields, so that a null does not decide.
 */
export function layoutOf(rows: readonly Row[]): LayoutName | null {
  for (const row of rows) {
    const own = Object.keys(row).filter((field) => has(row, field));
    const alike = rows.filter((other) => own.every((field) => field in other));
    const positions = alike.flatMap((other) => {
      const known = Object.fromEntries(own.map((field) => [field, row[field]]));
      const position = layoutNames.findIndex((name) => layouts[name].matches({ ...other, ...known }));
      return position < 0 ? [] : [position];
    });
    const name = positions.length === 0 ? undefined : layoutNames[Math.min(...positions)];
    if (name !== undefined) return name;
  }
  return null;
}
