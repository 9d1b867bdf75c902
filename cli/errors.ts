/** Errors as users see them: one message with location, expectation and next step; a stack trace only with `--debug`. */
import { CommanderError } from 'commander';

/** Exit codes of all commands. */
export const EXIT = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** The user's input (a recipe, an option, an argument) cannot be used. */
export class InputError extends Error {
  override name = 'InputError';
}

/** A command failed for a reason other than its input. */
export class CommandError extends Error {
  override name = 'CommandError';
}

/** Ctrl-C ended a command; the message, if any, says how to continue. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

/** Exit codes of errors whose message suffices, by name. Any other error is a defect, or comes from the system. */
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

/** What to print on standard error, and the exit code. */
export interface Verdict {
  text: string;
  exitCode: number;
}

/** Text and exit code for anything thrown; `debug` adds the stack trace. */
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

/** The message of anything thrown; system errors may have only a code. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}

/** Commander has already printed its message; help and version exit with 0. */
function ofCommander(error: CommanderError): Verdict {
  return { text: '', exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.usage };
}

function unexpected(error: unknown): string {
  const fromSystem = error instanceof Error && 'syscall' in error;
  return fromSystem
    ? messageOf(error)
    : `${messageOf(error)}\nThis is an unexpected error. Run the command again with --debug for a stack trace.`;
}

const nameOf = (error: unknown) => (error instanceof Error ? error.name : '');
const labelled = (text: string) => (text === '' ? '' : `error: ${text}`);
