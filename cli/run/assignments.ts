/** `field=value` as `r1 set` takes it: fields that may change while a stage runs. */
import type { SetRequest } from '../../contracts/operator.ts';
import { type ChangeableField, changeableFields } from '../../contracts/options.ts';
import { InputError } from '../errors.ts';
import { suggestion } from '../suggestion.ts';

/** The words of a command line: names first, then assignments. */
export interface SetWords {
  /** run, and perhaps stage */
  names: string[];
  values: SetRequest['values'];
}

/** Parses `[RUN [STAGE]] field=value…`. Throws InputError naming every word that is wrong. */
export function parseSetWords(words: readonly string[]): SetWords {
  const names = words.filter((word) => !word.includes('='));
  const assignments = words.filter((word) => word.includes('='));
  const problems = [
    ...(names.length > 2 ? [`expected a run and perhaps a stage, found ${names.join(' ')}`] : []),
    ...(assignments.length === 0 ? ['expected at least one field=value, such as learning_rate=1e-4'] : []),
    ...assignments.flatMap((word, index) => problemOf(word, assignments.slice(0, index))),
  ];
  if (problems.length > 0) throw new InputError(problems.join('\n'));
  return { names, values: Object.fromEntries(assignments.map(parse)) };
}

function parse(word: string): [ChangeableField, number] {
  const at = word.indexOf('=');
  return [word.slice(0, at) as ChangeableField, Number(word.slice(at + 1))];
}

function problemOf(word: string, before: readonly string[]): string[] {
  const [field] = parse(word);
  const text = word.slice(field.length + 1);
  if (!changeableFields.includes(field))
    return [`${word}: ${field} cannot be changed${suggestion(field, changeableFields) || `; ${CHANGEABLE}`}`];
  if (text.trim() === '' || !Number.isFinite(Number(text)))
    return [`${word}: expected a number, found ${text === '' ? 'nothing' : text}`];
  return before.some((other) => other.startsWith(`${field}=`)) ? [`${word}: expected each field once`] : [];
}

const CHANGEABLE = `what can be: ${changeableFields.join(', ')}`;
