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
  /** where its policy starts: `base`, a student's name as `student/NAME`, or an earlier stage */
  from: path.optional(),
  /** what is watched for, where it differs from the run's; without it stages that do not train by GRPO watch nothing */
  alarms: alarmsSchema.default([]),
  /** minutes that it is thought to take: told with the plan and the report, never enforced */
  budget_minutes: z.number().gt(0).max(10_000_000).optional(),
};

/** A stage that trains by reinforcement (GRPO). */
const reinforcementStageSchema = z.strictObject({
  ...stage,
  algorithm: z.literal('grpo'),
  options: grpoSchema,
});

/** Rows that a generator makes at launch: to train on, held out, from which seed. */
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

/** A request is one object, and each of them a piece of the stage's history. */
function refuseLargeRequests(source: SampledSize, ctx: z.RefinementCtx): void {
  if (!isSoundByParts(ctx)) return;
  const { prompts, num_generations, prompts_per_request } = source;
  const refuse = (message: string) =>
    ctx.addIssue({ code: 'custom', path: ['prompts_per_request'], message });
  const perRequest = Math.min(prompts, prompts_per_request);
  if (perRequest * num_generations > MOST_SEQUENCES)
    refuse(`expected at most ${MOST_SEQUENCES} samples a request, found ${perRequest} × ${num_generations}`);
  const requests = Math.ceil(prompts / prompts_per_request);
  if (requests > MOST_REQUESTS)
    refuse(`expected at most ${MOST_REQUESTS} requests, found ${requests} (${prompts} prompts)`);
}

/** Where a supervised stage's examples come from. */
const exampleSourceSchema = z.discriminatedUnion('source', [
  /** completions of a policy, kept where the rule says so */
  z
    .strictObject({
      source: z.literal('sampled'),
      /** the stage whose last checkpoint samples */
      policy: stageNameSchema,
      /** prompts of the training split, the first so many of a walk of the stage's own */
      prompts: z.int().min(1).max(MOST_SAMPLED_PROMPTS),
      domain_weights: domainWeightsSchema.optional(),
      num_generations: generations,
      /** prompts that one call samples: a lost call is sampled again whole */
      prompts_per_request: promptCount.default(64),
      ...samplingSchema.shape,
    })
    .superRefine(refuseLargeRequests),
  /** rows of `problem` and `response`, written by hand; relative to the recipe's own folder */
  z.strictObject({ source: z.literal('jsonl'), path }),
  /** examples that `r1 import` kept: what the name means when the run is launched */
  z.strictObject({ source: z.literal('imported'), name: nameSchema }),
  /** what ships with the project: copy, reverse, look up */
  z.strictObject({
    source: z.literal('nano-general'),
    rows: z.int().min(1).max(MOST_MADE_ROWS),
    seed: seedNumber.default(0),
  }),
  /** the data set that another stage made */
  z.strictObject({ source: z.literal('stage'), stage: stageNameSchema }),
]);
export type ExampleSource = z.infer<typeof exampleSourceSchema>;

/** A stage that imitates examples. */
const supervisedStageSchema = z.strictObject({
  ...stage,
  algorithm: z.literal('sft'),
  options: sftSchema,
  data: z.array(exampleSourceSchema).min(1).max(MOST_LISTED),
  /** which samples are kept */
  keep: selectionRuleSchema.prefault({}),
});

