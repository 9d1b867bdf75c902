import { originOf, type Recipe, type StageRecipe, stagesNeeded } from '../../contracts/recipe.ts';

/** A stage that a checkpoint owes something to. */
export interface CardStage {
  stage: string;
  algorithm: StageRecipe['algorithm'];
  /** `base`, `student/NAME` or an earlier stage */
  from: string;
  /** planned */
  steps: number;
  /** whether its weights became this checkpoint's; the others gave samples or rewards */
  ownLine: boolean;
}

/** The stage itself and all that it needs, however indirectly, in the recipe's order. */
export function stagesBehind({ stages }: Recipe, stage: string): CardStage[] {
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
