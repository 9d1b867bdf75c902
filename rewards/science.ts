/** Multiple choice: which option a response settles on, however it writes that down. */
import { z } from 'zod';
import { choiceLabel } from '../algorithm/data/multiple-choice.ts';
import { finalText } from './chain-of-thought.ts';
import { choicesIn } from './choice/decision.ts';
import { type Option, plainText } from './choice/text.ts';
import { defineVerifier } from './verifier.ts';

const texts = z.array(z.string().trim().min(1)).min(2).max(26);

/** Options in their order, and the place of the right one. */
interface Truth {
  options: Option[];
  correct: number;
}

/** The layouts that people have: a letter, a place or the text, beside a list or a record of options. */
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
    const place = placeOf(options, entry.correct ?? entry.answerKey ?? entry.answer);
    const problem = whatIsWrong(options, place);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    return { options, correct: place };
  });

/** Options and the place of the right one, in any of the layouts; or what is wrong, and in which field. */
export function readChoices(entry: unknown): Truth | { field: string; problem: string } {
  const parsed = layouts.safeParse(entry);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return { field: issue?.path.join('.') || 'answer', problem: issue?.message ?? 'not multiple choice' };
}

type Layout = z.input<typeof layouts>['choices'];

/** Without a list of options, the letters A … Z may be answered and nothing else. */
function optionsOf(choices: Layout): Option[] {
  if (choices === undefined) return Array.from({ length: 26 }, (_, place) => ({ label: choiceLabel(place) }));
  if (Array.isArray(choices)) return choices.map((text, place) => ({ label: choiceLabel(place), text }));
  const { text, label } = choices;
  if (Array.isArray(text) && Array.isArray(label)) {
    return text.map((each, place) => ({ label: label[place] ?? '', text: each }));
  }
  return Object.entries(choices).map(([name, each]) => ({ label: name, text: String(each) }));
}

function placeOf(options: readonly Option[], answer: string | number | undefined): number {
  if (typeof answer === 'number') return options[answer] === undefined ? -1 : answer;
  const wanted = plainText(answer ?? '');
  const byLabel = options.findIndex(({ label }) => plainText(label) === wanted);
  return byLabel >= 0
    ? byLabel
    : options.findIndex(({ text }) => text !== undefined && plainText(text) === wanted);
}

function whatIsWrong(options: readonly Option[], place: number): string | null {
  if (place < 0) return 'expected an answer that is the label, the place or the text of an option';
  const labels = new Set(options.map(({ label }) => plainText(label)));
  if (labels.size < options.length) return 'expected options with different labels';
  const known = options.flatMap(({ text }) => (text === undefined ? [] : [plainText(text)]));
  return new Set(known).size < known.length ? 'expected options with different texts' : null;
}

/**
 * 1 where the response's final answer names the right option and no other, else 0. Styles: `B`, `(B)`,
 * `Answer: B`, `\boxed{B}`, `B. its text`, or the option's text alone.
 */
export const scienceVerifier = defineVerifier<Truth>({
  name: 'science',
  version: 2,
  truth: layouts,
  grade({ options, correct }, response) {
    const text = finalText(response);
    const named = text === null ? [] : choicesIn(text, options);
    const extracted = named.length === 0 ? null : named.map((place) => options[place]?.label).join(', ');
    return { score: named.length === 1 && named[0] === correct ? 1 : 0, extracted };
  },
});
