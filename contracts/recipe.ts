import { z } from 'zod';
import { alarmsSchema } from './alarms.ts';
import {
  generations,
  isSoundByParts,
  LONGEST_TEXT,
  MOST_LISTED,
  MOST_MADE_PUZZLES,
  MOST_MADE_ROWS,
  MOST_MADE_TESTS,
  MOST_REQUESTS,
  MOST_SAMPLED_PROMPTS,
  MOST_SEQUENCES,
  MOST_STEPS,
  MOST_STEPS_OF_A_RUN,
  parameterCount,
  path,
  promptCount,
  properShare,
  seedNumber,
} from './bounds.ts';
import { selectionRuleSchema } from './datasets.ts';
import {
  domainWeightsSchema,
  evaluationSchema,
  grpoSchema,
  rewardModelSchema,
  samplingSchema,
  sftSchema,
} from './options.ts';
import { nameSchema } from './reference.ts';
import { isModelReward } from './rewards.ts';
import { roleOf, type StageRole, stageNameSchema, suffixOf } from './stage-name.ts';
import { problemsOfStage, type StageNeed, type StageProblem } from './stage-problems.ts';

const stage = {
  stage: stageNameSchema,
  /** where its policy starts: `base`, a student (`student/NAME`), or an earlier stage */
  from: path.optional(),
  /** alarms that differ from the run's; stages without GRPO have only the alarms listed here */
  alarms: alarmsSchema.default([]),
  /** expected duration in minutes: shown with the plan and in the report, never enforced */
  budget_minutes: z.number().gt(0).max(10_000_000).optional(),
};

/** A stage that trains by reinforcement learning (GRPO). */
const reinforcementStageSchema = z.strictObject({
  ...stage,
  algorithm: z.literal('grpo'),
  options: grpoSchema,
});

/** Rows that a generator creates at launch: for training, held out, and the seed. */
const madeRows = {
  train: z.int().min(1).max(MOST_MADE_ROWS),
  test: z.int().min(1).max(MOST_MADE_TESTS),
  seed: seedNumber.default(0),
};

interface SampledSize {
  prompts: number;
  num_generations: number;
  prompts_per_request: number;
}

/** A request is one object in S3, and takes events of the stage's history. */
function refuseLargeRequests(source: SampledSize, ctx: z.RefinementCtx): void {
  if (!isSoundByParts(ctx)) return;
  const { prompts, num_generations, prompts_per_request } = source;
  const refuse = (message: string) =>
    ctx.addIssue({ code: 'custom', path: ['prompts_per_request'], message });
  const perRequest = Math.min(prompts, prompts_per_request);
  if (perRequest * num_generations > MOST_SEQUENCES)
    refuse(
      `expected at most ${MOST_SEQUENCES} samples per request, found ${perRequest} × ${num_generations}`,
    );
  const requests = Math.ceil(prompts / prompts_per_request);
  if (requests > MOST_REQUESTS)
    refuse(`expected at most ${MOST_REQUESTS} requests, found ${requests} (${prompts} prompts)`);
}

/** A source of a supervised stage's examples. */
const exampleSourceSchema = z.discriminatedUnion('source', [
  /** completions of a policy that the selection rule accepts */
  z
    .strictObject({
      source: z.literal('sampled'),
      /** the stage whose last checkpoint samples */
      policy: stageNameSchema,
      /** number of prompts of the training split, in an order of this stage */
      prompts: z.int().min(1).max(MOST_SAMPLED_PROMPTS),
      domain_weights: domainWeightsSchema.optional(),
      num_generations: generations,
      /** prompts per call; a failed call is repeated as a whole */
      prompts_per_request: promptCount.default(64),
      ...samplingSchema.shape,
    })
    .superRefine(refuseLargeRequests),
  /** hand-written rows with `problem` and `response`; the path is relative to the recipe's folder */
  z.strictObject({ source: z.literal('jsonl'), path }),
  /** examples from `r1 import`: the version that the name has at launch */
  z.strictObject({ source: z.literal('imported'), name: nameSchema }),
  /** generated tasks of this project: copy, reverse, lookup */
  z.strictObject({
    source: z.literal('nano-general'),
    rows: z.int().min(1).max(MOST_MADE_ROWS),
    seed: seedNumber.default(0),
  }),
  /** the data set of another stage */
  z.strictObject({ source: z.literal('stage'), stage: stageNameSchema }),
]);
export type ExampleSource = z.infer<typeof exampleSourceSchema>;

