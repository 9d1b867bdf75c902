import { parse, stringify } from 'yaml';
import type { EvaluationDocument } from '../contracts/documents.ts';
import { type Recipe, recipeSchema } from '../contracts/recipe.ts';
import { decimal, percent, percentInterval } from './figures.ts';

export interface ModelCardInput {
  run: string;
  stage: string;
  step: number;
  /** digest of the weights */
  digest: string;
  recipe: Recipe;
  seed: string;
  /** whole evaluations of the run */
  evaluations: readonly EvaluationDocument[];
  /** the base's own card; null where it has none */
  baseCard: string | null;
}

/** The README of an exported checkpoint, as Hugging Face's hub reads it. */
export function modelCard(input: ModelCardInput): string {
  const { run, stage, step, digest, recipe, seed, evaluations } = input;
  const license = licenseOf(input.baseCard);
  const front = { license: license ?? 'other', tags: ['reinforcement-learning', 'grpo', 'reasoning'] };
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
    `- Base: \`${recipe.base}\``,
    `- Prompts: ${sourceOf(recipe)}`,
    `- Seed: ${seed}`,
    `- Digest of the weights: \`${digest}\``,
    '',
    '## Evaluation',
    '',
    ...evaluationTable(recipe, evaluations),
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
    '| policy | step | problems | k | pass@1 | 95 % | cons@k | format | length | checks or corrects itself |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
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
    percent(evaluation.consAtK),
    percent(evaluation.formatRate),
    decimal(evaluation.meanLength, 1),
    percent(evaluation.reflectionRate),
  ];
  return `| ${cells.join(' | ')} |`;
}
