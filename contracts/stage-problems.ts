/** What does not hang together in a recipe's stages: each needs what an earlier one leaves. */
import { modelRewardNames } from './rewards.ts';
import { roleOf, stageNameSchema, suffixOf } from './stage-name.ts';

type Path = (string | number)[];

/** Why a stage needs another. */
type Purpose = 'start' | 'sampler' | 'examples' | 'reward';

/** An earlier stage that a stage needs, and the key that names it, counted from the stage. */
export interface StageNeed {
  stage: string;
  as: Purpose;
  path: Path;
}

export interface StageProblem {
  path: Path;
  message: string;
}

interface StageOutline {
  stage: string;
  algorithm: string;
  /** `base`, `student/NAME` or a stage */
  origin: string;
  needs: readonly StageNeed[];
}

interface Surroundings {
  earlier: readonly StageOutline[];
  /** what the stage's role is trained by */
  algorithm: string;
  /** names of the recipe's students */
  students: readonly string[];
}

/** By which algorithms a stage must be trained to serve a purpose, and what it then leaves. */
const SERVES: Record<Purpose, { leaves: string; algorithms: readonly string[] }> = {
  start: { leaves: 'a policy to begin with', algorithms: ['grpo', 'sft'] },
  sampler: { leaves: 'a policy that samples', algorithms: ['grpo', 'sft'] },
  examples: { leaves: 'a data set', algorithms: ['sft'] },
  reward: { leaves: 'a reward model', algorithms: ['reward-model'] },
};

/** Every problem of a stage among those before it. */
export function problemsOfStage(outline: StageOutline, surroundings: Surroundings): StageProblem[] {
  return [
    ...problemsOfName(outline, surroundings),
    ...problemsOfStudent(outline, surroundings),
    ...outline.needs.flatMap((need) => problemsOfNeed(outline.stage, need, surroundings.earlier)),
  ];
}

function problemsOfName(
  { stage, algorithm }: StageOutline,
  { earlier, algorithm: expected }: Surroundings,
): StageProblem[] {
  const problems: StageProblem[] = [];
  if (earlier.some((other) => other.stage === stage))
    problems.push({ path: ['stage'], message: `expected each stage once, found ${stage} again` });
  if (algorithm !== expected)
    problems.push({ path: ['algorithm'], message: `expected ${expected} for ${stage}, found ${algorithm}` });
  const models = modelRewardNames.map((name) => `reward-model/${name}`);
  if (roleOf(stage) === 'reward-model' && !models.includes(stage))
    problems.push({ path: ['stage'], message: `expected ${models.join(' or ')}, found ${stage}` });
  return problems;
}

function problemsOfStudent({ origin }: StageOutline, { students }: Surroundings): StageProblem[] {
  const student = origin.startsWith('student/') ? suffixOf(origin) : undefined;
  if (student === undefined || students.includes(student)) return [];
  const known = students.join(', ') || 'none';
  return [
    {
      path: ['from'],
      message: `expected a student named under \`students\` (${known}), found ${origin}`,
    },
  ];
}

function problemsOfNeed(
  stage: string,
  { stage: needed, as, path }: StageNeed,
  earlier: readonly StageOutline[],
): StageProblem[] {
  // Refused already as no stage's name.
  if (as !== 'start' && !stageNameSchema.safeParse(needed).success) return [];
  const { leaves, algorithms } = SERVES[as];
  const found = earlier.find((other) => other.stage === needed);
  if (found === undefined) {
    const before = earlier.map((other) => other.stage).join(', ') || 'none';
    return [
      {
        path,
        message: `${stage} needs ${leaves} from the stage ${needed} before it; found before it: ${before}`,
      },
    ];
  }
  if (algorithms.includes(found.algorithm)) return [];
  return [
    {
      path,
      message: `${stage} needs ${leaves} (a stage by ${algorithms.join(' or ')}), found ${needed}, trained by ${found.algorithm}`,
    },
  ];
}
