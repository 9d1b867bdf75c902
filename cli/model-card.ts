import { parse, stringify } from 'yaml';
import type { EvaluationDocument } from '../contracts/documents.ts';
import { type Recipe, recipeSchema } from '../contracts/recipe.ts';
import { decimal, percent, percentInterval } from './figures.ts';
import { type CardStage, stagesBehind } from './stages-behind.ts';

export interface ModelCardInput {
  run: string;
  stage: string;
  step: number;
  /** digest of the weights */
  digest: string;
  recipe: Recipe;
  seed: string;
  /** digest of the prompts */
  promptSet: string;
  /** stage → its data set as `NAME@VERSION`, and the digest */
  data: Readonly<Record<string, { name: string; digest: string }>>;
  /** whole evaluations of the run */
  evaluations: readonly EvaluationDocument[];
  /** the base's own card; null where it has none */
  baseCard: string | null;
}

/** The README of an exported checkpoint, as Hugging Face's hub reads it. */
export function modelCard(input: ModelCardInput): string {
  const { run, stage, step, digest, recipe, seed, evaluations } = input;
  const license = licenseOf(input.baseCard);
  const stages = stagesBehind(recipe, stage);
  const front = { license: license ?? 'other', tags: tagsOf(stages) };
  const names = new Set(['base', ...stages.flatMap(({ stage, from }) => [stage, from])]);
  return [
    '---',
    stringify(front).trimEnd(),
    '---',
    '',
    `# ${run}/${stage}`,
    '',
    `${recipe.description || recipe.name}: step ${step} of the stage \`${stage}\`, trained by durable-r1.`,
    '',
    `- Licence: ${license ?? 'that of the base, whose card names none'}`,
    `- Base: \`${baseOf(recipe, stages)}\``,
    `- Prompts: ${sourceOf(recipe)}; digest \`${input.promptSet}\``,
    `- Seed: ${seed}`,
    `- Digest of the weights: \`${digest}\``,
    '',
    '## Stages',
    '',
    'What it was trained by, in order; the others gave their samples or their rewards.',
    '',
    ...stageTable(stages, input),
    '',
    '## Evaluation',
    '',
    ...evaluationTable(
      recipe,
      evaluations.filter((evaluation) => names.has(evaluation.stage)),
    ),
    '',
    '## Recipe',
    '',
    '```yaml',
    // The schema's order of keys: a recipe kept as a row has lost its own.
    stringify(recipeSchema.parse(recipe)).trimEnd(),
    '```',
    '',
  ].join('\n');
}

const TAGS: Record<CardStage['algorithm'], string[]> = {
  grpo: ['reinforcement-learning', 'grpo'],
  sft: ['sft'],
  'reward-model': ['reward-model'],
};

const tagsOf = (stages: readonly CardStage[]) => [
  ...new Set([
    ...stages.filter(({ ownLine }) => ownLine).flatMap(({ algorithm }) => TAGS[algorithm]),
    'reasoning',
  ]),
];

/** The model that the line of stages began with. */
function baseOf({ base, students }: Recipe, stages: readonly CardStage[]): string {
  const first = stages.find(({ ownLine }) => ownLine)?.from ?? 'base';
  return students[first.slice('student/'.length)] ?? base;
}

function stageTable(stages: readonly CardStage[], { data }: ModelCardInput): string[] {
  const rows = stages.map(({ stage, algorithm, from, steps, ownLine }) => {
    const set = data[stage];
    const made = set === undefined ? '' : `${set.name}, \`${set.digest}\``;
    return `| ${stage}${ownLine ? '' : ' (beside)'} | ${algorithm} | ${from} | ${steps} | ${made} |`;
  });
  return ['| stage | by | from | steps | data set |', '|---|---|---|---:|---|', ...rows];
}

/** The `license` of a card's front matter. */
function licenseOf(card: string | null): string | undefined {
  const [, front] = /^---\n([\s\S]*?)\n---/.exec(card ?? '') ?? [];
  const fields: unknown = front === undefined ? undefined : parse(front);
  if (typeof fields !== 'object' || fields === null || !('license' in fields)) return undefined;
  return String(fields.license);
}

function sourceOf({ prompts }: Recipe): string {
  if (prompts.source === 'jsonl') return `\`${prompts.path}\``;
  if (prompts.source === 'imported') return `the imported set \`${prompts.name}\``;
  if (prompts.source === 'puzzles')
    return `${prompts.train} generated puzzles (${prompts.puzzle}, difficulty ${prompts.difficulty}), ${prompts.test} held out`;
  if (prompts.source === 'nano-general') return `${prompts.train} generated tasks, ${prompts.test} held out`;
  return `${prompts.train} generated sums of ${prompts.terms} numbers below ${prompts.limit}, ${prompts.test} held out`;
}

function evaluationTable({ evaluation }: Recipe, evaluations: readonly EvaluationDocument[]): string[] {
  if (evaluations.length === 0) return ['Not measured.'];
  const { temperature, top_p, max_completion_length } = evaluation;
  return [
    `Sampled at temperature ${temperature}, top-p ${top_p}, at most ${max_completion_length} tokens; ` +
      'pass@1 is the mean over k samples, its interval over problems.',
    '',
    '| policy | step | problems | k | pass@1 | 95 % | pass@k | cons@k | format | length | reflects | language | general |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...evaluations.map(evaluationRow),
  ];
}

function evaluationRow(evaluation: EvaluationDocument): string {
  const cells = [
    evaluation.stage,
    evaluation.step,
    evaluation.problems,
    evaluation.k,
    percent(evaluation.passAt1),
    percentInterval(evaluation.passAt1Interval),
    percent(evaluation.passAtK),
    percent(evaluation.consAtK),
    percent(evaluation.formatRate),
    decimal(evaluation.meanLength, 1),
    percent(evaluation.reflectionRate),
    percent(evaluation.languageConsistency),
    percent(evaluation.generalAbility),
  ];
  return `| ${cells.join(' | ')} |`;
}
