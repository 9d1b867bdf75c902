/** The order of a run's stages: that of the recipe, but independent stages run in parallel. */
import { roleOf, type StageRole } from '../../contracts/stage-name.ts';

/** Roles of stages that may run in parallel where they follow one another in the recipe and neither needs the other. */
const parallelRoles: readonly StageRole[] = ['reward-model', 'distill', 'control'];

interface OrderedStage {
  stage: string;
  needs: readonly string[];
}

/** Waves of stages: each wave begins when the one before it has ended. */
export function stageWaves<Stage extends OrderedStage>(stages: readonly Stage[]): Stage[][] {
  const waves: Stage[][] = [];
  for (const stage of stages) {
    const last = waves.at(-1);
    if (last?.every((other) => mayRunInParallel(stage, other))) last.push(stage);
    else waves.push([stage]);
  }
  return waves;
}

function mayRunInParallel(stage: OrderedStage, earlier: OrderedStage): boolean {
  const both = [stage, earlier].every((candidate) => parallelRoles.includes(roleOf(candidate.stage)));
  return both && !stage.needs.includes(earlier.stage);
}
