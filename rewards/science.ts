/** Multiple choice: which option a response chooses, in whatever form it is written. */
import { z } from 'zod';
import { choiceLabel } from '../algorithm/data/multiple-choice.ts';
import { finalText } from './chain-of-thought.ts';
import { choicesIn } from './choice/decision.ts';
import { type Option, plainText } from './choice/text.ts';
import { defineVerifier } from './verifier.ts';

const texts = z.array(z.string().trim().min(1)).min(2).max(26);

/** The options in order, and the position of the right one. */
interface Truth {
  options: Option[];
  correct: number;
}

/** The layouts of public data sets: a list or a record of options, and the right one by letter, position or text. */
const layouts = z
  .looseObject({
    options: z.union([texts, z.record(z.string(), z.string())]).optional(),
    choices: z
      .union([texts, z.record(z.string(), z.string()), z.object({ text: texts, label: z.array(z.string()) })])
      .optional(),
    answer: z.union([z.string(), z.int()]).optional(),
    answerKey: z.string().optional(),
    correct: z.int().optional(),
  })
  .transform((entry, context): Truth => {
    const options = optionsOf(entry.choices ?? entry.options);
    const position = positionOf(options, entry.correct ?? entry.answerKey ?? entry.answer);
    const problem = problemOf(options, position);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    return { options, correct: position };
  });

/** Reads an entry in any of the layouts; or the problem and its field. */
export function readChoices(entry: unknown): Truth | { field: string; problem: string } {
  const parsed = layouts.safeParse(entry);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return { field: issue?.path.join('.') || 'answer', problem: issue?.message ?? 'not multiple choice' };
}

type Layout = z.input<typeof layouts>['choices'];

/** Without a list of options, only the letters A … Z are possible answers. */
function optionsOf(choices: Layout): Option[] {
  if (choices === undefined)
    return Array.from({ length: 26 }, (_, position) => ({ label: choiceLabel(position) }));
  if (Array.isArray(choices))
    return choices.map((text, position) => ({ label: choiceLabel(position), text }));
  const { text, label } = choices;
  if (Array.isArray(text) && Array.isArray(label)) {
    return text.map((each, position) => ({ label: label[position] ?? '', text: each }));
  }
  return Object.entries(choices).map(([name, each]) => ({ label: name, text: String(each) }));
}

function positionOf(options: readonly Option[], answer: string | number | undefined): number {
  if (typeof answer === 'number') return options[answer] === undefined ? -1 : answer;
  const wanted = plainText(answer ?? '');
  const byLabel = options.findIndex(({ label }) => plainText(label) === wanted);
  return byLabel >= 0
    ? byLabel
    : options.findIndex(({ text }) => text !== undefined && plainText(text) === wanted);
}

function problemOf(options: readonly Option[], position: number): string | null {
  if (position < 0) return 'expected an answer that is the label, the position or the text of an option';
  const labels = new Set(options.map(({ label }) => plainText(label)));
  if (labels.size < options.length) return 'expected options with different labels';
  const known = options.flatMap(({ text }) => (text === undefined ? [] : [plainText(text)]));
  return new Set(known).size < known.length ? 'expected options with different texts' : null;
}

/**
 * 1 where the response's final answer names the right option and no other, else 0. Accepted forms: `B`, `(B)`,
 * `Answer: B`, `\boxed{B}`, `B. its text`, or the option's text alone.
 */
export const scienceVerifier = defineVerifier<Truth>({
  name: 'science',
  version: 2,
  truth: layouts,
  grade({ options, correct }, response) {
    const text = finalText(response);
    const named = text === null ? [] : choicesIn(text, options);
    const extracted =
      named.length === 0 ? null : named.map((position) => options[position]?.label).join(', ');
    return { score: named.length === 1 && named[0] === correct ? 1 : 0, extracted };
  },
});
