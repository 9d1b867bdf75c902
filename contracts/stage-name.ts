import { z } from 'zod';
import { nameSchema } from './reference.ts';

/** The roles of stages. A stage's name starts with its role: `zero`, `distill/STUDENT`. */
export const stageRoles = [
  'zero',
  'cold-start-sft',
  'reasoning-rl',
  'rejection-sft',
  'reward-model',
  'scenario-rl',
  'distill',
  'control',
] as const;
export type StageRole = (typeof stageRoles)[number];

/** Roles that a recipe may have several stages of; their names have a part after a slash. */
const severalOf: Partial<Record<StageRole, true>> = { 'reward-model': true, distill: true, control: true };

/** `reward-model/safety` → `reward-model`. */
export const roleOf = (stage: string) => stage.split('/', 1)[0] as StageRole;
/** `distill/small` → `small`; undefined for a name without a slash. */
export const suffixOf = (stage: string): string | undefined => stage.split('/')[1];

/** Roles outside of the main sequence of stages: their stages score R1, learn from it, or are compared with it. */
export const besideRoles: readonly StageRole[] = ['reward-model', 'distill', 'control'];

const known = stageRoles.map((role) => (severalOf[role] ? `${role}/NAME` : role));

/** A stage's name in recipes, rows, object keys and workflow ids. */
export const stageNameSchema = z
  .string()
  .refine(isStageName, { error: `expected one of ${known.join(', ')}`, params: { known } });

function isStageName(name: string): boolean {
  const [role = '', suffix, ...rest] = name.split('/');
  if (!stageRoles.some((known) => known === role) || rest.length > 0) return false;
  return severalOf[role as StageRole] ? nameSchema.safeParse(suffix).success : suffix === undefined;
}
