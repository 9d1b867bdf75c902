/** The command `r1`: finds the command that was asked for, loads it alone, and turns errors into exit codes. */
import { Command } from 'commander';
import { commands } from './commands.ts';
import { verdictOn } from './errors.ts';
import { version } from './version.ts';

/** Runs one command line and sets the process's exit code. */
export async function main(args: readonly string[]): Promise<void> {
  process.stdout.on('error', endWithReader);
  try {
    const program = await programFor(args);
    await program.parseAsync(args.length === 0 ? ['--help'] : args, { from: 'user' });
  } catch (error) {
    const { text, exitCode } = verdictOn(error, args.includes('--debug'));
    if (text !== '') process.stderr.write(`${text}\n`);
    process.exitCode = exitCode;
  }
}

/** The program, with the one command defined that the arguments name, and the others by name alone. */
export async function programFor(args: readonly string[]): Promise<Command> {
  const program = new Command('r1')
    .description('Trains reasoning models by the DeepSeek-R1 recipe as one durable run.')
    .version(version())
    .exitOverride()
    .showHelpAfterError('Run the command with --help to see its options.')
    .configureHelp({ sortSubcommands: false })
    .addHelpText(
      'after',
      '\nExamples:\n  $ r1 start\n  $ r1 launch recipes/nano-zero.yaml --set max_steps=8',
    );
  const named = args.find((arg) => Object.hasOwn(commands, arg));
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command = program.command(name).summary(summary);
    if (name === named) (await load()).define(command.description(summary));
    command.option('--debug', 'show where an error comes from');
  }
  return program;
}

/** Whoever read our output has seen enough (`r1 steps | head`). */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
}
