/** `r1 set`. */
import type { Command } from 'commander';
import type { SetDocument, ShowDocument } from '../../contracts/documents.ts';
import type { StageKey } from '../../contracts/identity.ts';
import type { SetRequest } from '../../contracts/operator.ts';
import { type ChangeableField, changeableFields } from '../../contracts/options.ts';
import { commitChanges } from '../../stores/runs/changes.ts';
import { InputError } from '../errors.ts';
import { notesOnClipping } from '../launch/plan-text.ts';
import { stepNumber } from '../options.ts';
import { examples, jsonOption, printResult } from '../output/output.ts';
import { type Connections, withConnections } from '../stack/connections.ts';
import { suggestion } from '../suggestion.ts';
import { operatorName, unfinishedStage } from './operate.ts';
import { readShow } from './run-rows.ts';
import { signalChanges } from './workflow-client.ts';

interface Options {
  atStep?: number;
  author?: string;
  json?: boolean;
}

export const commands = { set: defineSet };

function defineSet(command: Command): void {
  command
    .description(
      'Change options of a running stage, all of the given ones or none. They apply from the next step that is not ' +
        'logged yet, or from --at-step, and are recorded with their author. A temperature applies from the next ' +
        `rollout.\n\nFields: ${changeableFields.join(', ')}.`,
    )
    .usage('[options] [run [stage]] field=value...')
    .argument('<words...>', 'run (default: the latest), stage (default: the current one), and field=value')
    .option('--at-step <step>', 'first step that uses them', stepNumber)
    .option('--author <name>', 'author of the change (default: the user of this machine)')
    .option(...jsonOption('set'))
    .addHelpText(
      'after',
      examples('r1 set nano-zero-1 learning_rate=1e-4', 'r1 set beta=0.01 epsilon=0.1 --at-step 40'),
    )
    .action((words: string[], options: Options) => {
      const { names, values } = parseSetWords(words);
      return withConnections(async (connections) => {
        const changed = await change(connections, names, { values, ...options });
        printResult(options.json, 'set', changed, setText);
      });
    });
}

async function change(
  connections: Connections,
  [run, stage]: readonly string[],
  { values, atStep, author = operatorName() }: Options & Pick<SetWords, 'values'>,
): Promise<SetDocument> {
  const database = await connections.database();
  const key = stageOf(await readShow(database, run), stage);
  const changes = await commitChanges(database, key, { values, atStep: atStep ?? null, author });
  await signalChanges(connections, key, changes);
  return { ...key, changes };
}

function stageOf(show: ShowDocument, named: string | undefined): StageKey {
  const { status: _status, ...current } = unfinishedStage(show);
  if (named === undefined) return current;
  const names = show.stages.map(({ stage }) => stage);
  if (names.includes(named)) return { run: show.run, stage: named };
  throw new InputError(
    `${show.run} has no stage ${named}${suggestion(named, names) || `; its stages: ${names.join(', ')}`}`,
  );
}

function setText({ run, stage, changes }: SetDocument): string {
  const first = changes[0]?.effectiveStep ?? 0;
  const numbers = changes.map(({ field, value }) => `${field} ${value}`).join(', ');
  const later = changes.some(({ field }) => field === 'temperature')
    ? ' The temperature applies from the first rollout that begins there or later.'
    : '';
  const epsilon = changes.find(({ field }) => field === 'epsilon')?.value ?? 0;
  const notes = notesOnClipping({ epsilon }).map((note) => `\n${note}`);
  return `${run}/${stage}: from step ${first} on ${numbers}, by ${changes[0]?.author}.${later}${notes.join('')}`;
}

/** The arguments of the command line: names, then assignments. */
interface SetWords {
  /** run and stage, both optional */
  names: string[];
  values: SetRequest['values'];
}

/** Parses `[RUN [STAGE]] field=value…`. Throws InputError that names every invalid argument. */
export function parseSetWords(words: readonly string[]): SetWords {
  const names = words.filter((word) => !word.includes('='));
  const assignments = words.filter((word) => word.includes('='));
  const problems = [
    ...(names.length > 2 ? [`expected a run and optionally a stage, found ${names.join(' ')}`] : []),
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

const CHANGEABLE = `fields that can: ${changeableFields.join(', ')}`;
