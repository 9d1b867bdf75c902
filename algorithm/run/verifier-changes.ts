import type { VerifierChange, VerifierVersions } from '../../contracts/activities.ts';

/**
 * Where the verifiers of rewards changed, given who judged what in the order of the steps. A reward that was not
 * asked in between is compared with the version that judged it last.
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
