/** What an operator can do with a stage that rests. */
interface Way {
  command: string;
  does: string;
}

/** Told in the UI's details, by `r1 show`, `r1 watch` and `r1 why`. */
const WAYS: Record<'paused' | 'parked', (run: string) => Way[]> = {
  paused: (run) => [
    { command: `r1 resume ${run}`, does: 'goes on' },
    { command: `r1 resume ${run} --from STEP`, does: 'goes on after an earlier step, on a new branch' },
    { command: `r1 abort ${run}`, does: 'ends it' },
  ],
  parked: (run) => [
    { command: `r1 retry ${run}`, does: 'tries again from where the rows end, once the cause is mended' },
    {
      command: `r1 resume ${run} --from STEP`,
      does: 'goes on after an earlier step or checkpoint, on a new branch',
    },
    { command: `r1 abort ${run}`, does: 'ends it' },
  ],
};

/** The ways on for a stage with this status; none where it does not rest. */
export function waysOn(status: string, run: string): Way[] {
  return status === 'paused' || status === 'parked' ? WAYS[status](run) : [];
}

/** `r1 retry RUN` tries again …; `r1 abort RUN` ends it. */
export function waysText(ways: readonly Way[]): string {
  return `${ways.map(({ command, does }) => `\`${command}\` ${does}`).join('; ')}.`;
}
