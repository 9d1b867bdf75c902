/** The model card of an exported checkpoint. */
import { basename } from 'node:path';
import { parse, stringify } from 'yaml';
import type { EvaluationDocument, ShowDocument } from '../../contracts/documents.ts';
import {
  originOf,
  type PromptSource,
  type Recipe,
  recipeSchema,
  type StageRecipe,
  stagesNeeded,
} from '../../contracts/recipe.ts';
import { suffixOf } from '../../contracts/stage-name.ts';
import { metricsOf, percent } from '../output/figures.ts';

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
  /** `base` or `student/NAME` → digest of its weights, and its own model card if it has one */
  models: Readonly<Record<string, { digest: string; card: string | null }>>;
  /** stage → its data set as `NAME@VERSION`, and the digest */
  data: Readonly<Record<string, { name: string; digest: string }>>;
  /** whole evaluations of the run */
  evaluations: readonly EvaluationDocument[];
  /** ranking accuracy of a reward model */
  measure: ShowDocument['stages'][number]['measure'];
  /** files in the exported folder; left out: unknown */
  files?: readonly string[];
  /** whether the tokenizer has a chat template; left out: unknown */
  hasChatTemplate?: boolean;
}

/** The README.md of an exported checkpoint, in the form of the Hugging Face Hub. */
export function modelCard(input: ModelCardInput): string {
  const { run, stage, step, digest, recipe, seed } = input;
  const planned = recipe.stages.find((found) => found.stage === stage)?.options.max_steps ?? step;
  const stages = stagesBehind(recipe, stage);
  const start = stages.find(({ ownLine }) => ownLine)?.from ?? 'base';
  const license = licenseOf(input.models[start]?.card ?? null);
  const kind = KINDS[stage.startsWith('reward-model/') ? 'rewardModel' : 'policy'];
  const front = {
    license: license ?? 'other',
    library_name: 'transformers',
    pipeline_tag: kind.task,
    tags: tagsOf(stages),
  };
  return [
    '---',
    stringify(front).trimEnd(),
    '---',
    '',
    `# ${run}/${stage}`,
    '',
    `${recipe.description || recipe.name}: ${kind.what(stage)}, ${trainedText(input, planned)}`,
    '',
    `- Licence: ${license ?? 'that of the base, whose card names none'}`,
    `- Started from: ${startText(input, start)}`,
    ...dataLines(input),
    `- Seed: ${seed}`,
    `- Digest of the weights: \`${digest}\``,
    '',
    '## Use',
    '',
    ...kind.use(input),
    '',
    '## Stages',
    '',
    ...stageTable(stages, input),
    '',
    '## Evaluation',
    '',
    ...kind.evaluation(input, stages),
    '',
    '## Recipe',
    '',
    '```yaml',
    stringify(inOrder(recipe)).trimEnd(),
    '```',
    '',
  ].join('\n');
}

/** Puts keys in the schema's order, which stored recipes have lost. Recipes of other releases stay as they are. */
const inOrder = (recipe: Recipe): Recipe => recipeSchema.safeParse(recipe).data ?? recipe;

function trainedText({ stage, step }: ModelCardInput, planned: number): string {
  return step === 0
    ? `what the stage \`${stage}\` starts from, not trained by it.`
    : `step ${step} of ${planned} of the stage \`${stage}\`, trained by durable-r1.`;
}

/** How to prompt and sample the model, as far as its files say. */
function askedText({ files = [], hasChatTemplate = false }: ModelCardInput): string {
  const parts = [
    ...(hasChatTemplate ? ['the chat template formats prompts'] : []),
    ...(files.includes('generation_config.json')
      ? ['`generation_config.json` has its sampling options']
      : []),
  ];
  return parts.length === 0 ? '' : `; ${parts.join(', and ')}`;
}

/** The share of well-formed answers in the last evaluation up to this step. */
function formText({ stage, step, evaluations }: ModelCardInput): string[] {
  const measured = evaluations.filter((each) => each.stage === stage && each.step <= step).at(-1);
  if (measured === undefined) return [];
  return [
    '',
    `Of its answers to held-out problems ${percent(measured.formatRate)} think between \`<think>\` and \`</think>\`, then answer ` +
      `between \`<answer>\` and \`</answer>\` (measured at step ${measured.step}).`,
  ];
}

