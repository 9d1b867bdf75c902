/**
 * What a person sees of an error: one message that names the place, what was expected and what to do. A
 * stack trace shows with `--debug` only.
 */
import { CommanderError } from 'commander';

/** Exit codes of every command. */
export const EXIT = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** Thrown when what a person wrote (a recipe, an option, an argument) cannot be used as it stands. */
export class InputError extends Error {
  override name = 'InputError';
}

/** Thrown when a command cannot do what it was asked for a reason other than its input. */
export class CommandError extends Error {
  override name = 'CommandError';
}

/** Thrown when Ctrl-C ended a command; the message, if any, says how to go on. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

/**
 * Errors that speak for themselves, by name, and the exit code of each. Any other is a defect or the
 * system's.
 */
const EXIT_CODE_OF: Record<string, number> = {
  InputError: EXIT.usage,
  InvalidInput: EXIT.usage,
  SettingsError: EXIT.usage,
  ModelConfigError: EXIT.usage,
  TokenizerError: EXIT.usage,
  ModelFileError: EXIT.usage,
  CommandError: EXIT.failure,
  StackError: EXIT.failure,
  WeightsError: EXIT.failure,
  LogitsError: EXIT.failure,
  CorruptObject: EXIT.failure,
  Contradiction: EXIT.failure,
  HistoryAhead: EXIT.failure,
  SupersededTerm: EXIT.failure,
  TrainerLost: EXIT.failure,
  TooManyErrors: EXIT.failure,
  EmptyBatch: EXIT.failure,
  MissingTool: EXIT.failure,
  OutOfResources: EXIT.failure,
  OutOfSpace: EXIT.failure,
  NotItsTurn: EXIT.failure,
  Unavailable: EXIT.failure,
  Interrupted: EXIT.interrupted,
};

/** What to print on standard error, and with which code to exit. */
export interface Verdict {
  text: string;
  exitCode: number;
}

/** The verdict on anything thrown; `debug` adds the stack trace. */
export function verdictOn(error: unknown, debug = false): Verdict {
  if (error instanceof CommanderError) return ofCommander(error);
  const exitCode = EXIT_CODE_OF[nameOf(error)];
  const text = exitCode === undefined ? unexpected(error) : messageOf(error);
  const trace = debug && error instanceof Error ? `\n${error.stack ?? ''}` : '';
  return {
    text: (exitCode === EXIT.interrupted ? text : labelled(text)) + trace,
    exitCode: exitCode ?? EXIT.failure,
  };
}

/** The message of anything thrown; a system's error without one is called by its code. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}

/** Commander has printed its message already; help and version are no errors. */
function ofCommander(error: CommanderError): Verdict {
  return { text: '', exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.usage };
}

function unexpected(error: unknown): string {
  const fromSystem = error instanceof Error && 'syscall' in error;
  return fromSystem
    ? messageOf(error)
    : `${messageOf(error)}\nThis was not foreseen. Run the command again with --debug to see where it comes from.`;
}

const nameOf = (error: unknown) => (error instanceof Error ? error.name : '');
const labelled = (text: string) => (text === '' ? '' : `error: ${text}`);
