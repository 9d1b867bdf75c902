import type { VerifierChange, VerifierVersions } from '../../contracts/activities.ts';

/**
 * The steps at which verifiers of rewards changed, from the versions that scored each step, in their order. A reward
 * that was not used for some steps is compared with its last version before them.
 */
export function verifierChanges(
  judged: readonly { step: number; verifiers: VerifierVersions }[],
): VerifierChange[] {
  const last = new Map<string, number>();
  const changes: VerifierChange[] = [];
  for (const { step, verifiers } of judged) {
    const changed = Object.entries(verifiers).filter(
      ([name, version]) => last.has(name) && last.get(name) !== version,
    );
    if (changed.length > 0)
      changes.push({
        step,
        before: Object.fromEntries(changed.map(([name]) => [name, last.get(name) ?? 0])),
        after: Object.fromEntries(changed),
      });
    for (const [name, version] of Object.entries(verifiers)) last.set(name, version);
  }
  return changes;
}

/** `accuracy version 2 → 3, format version 1 → 2` */
export const verifierChangeText = ({ before, after }: Omit<VerifierChange, 'step'>): string =>
  Object.keys(after)
    .sort()
    .map((name) => `${name} version ${before[name]} → ${after[name]}`)
    .join(', ');
