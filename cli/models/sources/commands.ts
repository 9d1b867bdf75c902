/** `r1 model` and `r1 models`. */
import type { Command } from 'commander';
import { readJsonFile, readManifest } from '../../../activities/checkpoints/checkpoint-files.ts';
import type { ModelsDocument } from '../../../contracts/documents.ts';
import { ModelConfigError, parsePolicyConfig } from '../../../engine/model/model-config.ts';
import { type AddedModel, listModels } from '../../../stores/data/models.ts';
import type { ObjectStore } from '../../../stores/objects/objects.ts';
import { count } from '../../output/figures.ts';
import {
  examples,
  jsonOption,
  printDocument,
  printLine,
  printResult,
  tableText,
} from '../../output/output.ts';
import { withConnections } from '../../stack/connections.ts';
import { logProgress } from '../../stack/stack.ts';
import { addFrom, SOURCE_HELP } from './add-model.ts';

export const commands = { model: defineModel, models: defineModels };

function defineModel(command: Command): void {
  command
    .description('Add a model under a name, for recipes, `r1 generate` and `r1 eval`.')
    .addHelpText(
      'after',
      examples(
        'r1 model add models/SmolLM2-135M-Instruct --name smollm2',
        'r1 model add SmolLM2-135M-Instruct.Q4_1.gguf --name smollm2',
      ),
    );
  command
    .command('add')
    .description(
      'Check a model and bring it into the stack under a name: its files into S3, its row into PostgreSQL. A model ' +
        'that the embedded engine does not compute is kept too, for other workers. Adding the same model again changes nothing.',
    )
    .argument('<source>', SOURCE_HELP)
    .option('--name <name>', 'name of the model (default: made from the source)')
    .option(...jsonOption('model'))
    .addHelpText(
      'after',
      examples(
        'r1 model add models/SmolLM2-135M-Instruct --name smollm2',
        'r1 model add SmolLM2-135M-Instruct.Q4_1.gguf --name smollm2',
      ),
    )
    .action(addCommand);
}

async function addCommand(source: string, { name, json }: { name?: string; json?: boolean }): Promise<void> {
  await withConnections(async (connections) => {
    const added = await addFrom(source, { name, onProgress: logProgress }, connections);
    const document = await documentOf(added.model, await connections.objects());
    if (json) return printDocument('model', document);
    printLine(`${added.isNew ? 'Added' : 'Already there:'} ${document.name}`);
    printLine(modelsText([document]));
    printLine(
      `Name it as \`base\` of a recipe, or ask it: r1 generate ${document.name} --chat --prompt TEXT`,
    );
  });
}

function defineModels(command: Command): void {
  command
    .description('List the models that were added, and which worker can train them.')
    .option(...jsonOption('models'))
    .addHelpText('after', examples('r1 models', 'r1 models --json'))
    .action(({ json }: { json?: boolean }) =>
      withConnections(async ({ database, objects }) => {
        const models = await listModels(await database());
        const store = await objects();
        const documents = await Promise.all(models.map((model) => documentOf(model, store)));
        printResult(json, 'models', documents, modelsText);
      }),
    );
}

export async function documentOf(model: AddedModel, objects: ObjectStore): Promise<ModelsDocument[number]> {
  const config = await readJsonFile(objects, await readManifest(objects, model.manifest), 'config.json');
  const { manifest, ...fields } = model;
  return { ...fields, manifest: manifest.uri, embedded: refusalOf(config) };
}

/** Why the embedded engine cannot compute a model; null where it can. */
function refusalOf(config: unknown): string | null {
  try {
    parsePolicyConfig(config);
    return null;
  } catch (error) {
    if (!(error instanceof ModelConfigError)) throw error;
    const [first = '', ...problems] = error.message.split('\n').map((line) => line.trim());
    return problems[0] ?? first;
  }
}

function modelsText(models: ModelsDocument): string {
  if (models.length === 0) return 'No models yet: r1 model add SOURCE';
  const rows = models.map((model) => [
    model.name,
    count(model.parameters),
    model.architecture,
    String(model.context),
    model.dtypes.join(', '),
    model.license ?? '–',
    model.embedded === null ? 'yes' : `no: ${model.embedded}`,
  ]);
  const head = [
    'model',
    'parameters',
    'architecture',
    'context',
    'dtype',
    'licence',
    'trained by the embedded worker',
  ];
  return tableText(head, rows);
}
