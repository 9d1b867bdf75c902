/** `docs/commands.md`, made from the commands' own definitions and the table of environment variables. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Argument, Command, Help } from 'commander';
import { PROJECT_ROOT } from '../infra/paths.ts';
import { SETTING_NAMES, settingHelp } from '../infra/settings.ts';
import { commandNames, programFor } from './main.ts';

export const COMMANDS_PAGE = join(PROJECT_ROOT, 'docs', 'commands.md');

/** Options that every command has. */
const COMMON = new Set(['--help', '--debug']);

/** The page's text. */
export async function commandsPage(): Promise<string> {
  const sections: string[] = [];
  for (const name of commandNames) sections.push(...withSubcommands(await commandNamed(name), `r1 ${name}`));
  return [
    '# Commands and variables',
    'Written by `npm run docs` from the commands’ own definitions. `r1` stands for the checkout’s `./r1`; `alias r1="$PWD/r1"` makes it so in every folder. Do not run it by `npx`, which fetches a package of the same name from a registry where it finds none.',
    'A checkpoint is named `RUN`, `RUN/STAGE`, `RUN/STAGE@STEP`, by its `s3://…/manifest.json`, or by a local Hugging Face folder. Where RUN is left out, the latest run is meant. With `--json` a command prints one document, described by a JSON Schema in `contracts/schemas/`. Every command has `--help` and `--debug` (shows the stack trace of an error).',
    ...sections,
    '## Environment variables',
    'An empty variable counts as unset. Values are checked when a command starts; an error names each variable that is wrong.',
    [
      '| Variable | Meaning |',
      '|---|---|',
      ...SETTING_NAMES.map((name) => `| \`${name}\` | ${settingHelp[name]} |`),
    ].join('\n'),
  ]
    .join('\n\n')
    .concat('\n');
}

/** A command with all that it defines. */
export async function commandNamed(name: string): Promise<Command> {
  const { commands } = await programFor([name]);
  const command = commands.find((each) => each.name() === name);
  if (command === undefined) throw new TypeError(`expected a command ${name}, found none`);
  return command;
}

function withSubcommands(command: Command, path: string): string[] {
  return [
    section(command, path),
    ...command.commands.flatMap((child) => withSubcommands(child, `${path} ${child.name()}`)),
  ];
}

function section(command: Command, path: string): string {
  const help = command.createHelp();
  const usage = [path, ...command.registeredArguments.map(argumentText)].join(' ');
  const options = command.options.filter(({ long }) => !COMMON.has(long ?? ''));
  return [
    `## \`${usage}\``,
    plain(command.description()),
    ...argumentsTable(command, help),
    ...(options.length === 0
      ? []
      : [
          [
            '| Option | Meaning |',
            '|---|---|',
            ...options.map((option) => row(option.flags, help.optionDescription(option))),
          ].join('\n'),
        ]),
  ].join('\n\n');
}

function argumentText(argument: Argument): string {
  const text = `${argument.name().toUpperCase()}${argument.variadic ? '…' : ''}`;
  return argument.required ? text : `[${text}]`;
}

function argumentsTable(command: Command, help: Help): string[] {
  const described = command.registeredArguments.filter(({ description }) => description !== '');
  if (described.length === 0) return [];
  const rows = described.map((argument) =>
    row(argument.name().toUpperCase(), help.argumentDescription(argument)),
  );
  return [['| Argument | Meaning |', '|---|---|', ...rows].join('\n')];
}

/** Paths are shown from the checkout. */
const row = (name: string, meaning: string) =>
  `| \`${name}\` | ${plain(meaning.replaceAll(`${PROJECT_ROOT}/`, '')).replaceAll('|', '\\|')} |`;

/** Each paragraph on one line, with angle brackets that Markdown would take for tags escaped. */
const plain = (text: string) =>
  text
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.replaceAll(/\s+/g, ' ').trim())
    .join('\n\n')
    .replaceAll(/<(?=[a-zA-Z/])/g, '\\<');

if (process.argv[1] === import.meta.filename) writeFileSync(COMMANDS_PAGE, await commandsPage());
