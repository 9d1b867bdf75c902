/**
 * The paper's figures, beside which a run's own are set (DeepSeek-R1, arXiv 2501.12948v2: results by stage, and
 * distillation against reinforcement for a 32B base). Percent; null: not published.
 */
import type { Recipe } from '../../contracts/recipe.ts';
import type { StageRole } from '../../contracts/stage-name.ts';

/** Whether a run's reports set the paper's figures beside its own: those of somebody's own model have nothing to do with them. */
export const comparesWithPaper = ({
  compare_with_paper,
  prompts,
}: Pick<Recipe, 'compare_with_paper' | 'prompts'>): boolean =>
  compare_with_paper ?? prompts.source === 'nano-sums';

export interface PaperFigures {
  /** AIME 2024, pass@1 */
  aime: number;
  math500: number | null;
  ifEval: number | null;
}

export const paperBase: PaperFigures = { aime: 15.6, math500: null, ifEval: null };

/** Of students the 32B one: the size at which the paper has a control. A reward model has none. */
export const paperFigures: Partial<Record<StageRole, PaperFigures>> = {
  zero: { aime: 77.9, math500: 95.9, ifEval: 46.6 },
  'cold-start-sft': { aime: 59.0, math500: null, ifEval: 71.7 },
  'reasoning-rl': { aime: 74.0, math500: null, ifEval: 72.0 },
  'rejection-sft': { aime: 78.1, math500: null, ifEval: 78.1 },
  'scenario-rl': { aime: 79.8, math500: 97.3, ifEval: 83.3 },
  distill: { aime: 72.6, math500: 94.3, ifEval: null },
  control: { aime: 47.0, math500: 91.6, ifEval: null },
};
