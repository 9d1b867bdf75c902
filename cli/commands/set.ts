import type { Command } from 'commander';
import type { SetDocument, ShowDocument } from '../../contracts/documents.ts';
import type { StageKey } from '../../contracts/identity.ts';
import { changeableFields } from '../../contracts/options.ts';
import { commitChanges } from '../../stores/runs/changes.ts';
import { InputError } from '../errors.ts';
import { notesOnClipping } from '../launch/recipe-notes.ts';
import { stepNumber } from '../options.ts';
import { examples, printDocument, printLine } from '../output/output.ts';
import { parseSetWords, type SetWords } from '../run/assignments.ts';
import { operatorName, standingStage } from '../run/operator.ts';
import { readShow } from '../run/run-rows.ts';
import { signalChanges } from '../run/workflow-client.ts';
import { type Connections, withConnections } from '../stack/connections.ts';
import { suggestion } from '../suggestion.ts';

interface Options {
  atStep?: number;
  author?: string;
  json?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      'Changes numbers of a run under way, all of those given or none: they hold from the next step that is not ' +
        'logged yet, or from --at-step on, and are kept with their author. A temperature holds from the next ' +
        `rollout on.\n\nFields: ${changeableFields.join(', ')}.`,
    )
    .usage('[options] [run [stage]] field=value...')
    .argument('<words...>', 'a run (by default the latest), perhaps its stage, and field=value')
    .option('--at-step <step>', 'the first step that is trained with them', stepNumber)
    .option('--author <name>', 'who changes them; by default the user of this machine')
    .option('--json', 'print one document (contracts/schemas/set.json)')
    .addHelpText(
      'after',
      examples('r1 set nano-zero-1 learning_rate=1e-4', 'r1 set beta=0.01 epsilon=0.1 --at-step 40'),
    )
    .action((words: string[], options: Options) => {
      const { names, values } = parseSetWords(words);
      return withConnections(async (connections) => {
        const changed = await change(connections, names, { values, ...options });
        if (options.json) printDocument('set', changed);
        else printLine(setText(changed));
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
  const { status: _status, ...standing } = standingStage(show);
  if (named === undefined) return standing;
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
    ? ' The temperature holds from the first rollout that begins there or later.'
    : '';
  const epsilon = changes.find(({ field }) => field === 'epsilon')?.value ?? 0;
  const notes = notesOnClipping({ epsilon }).map((note) => `\n${note}`);
  return `${run}/${stage}: from step ${first} on ${numbers}, by ${changes[0]?.author}.${later}${notes.join('')}`;
}
