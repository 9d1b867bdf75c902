/**
 * When a call of a trainer is lost: it has made no progress for three times the longest gap seen in that phase, and for
 * a minute at least; before the first gap of a phase is known, for ten minutes. Pure: the caller looks at the call every
 * second or so, and has a clock.
 */

export interface ProgressLimits {
  /** the least limit, ms */
  floor: number;
  /** of the longest gap seen in the phase */
  factor: number;
  /** before a gap of the phase is known, ms */
  first: number;
  /**
   * the most that the time between two looks counts, ms. Between later looks the whole process did not run: it was
   * stopped, or the machine suspended, which says nothing about the call
   */
  longestLook: number;
}

export const PROGRESS_LIMITS: ProgressLimits = {
  floor: 60_000,
  factor: 3,
  first: 600_000,
  longestLook: 5_000,
};

/** The longest gap seen in each phase, ms. It is kept from call to call. */
export type LongestGaps = Readonly<Record<string, number>>;

/** What a look at a call sees. Any change of the three is progress. */
export interface Progress {
  phase: string;
  done: number;
  tokens: number;
}

/** A call between two looks. */
export interface WatchedCall {
  /** time of the last look, ms */
  at: number;
  /** null: the call waits, for its turn or for a server that has time-outs of its own */
  seen: Progress | null;
  /** counted time without progress, ms */
  without: number;
}

export const callBegins = (now: number): WatchedCall => ({ at: now, seen: null, without: 0 });

/** How long a call may be without progress in this phase, ms. */
export function progressLimit(phase: string, gaps: LongestGaps, limits = PROGRESS_LIMITS): number {
  const longest = gaps[phase];
  return longest === undefined ? limits.first : Math.max(limits.floor, limits.factor * longest);
}

/** The call and the gaps after a look; `lost`: it has made no progress for too long. */
export function lookAt(
  { at, seen: before, without }: WatchedCall,
  gaps: LongestGaps,
  { now, seen }: { now: number; seen: Progress | null },
  limits = PROGRESS_LIMITS,
): { call: WatchedCall; gaps: LongestGaps; lost: boolean } {
  const gap = without + Math.min(Math.max(0, now - at), limits.longestLook);
  if (before === null || seen === null) return { call: { at: now, seen, without: 0 }, gaps, lost: false };
  if (isSame(before, seen)) {
    const lost = gap >= progressLimit(seen.phase, gaps, limits);
    return { call: { at: now, seen, without: gap }, gaps, lost };
  }
  const longest = Math.max(gaps[before.phase] ?? 0, gap);
  return { call: { at: now, seen, without: 0 }, gaps: { ...gaps, [before.phase]: longest }, lost: false };
}

const isSame = (a: Progress, b: Progress) =>
  a.phase === b.phase && a.done === b.done && a.tokens === b.tokens;
