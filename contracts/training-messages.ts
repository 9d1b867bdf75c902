import type { z } from 'zod';
import { Failure } from './failures.ts';
import { CONTRACT_VERSION, type TrainingCall, trainingCalls } from './training.ts';

type Part = 'input' | 'result';
export type Parsed<Name extends TrainingCall, Of extends Part> = z.output<(typeof trainingCalls)[Name][Of]>;

/** Versions of the contract that this release speaks, or spoke. */
const KNOWN: readonly unknown[] = [undefined, 1, CONTRACT_VERSION];

/**
 * The input or the result of a training call, checked by its schema.
 * @throws Failure 'BrokenContract' that names the call and the field; 'UnknownVersion'.
 */
export function parseMessage<Name extends TrainingCall, Of extends Part>(
  name: Name,
  part: Of,
  message: unknown,
): Parsed<Name, Of> {
  const version = versionOf(message);
  if (typeof version === 'number' && !KNOWN.includes(version)) {
    throw new Failure(
      'UnknownVersion',
      `${name}: expected ${an(part)} of version ${CONTRACT_VERSION} of the training contract, found version ${version}: ` +
        'run workers and orchestrator of the same release',
    );
  }
  const schema: z.ZodType = trainingCalls[name][part];
  const parsed = schema.safeParse(message);
  if (parsed.success) return parsed.data as Parsed<Name, Of>;
  const issues = parsed.error.issues.map(({ path, message: what }) =>
    [path.join('.'), what].filter((text) => text !== '').join(': '),
  );
  throw new Failure(
    'BrokenContract',
    `${name}: its ${part} breaks the training contract: ${issues.join('; ')}. ` +
      'Nothing was done with it; fix the worker, or the side that calls it',
  );
}

/** The version that a message names; undefined where it names none. */
export const versionOf = (message: unknown): unknown =>
  typeof message === 'object' && message !== null && 'version' in message ? message.version : undefined;

const an = (part: Part) => (part === 'input' ? 'an input' : 'a result');
