/** A command for a stage that is paused or parked. */
interface NextCommand {
  command: string;
  does: string;
}

/** Shown in the UI's details, by `r1 show`, `r1 watch` and `r1 why`. */
const COMMANDS: Record<'paused' | 'parked', (run: string) => NextCommand[]> = {
  paused: (run) => [
    { command: `r1 resume ${run}`, does: 'goes on' },
    { command: `r1 resume ${run} --from STEP`, does: 'goes on after an earlier step, on a new branch' },
    { command: `r1 abort ${run}`, does: 'ends it' },
  ],
  parked: (run) => [
    { command: `r1 retry ${run}`, does: 'tries again after the last recorded step, once the cause is fixed' },
    {
      command: `r1 resume ${run} --from STEP`,
      does: 'goes on after an earlier step or checkpoint, on a new branch',
    },
    { command: `r1 abort ${run}`, does: 'ends it' },
  ],
};

/** The commands for a stage with this status; none where it is neither paused nor parked. */
export function waysOn(status: string, run: string): NextCommand[] {
  return status === 'paused' || status === 'parked' ? COMMANDS[status](run) : [];
}

/** `r1 retry RUN` tries again …; `r1 abort RUN` ends it. */
export function waysText(ways: readonly NextCommand[]): string {
  return `${ways.map(({ command, does }) => `\`${command}\` ${does}`).join('; ')}.`;
}
