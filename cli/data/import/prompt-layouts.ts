/** Layouts of problems with an answer. */
import { z } from 'zod';
import { askedIn, type Spoken, spoken } from './conversations.ts';
import {
  answerText,
  filled,
  firstOf,
  has,
  jsonOr,
  layout,
  optional,
  RefusedRow,
  type Row,
} from './layout.ts';
import { answerOfSolution, domainNamed, isUndecidable, MATH, refuseProof, saidIn } from './truths.ts';

/** The project's own layout. */
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

/** reasoning-gym's entries. Their metadata is kept, as it is needed to score answers. */
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

/** GSM8K: worked solutions that end in `#### 42`. */
export const gsm8k = layout({
  kind: 'prompts',
  fields: 'question, answer with "#### 42"',
  matches: (row) => has(row, 'question') && typeof row.answer === 'string' && row.answer.includes('####'),
  schema: z.looseObject({ question: filled, answer: filled }),
  read({ question, answer }, { domain = MATH }) {
    const lastLine = answer.trimEnd().split('\n').at(-1) ?? '';
    const mark = lastLine.indexOf('####');
    const final = mark < 0 ? '' : lastLine.slice(mark + 4).replace(/^[ \t]+/, '');
    if (final !== '') return { problem: question, answer: final, domain: domainNamed(domain) };
    throw new RefusedRow('answer', 'expected it to end in "#### " and the answer');
  },
});

/** Open-R1's math sets (OpenR1-Math-220k, NuminaMath): the answer in a column, or boxed at the end of the solution. */
export const openR1Math = layout({
  kind: 'prompts',
  fields: 'problem, answer [, solution, question_type, problem_is_valid]',
  matches: (row) => has(row, 'problem') && (has(row, 'answer') || has(row, 'solution')),
  schema: z.looseObject({
    problem: filled,
    answer: optional(answerText),
    solution: optional(answerText),
    question_type: z.string().nullish(),
    problem_is_valid: z.string().nullish(),
    solution_is_valid: z.string().nullish(),
  }),
  read({ problem, answer, solution, ...row }, { domain = MATH }) {
    if (row.question_type === 'proof')
      throw new RefusedRow('question_type', 'expected a problem with an answer, found a proof');
    for (const field of ['problem_is_valid', 'solution_is_valid'] as const) {
      if (row[field] && row[field] !== 'Yes')
        throw new RefusedRow(field, `expected Yes, found ${row[field]}`);
    }
    const given = answer?.trim() ?? '';
    if (isUndecidable(given)) throw new RefusedRow('answer', `expected an answer, found ${given}`);
    const judged = domainNamed(domain);
    return {
      problem,
      answer:
        given === '' ? answerOfSolution(solution ?? '', 'solution') : refuseProof(given, 'answer', judged),
      domain: judged,
    };
  },
});

/** verl's rows (DAPO-Math-17k and others). */
export const verl = layout({
  kind: 'prompts',
  fields: 'prompt, reward_model.ground_truth',
  matches: (row) => has(row, 'prompt', 'reward_model'),
  schema: z.looseObject({
    prompt: jsonOr(spoken),
    reward_model: jsonOr(
      z.looseObject({ ground_truth: answerText }, { error: 'expected {ground_truth}, found none' }),
    ),
    ability: z.string().nullish(),
  }),
  read({ prompt, reward_model, ability }, options) {
    const known = ability?.trim().toLowerCase() || MATH;
    const domain = domainNamed(options.domain ?? known);
    return {
      problem: askedIn(prompt, 'prompt'),
      answer: refuseProof(reward_model.ground_truth, 'reward_model.ground_truth', domain),
      domain,
    };
  },
});

const QUESTIONS = ['prompt', 'problem', 'question'] as const;
const TRUTHS = ['solution', 'answer', 'ground_truth'] as const;

/** TRL's and Open-R1's rows for GRPO: a prompt with its solution or answer. */
export const promptSolution = layout({
  kind: 'prompts',
  fields: 'prompt, problem or question; solution, answer or ground_truth',
  matches: (row) => QUESTIONS.some((field) => has(row, field)) && TRUTHS.some((field) => has(row, field)),
  schema: z.looseObject({
    prompt: optional(spoken),
    problem: optional(spoken),
    question: optional(spoken),
    solution: optional(answerText),
    answer: optional(answerText),
    ground_truth: optional(answerText),
    domain: filled.nullish(),
  }),
  read(row, options) {
    const asked = firstOf<Spoken>(row, QUESTIONS);
    const domain = domainNamed(row.domain ?? options.domain ?? MATH);
    return { problem: askedIn(asked.value, asked.field), answer: truthIn(row, domain), domain };
  },
});

/**
 * In mathematics the answer is extracted from the solution, or taken from another column; in other domains the
 * solution is the answer.
 */
function truthIn(row: Row, domain: string): string {
  const first = firstOf<string>(row, TRUTHS);
  if (first.field !== 'solution' || domain !== MATH)
    return refuseProof(first.value.trim(), first.field, domain);
  const said = saidIn(first.value);
  const others = TRUTHS.slice(1).filter((field) => has(row, field));
  if ((said !== null && !isUndecidable(said)) || others.length === 0)
    return answerOfSolution(first.value, first.field);
  const answer = firstOf<string>(row, others);
  return refuseProof(answer.value.trim(), answer.field, domain);
}