/** A stage that imitates examples. */
const supervisedStageSchema = z.strictObject({
  ...stage,
  algorithm: z.literal('sft'),
  options: sftSchema,
  data: z.array(exampleSourceSchema).min(1).max(MOST_LISTED),
  /** which samples are accepted */
  keep: selectionRuleSchema.prefault({}),
});

/** The source of a reward model's preferences. */
const preferenceSourceSchema = z.discriminatedUnion('source', [
  /** rows with `prompt`, `chosen` and `rejected`, or with `prompt`, `response` and `safe` */
  z.strictObject({
    source: z.literal('jsonl'),
    path,
    /** share of held-out rows, where the rows have no `split` */
    held_out: properShare.default(0.1),
  }),
  /** pairs or labels from `r1 import`: the version that the name has at launch */
  z.strictObject({
    source: z.literal('imported'),
    name: nameSchema,
    /** share of held-out rows */
    held_out: properShare.default(0.1),
  }),
  z.strictObject({
    source: z.literal('nano'),
    ...madeRows,
  }),
]);
export type PreferenceSource = z.infer<typeof preferenceSourceSchema>;

/** A stage that trains a reward model: `reward-model/helpfulness` on pairs, `reward-model/safety` on labels. */
const rewardModelStageSchema = z.strictObject({
  ...stage,
  algorithm: z.literal('reward-model'),
  options: rewardModelSchema,
  preferences: preferenceSourceSchema,
});

const stageSchema = z.discriminatedUnion('algorithm', [
  reinforcementStageSchema,
  supervisedStageSchema,
  rewardModelStageSchema,
]);
export type StageRecipe = z.infer<typeof stageSchema>;
export type ReinforcementStageRecipe = z.infer<typeof reinforcementStageSchema>;
export type SupervisedStageRecipe = z.infer<typeof supervisedStageSchema>;
export type RewardModelStageRecipe = z.infer<typeof rewardModelStageSchema>;

/** Generated puzzles of this project; a puzzle's name is also the domain that its verifier judges. */
export const puzzleNames = [
  'knights-knaves',
  'countdown',
  'puzzle24',
  'caesar-cipher',
  'zebra',
  'output-prediction',
] as const;
export type PuzzleName = (typeof puzzleNames)[number];

/** The source of prompts: a JSONL file, an import by `r1 import`, or a generator of this project. */
const promptSourceSchema = z.discriminatedUnion('source', [
  z.strictObject({
    source: z.literal('jsonl'),
    /** relative to the recipe's folder */
    path,
    /** default: the rows of the same file with `split: test` */
    evaluation_path: path.optional(),
  }),
  /** the version that the name has at launch */
  z.strictObject({ source: z.literal('imported'), name: nameSchema }),
  /** logic puzzles generated from a seed; training never uses a held-out puzzle of any seed or difficulty */
  z.strictObject({
    source: z.literal('puzzles'),
    puzzle: z.enum(puzzleNames),
    difficulty: z.literal([1, 2, 3, 4, 5]).default(1),
    ...madeRows,
    train: z.int().min(1).max(MOST_MADE_PUZZLES),
  }),
  z.strictObject({
    source: z.literal('nano-sums'),
    terms: z.int().min(2).max(8).default(4),
    /** upper bound of the operands, exclusive */
    limit: z.int().min(2).max(100).default(20),
    ...madeRows,
  }),
  /** copy, reverse, lookup: domains `nano-copy`, `nano-reverse`, `nano-lookup` */
  z.strictObject({
    source: z.literal('nano-general'),
    ...madeRows,
  }),
]);
export type PromptSource = z.infer<typeof promptSourceSchema>;

