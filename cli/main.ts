/** The command `r1`: loads the named command's module, runs it, and turns errors into exit codes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { PROJECT_ROOT } from '../infra/paths.ts';
import { verdictOn } from './errors.ts';

/** A module that defines commands: each function adds description, arguments, options, examples and action. */
interface CommandModule {
  commands: Record<string, (command: Command) => void>;
}

const stack = () => import('./stack/stack.ts');
const launch = () => import('./launch/commands.ts');
const operate = () => import('./run/operate.ts');
const show = () => import('./run/show.ts');
const dataset = () => import('./data/dataset.ts');

interface Entry {
  /** its line in the list of commands */
  summary: string;
  /** where it is defined; only the named command is loaded */
  module(): Promise<CommandModule>;
}

/** Every command, by the groups of `r1 --help`. */
const groups: Record<string, Record<string, Entry>> = {
  'Local stack:': {
    start: { summary: 'start the local stack and train R1 in miniature', module: launch },
    up: { summary: 'start the local stack and its workers', module: stack },
    down: { summary: 'stop the local stack', module: stack },
    status: { summary: 'show servers and processes', module: stack },
    gc: {
      summary: 'delete checkpoints and objects that no rule keeps',
      module: () => import('./run/gc.ts'),
    },
    doctor: { summary: 'check what this machine lacks', module: () => import('./stack/doctor.ts') },
  },
  'Train:': {
    launch: { summary: 'launch a run of a recipe', module: launch },
    watch: { summary: 'follow a run as it trains', module: () => import('./run/watch.ts') },
    why: { summary: 'explain what a run is waiting for', module: () => import('./run/why.ts') },
    set: { summary: 'change options of a running stage', module: () => import('./run/set.ts') },
    pause: { summary: 'pause a run after the current step', module: operate },
    resume: { summary: 'continue a paused or parked run', module: operate },
    retry: { summary: 'retry a parked run', module: operate },
    cancel: { summary: 'end a run after the current step', module: operate },
    abort: { summary: 'end a paused or parked run at once', module: operate },
  },
  'Results:': {
    runs: { summary: 'list runs', module: show },
    show: { summary: 'show a run: stages, checkpoints, evaluations', module: show },
    steps: { summary: 'list the steps of a run with their metrics', module: show },
    samples: { summary: 'list the samples of a run', module: () => import('./data/samples.ts') },
    report: {
      summary: 'write a report of a run as an HTML page',
      module: () => import('./report/report.ts'),
    },
  },
  'Models:': {
    generate: { summary: 'answer a prompt with a checkpoint', module: () => import('./models/generate.ts') },
    eval: { summary: 'evaluate a checkpoint on held-out problems', module: () => import('./models/eval.ts') },
    export: {
      summary: 'write a checkpoint as a Hugging Face folder',
      module: () => import('./models/export.ts'),
    },
    model: { summary: 'add a model under a name', module: () => import('./models/sources/commands.ts') },
    models: {
      summary: 'list the models that were added',
      module: () => import('./models/sources/commands.ts'),
    },
    pretrain: {
      summary: 'train the nano base model from scratch',
      module: () => import('./models/pretrain.ts'),
    },
  },
  'Data and verifiers:': {
    import: { summary: 'import data sets, checked row by row', module: () => import('./data/import.ts') },
    datasets: { summary: 'list data sets', module: dataset },
    dataset: { summary: 'show, compare or export a data set', module: dataset },
    verify: { summary: 'score responses with the verifiers', module: () => import('./data/verify.ts') },
    serve: { summary: 'serve the verifiers over HTTP', module: () => import('./data/serve.ts') },
  },
};

export const commandNames = Object.values(groups).flatMap((commands) => Object.keys(commands));

/** Runs one command line and sets the exit code of the process. */
export async function main(args: readonly string[]): Promise<void> {
  process.stdout.on('error', exitWhenReaderIsGone);
  try {
    const program = await programFor(args);
    await program.parseAsync(args.length === 0 ? ['--help'] : args, { from: 'user' });
  } catch (error) {
    const { text, exitCode } = verdictOn(error, args.includes('--debug'));
    if (text !== '') process.stderr.write(`${text}\n`);
    process.exitCode = exitCode;
  }
}

/** The program: the command that the arguments name is defined whole, the others only by their summary. */
export async function programFor(args: readonly string[]): Promise<Command> {
  const { version } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8'));
  const program = new Command('r1')
    .description('Train reasoning models by the DeepSeek-R1 recipe as one durable run.')
    .version(String(version))
    .exitOverride()
    .showHelpAfterError('Run the command with --help to see its options.')
    .configureHelp({ sortSubcommands: false })
    .addHelpText(
      'after',
      '\nExamples:\n  $ r1 start\n  $ r1 launch recipes/nano-zero.yaml --set max_steps=8',
    );
  const named = args.find((arg) => commandNames.includes(arg));
  for (const [heading, commands] of Object.entries(groups)) {
    program.commandsGroup(heading);
    for (const [name, { summary, module }] of Object.entries(commands)) {
      const command = program.command(name).summary(summary);
      if (name === named) (await module()).commands[name]?.(command);
      for (const each of [command, ...command.commands])
        each.option('--debug', 'show stack traces of errors');
    }
  }
  return program;
}

/** The program that reads our output has ended, as in `r1 steps | head`. */
function exitWhenReaderIsGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
}
