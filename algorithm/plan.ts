/**
 * What a stage will do, counted before it starts. Drops and dynamic sampling are not foreseen: a stage
 * without them does exactly this much.
 */
import type { EvaluationOptions, GrpoOptions } from '../contracts/options.ts';
import { type MilestoneOptions, milestonesAt } from './milestones.ts';

export type PlanOptions = MilestoneOptions &
  Pick<
    GrpoOptions,
    | 'prompts_per_step'
    | 'num_generations'
    | 'steps_per_generation'
    | 'num_iterations'
    | 'max_completion_length'
    | 'dynamic_sampling'
    | 'dynamic_sampling_max_rounds'
  >;

export interface StageCounts {
  steps: number;
  /** The last may be meant for more steps than are left. */
  rollouts: number;
  promptsPerRollout: number;
  completionsPerRollout: number;
  /** Completions that one step trains on. */
  completionsPerStep: number;
  prompts: number;
  completions: number;
  /** The same if dynamic sampling used every round at its largest. */
  mostCompletions: number;
  /** Walks over the training prompts, whole and in part; null where their number is not known. */
  passes: number | null;
  checkpoints: number;
  fullEvaluations: number;
  quickEvaluations: number;
  /** Answers sampled by all evaluations. */
  evaluationCompletions: number;
  referenceRefreshes: number;
  /** Upper bound of the tokens sampled for training, at `max_completion_length` a completion. */
  mostTokens: number;
}

type QuickAndFull = Pick<EvaluationOptions, 'problems' | 'k' | 'quick_problems' | 'quick_k'>;

/** The counts of a stage; `trainingPrompts` is the data set's size, where it is known. */
export function countStage(
  options: PlanOptions,
  evaluation: QuickAndFull,
  trainingPrompts: number | null = null,
): StageCounts {
  const stepsPerRollout = options.steps_per_generation * options.num_iterations;
  const rollouts = Math.ceil(options.max_steps / stepsPerRollout);
  const promptsPerRollout = options.prompts_per_step * options.steps_per_generation;
  const completionsPerStep = options.prompts_per_step * options.num_generations;
  const completions = rollouts * promptsPerRollout * options.num_generations;
  const rounds = options.dynamic_sampling ? 1 + options.dynamic_sampling_max_rounds : 1;
  return {
    steps: options.max_steps,
    rollouts,
    promptsPerRollout,
    completionsPerRollout: promptsPerRollout * options.num_generations,
    completionsPerStep,
    prompts: rollouts * promptsPerRollout,
    completions,
    mostCompletions: completions * rounds,
    passes: trainingPrompts === null ? null : (rollouts * promptsPerRollout) / trainingPrompts,
    ...countMilestones(options, evaluation),
    mostTokens: completions * rounds * options.max_completion_length,
  };
}

type MilestoneCounts = Pick<
  StageCounts,
  'checkpoints' | 'fullEvaluations' | 'quickEvaluations' | 'evaluationCompletions' | 'referenceRefreshes'
>;

function countMilestones(options: MilestoneOptions, evaluation: QuickAndFull): MilestoneCounts {
  const milestones = Array.from({ length: options.max_steps + 1 }, (_, step) => milestonesAt(step, options));
  const fullEvaluations = milestones.filter(({ evaluate }) => evaluate === 'full').length;
  const quickEvaluations = milestones.filter(({ evaluate }) => evaluate === 'quick').length;
  return {
    checkpoints: milestones.filter(({ save }) => save).length,
    fullEvaluations,
    quickEvaluations,
    evaluationCompletions:
      fullEvaluations * evaluation.problems * evaluation.k +
      quickEvaluations * evaluation.quick_problems * evaluation.quick_k,
    referenceRefreshes: milestones.filter(({ refreshReference }) => refreshReference).length,
  };
}
