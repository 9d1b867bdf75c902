import { z } from 'zod';
import { extractTruth } from '../../rewards/math/extraction.ts';
import { askedIn, spoken } from './conversations.ts';
import { filled, has, jsonOr, layout, RefusedRow } from './layout.ts';

const MATH = 'math';

/** GSM8K: worked solutions that end in `#### 42`. */
export const gsm8k = layout({
  kind: 'prompts',
  fields: 'question, answer with "#### 42"',
  matches: (row) => has(row, 'question') && typeof row.answer === 'string' && row.answer.includes('####'),
  schema: z.looseObject({ question: filled, answer: filled }),
  read({ question, answer }, { domain = MATH }) {
    const [, final] = /####[ \t]*([^\n]*\S)\s*$/.exec(answer) ?? [];
    if (final !== undefined) return { problem: question, answer: final, domain };
    throw new RefusedRow('answer', 'expected it to end in "#### " and the answer');
  },
});

/** What no verifier can decide. */
const UNDECIDABLE = /^(?:proof|not found|n\/?a|none|unknown|-|\?)$/i;

/** Open-R1's math sets (OpenR1-Math-220k, NuminaMath): the answer apart, or boxed at the solution's end. */
export const openR1Math = layout({
  kind: 'prompts',
  fields: 'problem, answer [, solution, question_type, problem_is_valid]',
  matches: (row) => has(row, 'problem') && (has(row, 'answer') || has(row, 'solution')),
  schema: z.looseObject({
    problem: filled,
    answer: z.string().nullish(),
    solution: z.string().nullish(),
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
    if (UNDECIDABLE.test(given)) throw new RefusedRow('answer', `expected an answer, found ${given}`);
    return { problem, answer: given === '' ? answerOfSolution(solution ?? '', 'solution') : given, domain };
  },
});

/** The answer that a worked solution ends in. */
function answerOfSolution(solution: string, field: string): string {
  const [first] = solution.trim() === '' ? [] : (extractTruth(solution)?.readings ?? []);
  if (first !== undefined) return first;
  throw new RefusedRow(field, 'expected a solution that ends in its answer (\\boxed{…}), found none in it');
}

const truth = z.union([filled, z.number().transform(String)], { error: 'expected a text or a number' });

/** verl's rows (DAPO-Math-17k and others). */
export const verl = layout({
  kind: 'prompts',
  fields: 'prompt, reward_model.ground_truth',
  matches: (row) => has(row, 'prompt', 'reward_model'),
  schema: z.looseObject({
    prompt: jsonOr(spoken),
    reward_model: jsonOr(z.looseObject({ ground_truth: truth })),
    ability: z.string().nullish(),
  }),
  read({ prompt, reward_model, ability }, { domain }) {
    const known = ability?.toLowerCase() ?? MATH;
    return {
      problem: askedIn(prompt, 'prompt'),
      answer: reward_model.ground_truth,
      domain: domain ?? known,
    };
  },
});

const QUESTIONS = ['prompt', 'problem', 'question'] as const;
const TRUTHS = ['solution', 'answer', 'ground_truth'] as const;

/** TRL's and Open-R1's rows for GRPO: a prompt beside its solution or answer. */
export const promptSolution = layout({
  kind: 'prompts',
  fields: 'prompt, problem or question; solution, answer or ground_truth',
  matches: (row) => QUESTIONS.some((field) => has(row, field)) && TRUTHS.some((field) => has(row, field)),
  schema: z.looseObject({
    prompt: spoken.nullish(),
    problem: spoken.nullish(),
    question: spoken.nullish(),
    solution: truth.nullish(),
    answer: truth.nullish(),
    ground_truth: truth.nullish(),
    domain: filled.nullish(),
  }),
  read(row, options) {
    const asked = QUESTIONS.find((field) => row[field]) ?? 'prompt';
    const told = TRUTHS.find((field) => row[field]) ?? 'solution';
    const domain = row.domain ?? options.domain ?? MATH;
    const text = row[told] ?? '';
    const answer = told === 'solution' && domain === MATH ? answerOfSolution(text, told) : text.trim();
    return { problem: askedIn(row[asked] ?? '', asked), answer, domain };
  },
});