/** What differs between the cards of policies and reward models. */
interface CardKind {
  /** the Hub's name */
  task: string;
  what(stage: string): string;
  use(input: ModelCardInput): string[];
  evaluation(input: ModelCardInput, stages: readonly CardStage[]): string[];
}

const KINDS: Record<'policy' | 'rewardModel', CardKind> = {
  policy: {
    task: 'text-generation',
    what: () => 'a language model',
    use: (input) => [
      `It loads as \`AutoModelForCausalLM\` and \`AutoTokenizer\`${askedText(input)}.`,
      ...formText(input),
    ],
    evaluation: ({ recipe, evaluations, stage, step }, stages) => {
      const names = new Set(['base', ...stages.flatMap(({ stage, from }) => [stage, from])]);
      const own = evaluations.filter((evaluation) => names.has(evaluation.stage));
      return policyEvaluation(recipe, own, { stage, step });
    },
  },
  rewardModel: {
    task: 'text-classification',
    what: (stage) => `a reward model of ${suffixOf(stage) ?? 'answers'}`,
    use: ({ stage }) => [
      'It loads as `AutoModelForSequenceClassification` with one label: its logit at the last token is the score, ' +
        `higher is better. It reads the prompt in its chat template and ${READ[suffixOf(stage) ?? ''] ?? 'the response'}.`,
    ],
    evaluation: ({ recipe, stage, measure }) => {
      const trained = recipe.stages.find((found) => found.stage === stage);
      return rankingEvaluation(
        measure,
        trained?.algorithm === 'reward-model' ? trained.options.min_accuracy : 0,
      );
    },
  },
};

/** The part of a response that a reward model scores. */
const READ: Record<string, string> = {
  helpfulness: 'only what follows the thinking',
  safety: 'the whole response, its thinking too',
};

const TAGS: Record<CardStage['algorithm'], string[]> = {
  grpo: ['reinforcement-learning', 'grpo', 'reasoning'],
  sft: ['sft', 'reasoning'],
  'reward-model': ['reward-model'],
};

const tagsOf = (stages: readonly CardStage[]) => [
  ...new Set(stages.filter(({ ownLine }) => ownLine).flatMap(({ algorithm }) => TAGS[algorithm])),
];

/** The model that the first stage started from, and its weights. */
function startText({ recipe, models }: ModelCardInput, start: string): string {
  const path = recipe.students[start.slice('student/'.length)] ?? recipe.base;
  const digest = models[start]?.digest;
  return `\`${basename(path)}\`${digest === undefined ? '' : `, weights \`${digest}\``}`;
}

/** Prompts of a policy. A reward model's data is shown with its stage. */
function dataLines({ recipe, promptSet, stage }: ModelCardInput): string[] {
  if (stage.startsWith('reward-model/')) return [];
  const { prompts, general_prompts: general } = recipe;
  return [
    `- Prompts: ${sourceOf(prompts)}${general === undefined ? '' : `; without reasoning, ${sourceOf(general)}`}; digest \`${promptSet}\``,
  ];
}

const METHODS: Record<CardStage['algorithm'], string> = {
  grpo: 'GRPO',
  sft: 'SFT',
  'reward-model': 'preferences',
};

/** What a stage contributed to the checkpoint. */
function partOf({ ownLine, algorithm }: CardStage): string {
  if (ownLine) return 'weights';
  return algorithm === 'reward-model' ? 'rewards' : 'data';
}

function stageTable(stages: readonly CardStage[], { data }: ModelCardInput): string[] {
  const rows = stages.map((each) => {
    const { stage, algorithm, from, steps } = each;
    const set = data[stage];
    const made = set === undefined ? '' : `${set.name}, \`${set.digest}\``;
    return `| ${stage} | ${partOf(each)} | ${METHODS[algorithm]} | ${from} | ${steps} | ${made} |`;
  });
  return [
    'In order. Each contributed weights, data or rewards.',
    '',
    '| stage | contributed | method | from | steps | data set |',
    '|---|---|---|---|---:|---|',
    ...rows,
  ];
}