/** A run's configuration, written in YAML. Unknown keys are errors. */
export const recipeSchema = z
  .strictObject({
    name: nameSchema,
    description: z.string().max(LONGEST_TEXT).default(''),
    seed: seedNumber,
    /** a Hugging Face folder, relative to the recipe's folder, or the URI of a checkpoint in S3 */
    base: path,
    /** base models of the students, by name; each is a Hugging Face folder with its own tokenizer */
    students: z.record(nameSchema, path).default({}),
    /** parameter counts of `base` and of the students: a dry run uses them where the models are not available */
    parameters: z.record(nameSchema, parameterCount).optional(),
    /** reasoning tasks */
    prompts: promptSourceSchema,
    /** tasks without reasoning: their domains are the general domains, which a stage uses only where it names them */
    general_prompts: promptSourceSchema.optional(),
    /** how a problem becomes a prompt: with the tokenizer's chat template, or as plain text */
    prompt_format: z.enum(['chat', 'text']).default('chat'),
    evaluation: evaluationSchema,
    /** alarms that differ from the defaults */
    alarms: alarmsSchema.default([]),
    /** whether reports show the paper's figures beside the run's; default: only for the nano task */
    compare_with_paper: z.boolean().optional(),
    stages: z.array(stageSchema).min(1).max(MOST_LISTED),
  })
  .superRefine((recipe, ctx) => {
    const all = recipe.stages.reduce((sum, { options }) => sum + Math.min(options.max_steps, MOST_STEPS), 0);
    if (all > MOST_STEPS_OF_A_RUN) {
      const message = `expected at most ${MOST_STEPS_OF_A_RUN} steps of all stages together, found ${all}`;
      ctx.addIssue({ code: 'custom', path: ['stages'], message });
    }
    for (const [index, { options }] of recipe.stages.entries()) {
      const best = 'save_best' in options ? options.save_best : undefined;
      if (best !== 'language_consistency' || recipe.evaluation.language !== undefined) continue;
      const message =
        'expected evaluation.language to be set, as language_consistency is not measured without it';
      ctx.addIssue({ code: 'custom', path: ['stages', index, 'options', 'save_best'], message });
    }
    for (const [index, problem] of problemsOf(recipe)) {
      ctx.addIssue({ code: 'custom', path: ['stages', index, ...problem.path], message: problem.message });
    }
  });
export type Recipe = z.infer<typeof recipeSchema>;

/** The algorithm of each role, and where its stage starts without `from`. */
const roles: Record<StageRole, { algorithm: StageRecipe['algorithm']; from(name: string): string }> = {
  zero: { algorithm: 'grpo', from: () => 'base' },
  'cold-start-sft': { algorithm: 'sft', from: () => 'base' },
  'reasoning-rl': { algorithm: 'grpo', from: () => 'cold-start-sft' },
  // The paper's third stage starts from the base again.
  'rejection-sft': { algorithm: 'sft', from: () => 'base' },
  'reward-model': { algorithm: 'reward-model', from: () => 'base' },
  'scenario-rl': { algorithm: 'grpo', from: () => 'rejection-sft' },
  distill: { algorithm: 'sft', from: (name) => `student/${name}` },
  control: { algorithm: 'grpo', from: (name) => `student/${name}` },
};

/** Where a stage starts: `base`, `student/NAME` or an earlier stage. */
export function originOf({ stage: name, from }: Pick<StageRecipe, 'stage' | 'from'>): string {
  return from ?? roles[roleOf(name)].from(suffixOf(name) ?? '');
}

/** Stages that must be complete before this one can start. */
export const stagesNeeded = (recipe: StageRecipe): string[] => needsOf(recipe).map(({ stage }) => stage);

/** Needed stages with their purposes, and the keys of the recipe that name them. */
function needsOf(recipe: StageRecipe): StageNeed[] {
  const origin = originOf(recipe);
  const start: StageNeed = { stage: origin, as: 'start', path: recipe.from === undefined ? [] : ['from'] };
  return [
    ...(origin === 'base' || origin.startsWith('student/') ? [] : [start]),
    ...(recipe.algorithm === 'sft' ? recipe.data.flatMap(needsOfSource) : []),
    ...(recipe.algorithm === 'grpo' ? recipe.options.rewards.flatMap(needsOfReward) : []),
  ];
}

function needsOfSource(source: ExampleSource, index: number): StageNeed[] {
  if (source.source === 'sampled')
    return [{ stage: source.policy, as: 'sampler', path: ['data', index, 'policy'] }];
  return source.source === 'stage'
    ? [{ stage: source.stage, as: 'examples', path: ['data', index, 'stage'] }]
    : [];
}

function needsOfReward({ name }: { name: string }, index: number): StageNeed[] {
  const path = ['options', 'rewards', index, 'name'];
  return modelStageOf(name).map((stage) => ({ stage, as: 'reward', path }));
}

/** The stage that trains a reward's model; empty for rewards by rule. */
const modelStageOf = (reward: string): string[] => (isModelReward(reward) ? [`reward-model/${reward}`] : []);

/** Problems between stages; empty where a stage's name is invalid, since needs cannot be resolved then. */
function problemsOf({ stages, students }: Recipe): [number, StageProblem][] {
  if (!stages.every(({ stage }) => stageNameSchema.safeParse(stage).success)) return [];
  const outlines = stages.map((stage) => ({ ...stage, origin: originOf(stage), needs: needsOf(stage) }));
  return outlines.flatMap((outline, index) =>
    problemsOfStage(outline, {
      earlier: outlines.slice(0, index),
      algorithm: roles[roleOf(outline.stage)].algorithm,
      students: Object.keys(students),
    }).map((problem): [number, StageProblem] => [index, problem]),
  );
}
