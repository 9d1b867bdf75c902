import { z } from 'zod';
import { choiceLabel, choicePrompt, shuffleChoices } from '../../../algorithm/data/multiple-choice.ts';
import { fnv1a32 } from '../../../algorithm/random/seeds.ts';
import { readChoices } from '../../../rewards/science.ts';
import { answerText, described, filled, has, layout, optional, RefusedRow, type Row } from './layout.ts';
import { domainNamed } from './truths.ts';

const SCIENCE = 'science';
/** GPQA's columns. */
const RIGHT = 'Correct Answer';
const WRONG = ['Incorrect Answer 1', 'Incorrect Answer 2', 'Incorrect Answer 3'];

/** Options that refer to others by position or letter are not shuffled. */
const NAMES_OTHERS = /\b(?:above|below|these|both [A-Z]\b|[A-Z],? (?:and|or|nor|&) [A-Z]\b)/;

const QUESTIONS = ['question', 'Question', 'problem', 'prompt'];
const questionOf = (row: Row) => row.question ?? row.Question ?? row.problem ?? row.prompt;
const issueOf = ({ issues: [issue] }: z.ZodError) => issue?.message ?? 'expected a text';

/**
 * Multiple choice as in MMLU, ARC, CommonsenseQA, GPQA and others. Options are shuffled by the hash of the question, so
 * that no letter is more likely; options that refer to others keep their position.
 */
export const multipleChoice = layout({
  kind: 'prompts',
  fields: 'question; choices or options; answer, answerKey or correct (or GPQA’s columns)',
  matches: (row) =>
    typeof questionOf(row) === 'string' && (has(row, 'choices') || has(row, 'options') || has(row, RIGHT)),
  schema: z.record(z.string(), z.unknown()),
  read(row, { domain = SCIENCE }) {
    const question = filled.safeParse(questionOf(row));
    if (!question.success)
      throw new RefusedRow(QUESTIONS.find((field) => field in row) ?? 'question', issueOf(question.error));
    const { options, correct } = choicesOf(row);
    const asked = { question: question.data.trim(), options, correct };
    const fixed = options.some((option) => NAMES_OTHERS.test(option));
    const shuffled = fixed ? asked : shuffleChoices(asked, BigInt(fnv1a32(asked.question)));
    return {
      problem: choicePrompt(shuffled, 'train').problem,
      answer: choiceLabel(shuffled.correct),
      domain: domainNamed(domain),
      entry: { options: [...shuffled.options], correct: shuffled.correct },
    };
  },
});

function choicesOf(row: Row): { options: string[]; correct: number } {
  if (has(row, RIGHT)) return { options: [RIGHT, ...WRONG].map((column) => textAt(row, column)), correct: 0 };
  const field = has(row, 'choices') ? 'choices' : 'options';
  if (!has(row, field)) throw new RefusedRow(field, 'expected options, found none');
  const { answerKey, ...rest } = row;
  const key = answerKey === null || answerKey === undefined ? {} : { answerKey: String(answerKey) };
  const read = readChoices({ ...rest, ...key, [field]: choicesAt(row[field], field) });
  if ('problem' in read) throw new RefusedRow(read.field, read.problem);
  return { options: read.options.map(({ text }) => text ?? ''), correct: read.correct };
}

const option = optional(answerText);

/** The text of an option, which may be a number; null for padding in tables whose rows have fewer options. */
function optionText(value: unknown): string | null {
  const text = option.safeParse(value);
  return text.success ? (text.data ?? null) : null;
}

/** The options that are not null or empty: by their labels, or up to the end of the list. */
function choicesAt(value: unknown, field: string): unknown {
  if (Array.isArray(value)) return listed(value, field);
  if (typeof value !== 'object' || value === null) return value;
  const { text, label } = value as Row;
  if (Array.isArray(text) && Array.isArray(label)) {
    const pairs = text.map((each, i) => [optionText(each), String(label[i] ?? '')] as const);
    const known = pairs.filter(([each]) => each !== null);
    return { text: known.map(([each]) => each), label: known.map(([, each]) => each) };
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => {
      const text = optionText(each);
      return text === null ? [] : [[name, text]];
    }),
  );
}

function listed(options: readonly unknown[], field: string): string[] {
  const texts = options.map(optionText);
  const end = texts.findLastIndex((text) => text !== null) + 1;
  return texts.slice(0, end).map((text, index) => {
    if (text !== null) return text;
    throw new RefusedRow(`${field}.${index}`, `expected a text, found ${described(options[index])}`);
  });
}

function textAt(row: Row, column: string): string {
  const text = row[column];
  if (typeof text === 'string' && text.trim() !== '') return text.trim();
  throw new RefusedRow(column, 'expected a text');
}