/** Preferences to train a reward model on. */
const preferenceSourceSchema = z.discriminatedUnion('source', [
  /** rows of `prompt`, `chosen`, `rejected`, or of `prompt`, `response`, `safe` */
  z.strictObject({
    source: z.literal('jsonl'),
    path,
    /** share of the rows that is held out, where they name no `split` */
    held_out: properShare.default(0.1),
  }),
  /** pairs or labels that `r1 import` kept: what the name means when the run is launched */
  z.strictObject({
    source: z.literal('imported'),
    name: nameSchema,
    /** share of the rows that is held out */
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

/** Puzzles that ship with the project; each names the verifier of its answers too. */
export const puzzleNames = [
  'knights-knaves',
  'countdown',
  'puzzle24',
  'caesar-cipher',
  'zebra',
  'output-prediction',
] as const;
export type PuzzleName = (typeof puzzleNames)[number];

/** Where prompts come from: a JSONL file, what `r1 import` kept, or a generator that ships with the project. */
const promptSourceSchema = z.discriminatedUnion('source', [
  z.strictObject({
    source: z.literal('jsonl'),
    /** relative to the recipe's own folder */
    path,
    /** left out: the same file's rows with `split: test` */
    evaluation_path: path.optional(),
  }),
  /** what the name means when the run is launched */
  z.strictObject({ source: z.literal('imported'), name: nameSchema }),
  /** logic puzzles made from a seed; no held-out one is trained on, whatever seed and difficulty */
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
    /** operands are below this */
    limit: z.int().min(2).max(100).default(20),
    ...madeRows,
  }),
  /** copy, reverse, look up: domains `nano-copy`, `nano-reverse`, `nano-lookup` */
  z.strictObject({
    source: z.literal('nano-general'),
    ...madeRows,
  }),
]);
export type PromptSource = z.infer<typeof promptSourceSchema>;

/** A run's configuration as a person writes it (YAML). Unknown keys are refused. */
export const recipeSchema = z
  .strictObject({
    name: nameSchema,
    description: z.string().max(LONGEST_TEXT).default(''),
    seed: seedNumber,
    /** a Hugging Face folder, relative to the recipe's own folder, or the URI of a checkpoint in S3 */
    base: path,
    /** bases of the students, by name; each a Hugging Face folder with a tokenizer of its own */
    students: z.record(nameSchema, path).default({}),
    /** weights of `base` and of students by name: what a dry run reckons with where the models are not at hand */
    parameters: z.record(nameSchema, parameterCount).optional(),
    /** reasoning tasks */
    prompts: promptSourceSchema,
    /** tasks without reasoning: their domains are the general ones, left out of a walk that does not name them */
    general_prompts: promptSourceSchema.optional(),
    /** how a problem becomes a prompt: the tokenizer's chat template, or the text as it is */
    prompt_format: z.enum(['chat', 'text']).default('chat'),
    evaluation: evaluationSchema,
    /** what is watched for, where it differs from the defaults */
    alarms: alarmsSchema.default([]),
    /** whether reports set the paper's figures beside the run's; left out: where its prompts are the nano task's */
    compare_with_paper: z.boolean().optional(),
    stages: z.array(stageSchema).min(1).max(MOST_LISTED),
  })
  .superRefine((recipe, ctx) => {
    const all = recipe.stages.reduce((sum, { options }) => sum + Math.min(options.max_steps, MOST_STEPS), 0);
    if (all > MOST_STEPS_OF_A_RUN) {
      const message = `expected at most ${MOST_STEPS_OF_A_RUN} steps of all stages together, found ${all}`;
      ctx.addIssue({ code: 'custom', path: ['stages'], message });
    }
    for (const [index, problem] of problemsOf(recipe)) {
      ctx.addIssue({ code: 'custom', path: ['stages', index, ...problem.path], message: problem.message });
    }
  });
export type Recipe = z.infer<typeof recipeSchema>;

/** What a stage's role says of it: how it is trained, and where it starts unless `from` says otherwise. */
const roles: Record<StageRole, { algorithm: StageRecipe['algorithm']; from(name: string): string }> = {
  zero: { algorithm: 'grpo', from: () => 'base' },
  'cold-start-sft': { algorithm: 'sft', from: () => 'base' },
  'reasoning-rl': { algorithm: 'grpo', from: () => 'cold-start-sft' },
  // The paper's third stage starts anew from the base.
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

/** The same with their purposes, and the keys of the recipe that name them. */
function needsOf(recipe: StageRecipe): StageNeed[] {
  const origin = originOf(recipe);
  const start: StageNeed = { stage: origin, as: 'start', path: recipe.from === undefined ? [] : ['from'] };
  return [
    ...(origin === 'base' || origin.startsWith('student/') ? [] : [start]),
    ...(recipe.algorithm === 'sft' ? recipe.data.flatMap(needsOfSource) : []),
    ...(recipe.algorithm === 'grpo' ? recipe.options.rewards.flatMap(needsOfReward) : []),
  ];
}

function needsOfSource(source: ExampleSource, place: number): StageNeed[] {
  if (source.source === 'sampled')
    return [{ stage: source.policy, as: 'sampler', path: ['data', place, 'policy'] }];
  return source.source === 'stage'
    ? [{ stage: source.stage, as: 'examples', path: ['data', place, 'stage'] }]
    : [];
}

function needsOfReward({ name }: { name: string }, place: number): StageNeed[] {
  const path = ['options', 'rewards', place, 'name'];
  return modelStageOf(name).map((stage) => ({ stage, as: 'reward', path }));
}

/** The stage that trains the model which gives a reward; none for rewards by rule. */
const modelStageOf = (reward: string): string[] => (isModelReward(reward) ? [`reward-model/${reward}`] : []);

/** Where a stage has no name of a stage, what others need of it cannot be told. */
function problemsOf({ stages, students }: Recipe): [number, StageProblem][] {
  if (!stages.every(({ stage }) => stageNameSchema.safeParse(stage).success)) return [];
  const outlines = stages.map((stage) => ({ ...stage, origin: originOf(stage), needs: needsOf(stage) }));
  return outlines.flatMap((outline, place) =>
    problemsOfStage(outline, {
      earlier: outlines.slice(0, place),
      algorithm: roles[roleOf(outline.stage)].algorithm,
      students: Object.keys(students),
    }).map((problem): [number, StageProblem] => [place, problem]),
  );
}
