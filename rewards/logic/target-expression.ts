/** Expressions that reach a target with given numbers: Countdown and the 24 game. */
import { z } from 'zod';
import { equals, integer } from '../../algorithm/puzzles/rational.ts';
import { finalText } from '../chain-of-thought.ts';
import { defineVerifier, type Graded } from '../verifier.ts';
import { computeArithmetic } from './arithmetic.ts';

const numbers = z.array(z.int().min(0)).min(1).max(20);
const countdownTruth = z.looseObject({
  numbers,
  target: z.int(),
  /** whether every number must be used; no number may be used twice */
  useAll: z.boolean().default(false),
});
type CountdownTruth = z.infer<typeof countdownTruth>;

/** 1 for any expression of the given numbers with +, −, ×, ÷ and brackets whose exact value is the target. */
export const countdown = defineVerifier<CountdownTruth>({
  name: 'countdown',
  version: 1,
  truth: countdownTruth as z.ZodType<CountdownTruth>,
  grade: gradeExpression,
});

const puzzle24Truth = z.looseObject({ numbers });

/** 1 for any expression of all four numbers, each once, whose exact value is 24. */
export const puzzle24 = defineVerifier<z.infer<typeof puzzle24Truth>>({
  name: 'puzzle24',
  version: 1,
  truth: puzzle24Truth,
  grade: (truth, response) => gradeExpression({ numbers: truth.numbers, target: 24, useAll: true }, response),
});

function gradeExpression(truth: CountdownTruth, response: string): Graded {
  const text = finalText(response);
  if (text === null) return { score: 0, extracted: null };
  const expression = expressionIn(text, truth.target);
  const score = expression !== null && reaches(expression, truth) ? 1 : 0;
  return { score, extracted: expression, value: expression?.replace(/\s+/g, '') ?? null };
}

/** A longer answer is not read as an expression. */
const LONGEST = 4_096;

/** The expression with Python's operators, without markup around it and `= target` after it. */
function expressionIn(text: string, target: number): string | null {
  if (text.length > LONGEST) return null;
  const [, boxed] = /^\$*\\boxed\s*\{(.*)\}\$*\.?$/s.exec(text) ?? [];
  const plain = (boxed ?? text)
    .replace(/\\(?:times|cdot)(?![A-Za-z])|[×·∙⋅]/g, '*')
    .replace(/\\div(?![A-Za-z])|[÷]/g, '/')
    .replace(/\\(?:left|right)(?![A-Za-z])/g, '')
    .replace(/[−–]/g, '-')
    .replace(/[[{]/g, '(')
    .replace(/[\]}]/g, ')')
    .replace(/[$`]/g, '')
    .trim()
    .replace(/\.$/, '');
  const [left = '', right, ...more] = plain.split('=');
  if (right === undefined) return left.trim();
  return more.length === 0 && right.trim() === String(target) ? left.trim() : null;
}

function reaches(expression: string, { numbers: given, target, useAll }: CountdownTruth): boolean {
  const computed = computeArithmetic(expression, { operators: ['+', '-', '*', '/'], decimals: false });
  if (computed === null || !('exact' in computed.value)) return false;
  const left = [...given];
  for (const literal of computed.literals) {
    const index = left.indexOf(Number(literal));
    if (index < 0) return false;
    left.splice(index, 1);
  }
  return (!useAll || left.length === 0) && equals(computed.value.exact, integer(target));
}
