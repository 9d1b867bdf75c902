import { type OrdinalsByDomain, orderedOrdinals } from '../../../algorithm/rl/prompt-order.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { DomainWeights } from '../../../contracts/options.ts';
import type { RunPlan } from '../../../contracts/plan.ts';
import { ordinalsByDomain } from '../../../stores/data/prompts.ts';
import type { Database } from '../../../stores/database/database.ts';

/** A prompt set never changes, so each process reads it once. */
const known = new Map<string, Promise<OrdinalsByDomain>>();

/** Ordinals of the training prompts of one epoch under these weights. */
export async function trainOrdinals(
  database: Database,
  { promptSet, generalDomains }: Pick<RunPlan, 'promptSet' | 'generalDomains'>,
  weights: DomainWeights | null,
): Promise<number[]> {
  const reading = known.get(promptSet) ?? ordinalsByDomain(database, promptSet, 'train');
  known.set(promptSet, reading);
  reading.catch(() => known.delete(promptSet));
  const byDomain = await reading;
  const ordinals = orderedOrdinals(byDomain, weights, generalDomains);
  if (ordinals.length > 0) return ordinals;
  throw new Failure(
    'InvalidInput',
    `prompts: expected some of the domains ${Object.keys(weights ?? {}).join(', ') || 'without general ones'}, ` +
      `found the domains ${Object.keys(byDomain).join(', ')}; name others in the stage's curriculum or domain_weights`,
  );
}
