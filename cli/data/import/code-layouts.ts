/** Layouts of programming problems. */
import { z } from 'zod';
import { languageNamed } from '../../../rewards/code/index.ts';
import { askedIn, type Spoken, spoken } from './conversations.ts';
import { filled, firstOf, has, jsonOr, layout, optional, RefusedRow } from './layout.ts';
import { domainNamed } from './truths.ts';

const CODE = 'code';

/** Open-R1's verifiable coding problems: tests in `verification_info`. */
export const verifiableCode = layout({
  kind: 'prompts',
  fields: 'prompt or problem_statement or problem, verification_info {language, test_cases}',
  matches: (row) => has(row, 'verification_info'),
  schema: z.looseObject({
    prompt: optional(spoken),
    problem_statement: optional(filled),
    problem: optional(filled),
    verification_info: jsonOr(
      z.looseObject({
        language: filled,
        test_cases: z.array(z.unknown()).min(1, 'expected at least one test'),
      }),
    ),
  }),
  read({ verification_info, ...row }, { domain = CODE }) {
    const asked = firstOf<Spoken>(row, ['prompt', 'problem_statement', 'problem']);
    return {
      problem: askedIn(asked.value, asked.field),
      answer: `${verification_info.test_cases.length} tests`,
      domain: domainNamed(domain),
      entry: { verification_info },
    };
  },
});

const example = z.looseObject({ input: z.string(), output: z.string() });

/** Open-R1's Codeforces problems: complete tests, and a checker where several outputs are correct. */
export const codeforces = layout({
  kind: 'prompts',
  fields:
    'description, official_tests [, input_format, output_format, examples, generated_checker, time_limit]',
  matches: (row) => has(row, 'description', 'official_tests'),
  schema: z.looseObject({
    title: z.string().nullish(),
    description: filled,
    input_format: z.string().nullish(),
    output_format: z.string().nullish(),
    examples: jsonOr(z.array(example)).nullish(),
    official_tests: jsonOr(z.array(example).min(1, 'expected at least one test')),
    official_tests_complete: z.boolean().nullish(),
    generated_checker: z.string().nullish(),
    time_limit: z.number().positive().nullish(),
    memory_limit: z.number().positive().nullish(),
    language: z.string().nullish(),
  }),
  read(row, { domain = CODE }) {
    if (row.official_tests_complete === false)
      throw new RefusedRow('official_tests_complete', 'expected whole tests, found some cut short');
    const language = languageNamed(row.language ?? 'python');
    if (language === undefined)
      throw new RefusedRow('language', `expected one that can be run, found ${row.language}`);
    const test_cases = row.official_tests.map(({ input, output }) => ({
      type: 'stdin_stdout',
      input,
      output,
    }));
    return {
      problem: statementOf(row, language),
      answer: `${test_cases.length} tests`,
      domain: domainNamed(domain),
      entry: {
        verification_info: { language, test_cases },
        ...(row.generated_checker ? { checker: row.generated_checker } : {}),
        ...(row.time_limit ? { time_limit: row.time_limit } : {}),
        ...(row.memory_limit ? { memory_limit: row.memory_limit } : {}),
      },
    };
  },
});

interface Statement {
  title?: string | null | undefined;
  description: string;
  input_format?: string | null | undefined;
  output_format?: string | null | undefined;
  examples?: readonly { input: string; output: string }[] | null | undefined;
}

function statementOf(
  { title, description, input_format, output_format, examples }: Statement,
  language: string,
) {
  return [
    title ? `# ${title}` : '',
    description.trim(),
    input_format ? `## Input\n${input_format.trim()}` : '',
    output_format ? `## Output\n${output_format.trim()}` : '',
    ...(examples ?? []).map(({ input, output }) => `## Example\n${fenced(input)}\n${fenced(output)}`),
    `Write a program in ${language} that reads standard input and writes standard output.`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

const fenced = (text: string) => `\`\`\`\n${text.trim()}\n\`\`\``;
