/** A command for a stage that is paused or parked. */
interface NextCommand {
  command: string;
  does: string;
}

/** Shown in the UI's details, by `r1 show`, `r1 watch` and `r1 why`. */
const COMMANDS: Record<'paused' | 'parked', (run: string) => NextCommand[]> = {
  paused: (run) => [
    { command: `r1 resume ${run}`, does: 'continues it' },
    { command: `r1 resume ${run} --from STEP`, does: 'continues after an earlier step, on a new branch' },
    { command: `r1 abort ${run}`, does: 'ends it' },
  ],
  parked: (run) => [
    { command: `r1 retry ${run}`, does: 'retries after the last recorded step, once the cause is fixed' },
    {
      command: `r1 resume ${run} --from STEP`,
      does: 'continues after an earlier step or checkpoint, on a new branch',
    },
    { command: `r1 abort ${run}`, does: 'ends it' },
  ],
};

/** The commands for a stage with this status; none where it is neither paused nor parked. */
export function nextCommands(status: string, run: string): NextCommand[] {
  return status === 'paused' || status === 'parked' ? COMMANDS[status](run) : [];
}

/** `r1 retry RUN` retries …; `r1 abort RUN` ends it. */
export function commandsText(commands: readonly NextCommand[]): string {
  return `${commands.map(({ command, does }) => `\`${command}\` ${does}`).join('; ')}.`;
}
