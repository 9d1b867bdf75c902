/** In which order a run's stages go: as the recipe lists them, but what does not hang together goes side by side. */
import { roleOf, type StageRole } from '../../contracts/stage-name.ts';

/** Stages that lie beside one another in the recipe and run at once, where neither needs the other. */
const sideBySide: readonly StageRole[] = ['reward-model', 'distill', 'control'];

interface OrderedStage {
  stage: string;
  needs: readonly string[];
}

/** Waves of stages: each wave begins when the one before it has ended. */
export function stageWaves<Stage extends OrderedStage>(stages: readonly Stage[]): Stage[][] {
  const waves: Stage[][] = [];
  for (const stage of stages) {
    const last = waves.at(-1);
    if (last?.every((other) => mayRunBeside(stage, other))) last.push(stage);
    else waves.push([stage]);
  }
  return waves;
}

function mayRunBeside(stage: OrderedStage, earlier: OrderedStage): boolean {
  const both = [stage, earlier].every((candidate) => sideBySide.includes(roleOf(candidate.stage)));
  return both && !stage.needs.includes(earlier.stage);
}
