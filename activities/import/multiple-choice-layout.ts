import { z } from 'zod';
import { choiceLabel, choicePrompt, shuffleChoices } from '../../algorithm/multiple-choice.ts';
import { fnv1a32 } from '../../algorithm/seeds.ts';
import { readChoices } from '../../rewards/science.ts';
import { filled, has, layout, RefusedRow, type Row } from './layout.ts';

const SCIENCE = 'science';
/** GPQA's columns. */
const RIGHT = 'Correct Answer';
const WRONG = ['Incorrect Answer 1', 'Incorrect Answer 2', 'Incorrect Answer 3'];

/** Options that speak of others by their place or letter keep their order. */
const NAMES_OTHERS = /\b(?:above|below|these|both [A-Z]\b|[A-Z],? (?:and|or|nor|&) [A-Z]\b)/;

const questionOf = (row: Row) => row.question ?? row.Question ?? row.problem ?? row.prompt;

/**
 * Multiple choice as MMLU, ARC, CommonsenseQA, GPQA and others write it. Options are shuffled, by the
 * question's own hash, so that no letter is likelier than others; those that name others stay where they are.
 */
export const multipleChoice = layout({
  kind: 'prompts',
  fields: 'question; choices or options; answer, answerKey or correct (or GPQA’s columns)',
  matches: (row) =>
    typeof questionOf(row) === 'string' && (has(row, 'choices') || has(row, 'options') || has(row, RIGHT)),
  schema: z.record(z.string(), z.unknown()),
  read(row, { domain = SCIENCE }) {
    const question = filled.safeParse(questionOf(row));
    if (!question.success) throw new RefusedRow('question', 'expected a text');
    const { options, correct } = choicesOf(row);
    const asked = { question: question.data.trim(), options, correct };
    const fixed = options.some((option) => NAMES_OTHERS.test(option));
    const shuffled = fixed ? asked : shuffleChoices(asked, BigInt(fnv1a32(asked.question)));
    return {
      problem: choicePrompt(shuffled, 'train').problem,
      answer: choiceLabel(shuffled.correct),
      domain,
      entry: { options: [...shuffled.options], correct: shuffled.correct },
    };
  },
});

function choicesOf(row: Row): { options: string[]; correct: number } {
  if (has(row, RIGHT)) return { options: [RIGHT, ...WRONG].map((column) => textAt(row, column)), correct: 0 };
  const read = readChoices(row);
  if ('problem' in read) throw new RefusedRow(read.field, read.problem);
  return { options: read.options.map(({ text }) => text ?? ''), correct: read.correct };
}

function textAt(row: Row, column: string): string {
  const text = row[column];
  if (typeof text === 'string' && text.trim() !== '') return text.trim();
  throw new RefusedRow(column, 'expected a text');
}