/** The `license` of a card's front matter. */
export function licenseOf(card: string | null): string | undefined {
  const [, front] = /^---\n([\s\S]*?)\n---/.exec(card ?? '') ?? [];
  const fields: unknown = front === undefined ? undefined : parse(front);
  if (typeof fields !== 'object' || fields === null || !('license' in fields)) return undefined;
  return String(fields.license);
}

function sourceOf(prompts: PromptSource): string {
  if (prompts.source === 'jsonl') return `\`${prompts.path}\``;
  if (prompts.source === 'imported') return `the imported set \`${prompts.name}\``;
  if (prompts.source === 'puzzles')
    return `${prompts.train} generated puzzles (${prompts.puzzle}, difficulty ${prompts.difficulty}), ${prompts.test} held out`;
  if (prompts.source === 'nano-general') return `${prompts.train} generated tasks, ${prompts.test} held out`;
  return `${prompts.train} generated sums of ${prompts.terms} numbers below ${prompts.limit}, ${prompts.test} held out`;
}

/** A stage that contributed to a checkpoint. */
interface CardStage {
  stage: string;
  algorithm: StageRecipe['algorithm'];
  /** `base`, `student/NAME` or an earlier stage */
  from: string;
  /** planned steps */
  steps: number;
  /** whether the checkpoint's weights descend from it; other stages contributed samples or rewards */
  ownLine: boolean;
}

/** The stage and everything it depends on, directly or indirectly, in the recipe's order. */
function stagesBehind({ stages }: Recipe, stage: string): CardStage[] {
  const find = (name: string) => stages.find((found) => found.stage === name);
  const line = new Set<string>();
  for (let at = find(stage); at !== undefined; at = find(originOf(at))) line.add(at.stage);
  const needed = new Set<string>();
  const visit = (name: string) => {
    const found = find(name);
    if (found === undefined || needed.has(name)) return;
    needed.add(name);
    for (const before of stagesNeeded(found)) visit(before);
  };
  visit(stage);
  return stages
    .filter((found) => needed.has(found.stage))
    .map((found) => ({
      stage: found.stage,
      algorithm: found.algorithm,
      from: originOf(found),
      steps: found.options.max_steps,
      ownLine: line.has(found.stage),
    }));
}

/** Evaluations of a policy and its predecessors; its own row is in bold. */
function policyEvaluation(
  { evaluation }: Recipe,
  evaluations: readonly EvaluationDocument[],
  own: { stage: string; step: number },
): string[] {
  if (evaluations.length === 0) return ['Not measured.'];
  const { temperature, top_p, max_completion_length } = evaluation;
  return [
    `Sampled at temperature ${temperature}, top-p ${top_p}, at most ${max_completion_length} tokens; ` +
      'pass@1 is the mean over k samples, its interval over problems.',
    '',
    `| policy | step | problems | k | ${COLUMNS.join(' | ')} |`,
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...evaluations.map((each) => evaluationRow(each, each.stage === own.stage && each.step === own.step)),
    '',
    'reflects: answers that check or correct themselves; language: step words in the target language; ' +
      'general: pass@1 on tasks without reasoning. –: not measured.',
  ];
}

const COLUMNS = [
  ...(['pass@1', '95 %', 'pass@k', 'cons@k', 'format', 'length', 'reflects', 'language', 'general'] as const),
];

function evaluationRow(evaluation: EvaluationDocument, isOwn: boolean): string {
  const { stage, step, problems, k } = evaluation;
  const cells = [isOwn ? `**${stage}**` : stage, step, problems, k, ...metricsOf(COLUMNS, evaluation)];
  return `| ${cells.join(' | ')} |`;
}

/** How well a reward model ranks held-out pairs. */
function rankingEvaluation(measure: ShowDocument['stages'][number]['measure'], least: number): string[] {
  if (measure === null) return ['Not measured.'];
  return [
    `It ranks ${percent(measure.accuracy)} of ${measure.pairs} held-out pairs correctly: the better or safe answer ` +
      `scores higher. Below ${percent(least, 0)} no stage would use it.`,
  ];
}
