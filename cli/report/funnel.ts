/** How many samples are left after each rule that refused some, and what the data set has in the end. */
import { rejectionReasons } from '../../contracts/datasets.ts';
import type { Bar } from './chart.ts';
import type { StageFunnel } from './report-data.ts';

/** Rules before which a sample is not yet called correct. */
const BEFORE_CORRECT: ReadonlySet<string> = new Set(['error', 'incorrect']);

/** `sampled`, `correct`, then one bar a rule, `kept`, and what joined. */
export function funnelBars({ counts, rows }: StageFunnel): Bar[] {
  const bars: Bar[] = [
    { name: 'sampled', value: counts.sampled, kind: 'left' },
    { name: 'correct', value: counts.correct, kind: 'left' },
  ];
  for (const reason of rejectionReasons) {
    const refused = counts.rejected[reason] ?? 0;
    if (refused > 0 && !BEFORE_CORRECT.has(reason))
      bars.push({ name: `refused: ${reason}`, value: refused, kind: 'refused' });
  }
  bars.push({ name: 'kept', value: counts.kept, kind: 'left' });
  const joined = (rows ?? counts.kept) - counts.kept;
  if (joined > 0) bars.push({ name: 'joined from elsewhere', value: joined, kind: 'joined' });
  return bars;
}
