/** Checks that each stage of a recipe gets what it needs from an earlier stage. */
import { modelRewardNames } from './rewards.ts';
import { roleOf, stageNameSchema, suffixOf } from './stage-name.ts';

type Path = (string | number)[];

/** What a stage needs another one for. */
type Purpose = 'start' | 'sampler' | 'examples' | 'reward';

/** An earlier stage that a stage needs; `path`: the key within the stage that names it. */
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

interface StageContext {
  earlier: readonly StageOutline[];
  /** the algorithm of the stage's role */
  algorithm: string;
  /** names of the recipe's students */
  students: readonly string[];
}

/** The algorithms of stages that can serve a purpose, and the result that is used. */
const SERVES: Record<Purpose, { gives: string; algorithms: readonly string[] }> = {
  start: { gives: 'a policy to start from', algorithms: ['grpo', 'sft'] },
  sampler: { gives: 'a policy that samples', algorithms: ['grpo', 'sft'] },
  examples: { gives: 'a data set', algorithms: ['sft'] },
  reward: { gives: 'a reward model', algorithms: ['reward-model'] },
};

/** All problems of a stage, given the stages before it. */
export function problemsOfStage(outline: StageOutline, context: StageContext): StageProblem[] {
  return [
    ...problemsOfName(outline, context),
    ...problemsOfStudent(outline, context),
    ...outline.needs.flatMap((need) => problemsOfNeed(outline.stage, need, context.earlier)),
  ];
}

function problemsOfName(
  { stage, algorithm }: StageOutline,
  { earlier, algorithm: expected }: StageContext,
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

function problemsOfStudent({ origin }: StageOutline, { students }: StageContext): StageProblem[] {
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
  // The schema has reported this invalid name already.
  if (as !== 'start' && !stageNameSchema.safeParse(needed).success) return [];
  const { gives, algorithms } = SERVES[as];
  const found = earlier.find((other) => other.stage === needed);
  if (found === undefined) {
    const before = earlier.map((other) => other.stage).join(', ') || 'none';
    return [
      {
        path,
        message: `${stage} needs ${gives} from the stage ${needed} before it; found before it: ${before}`,
      },
    ];
  }
  if (algorithms.includes(found.algorithm)) return [];
  return [
    {
      path,
      message: `${stage} needs ${gives} (a stage by ${algorithms.join(' or ')}), found ${needed}, trained by ${found.algorithm}`,
    },
  ];
}
