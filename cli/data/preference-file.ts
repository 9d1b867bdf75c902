import { z } from 'zod';
import { scoredText } from '../../algorithm/data/scored-text.ts';
import { Failure } from '../../contracts/failures.ts';
import {
  checkPreferences,
  type NewPreference,
  type Preference,
  splitOfPrompt,
} from '../../stores/data/preferences.ts';
import { type LinesText, rowsOfLines } from './json-lines.ts';

const split = z.enum(['train', 'test']).optional();

const rowSchemas = {
  pair: z.object({ prompt: z.string().trim().min(1), chosen: z.string(), rejected: z.string(), split }),
  label: z.object({
    prompt: z.string().trim().min(1),
    response: z.string().min(1),
    safe: z.boolean(),
    split,
  }),
};

/**
 * Preference pairs or safety labels, one JSON object a line. Of rows that name no split, about `heldOut` of the
 * prompts are held out. Throws Failure 'InvalidInput' naming file, line and field, or the split that lacks rows.
 */
export function preferencesIn(lines: LinesText, kind: Preference['kind'], heldOut: number): NewPreference[] {
  const rows = rowsOfLines<z.ZodType<z.infer<(typeof rowSchemas)[typeof kind]>>>(lines, rowSchemas[kind]);
  const preferences = rows.map(({ row, line }) => {
    const split = row.split ?? splitOfPrompt(row.prompt, heldOut);
    return { ...row, kind, split, source: lines.name, line } as NewPreference;
  });
  for (const row of preferences) refuseEqualSides(row);
  checkPreferences(preferences);
  return preferences;
}

/** Only what follows the thinking is scored of a pair: two sides that differ before it alone teach nothing. */
function refuseEqualSides(row: NewPreference): void {
  if (row.kind !== 'pair') return;
  const [chosen, rejected] = [row.chosen, row.rejected].map((side) =>
    scoredText('helpfulness', side, { prefilled: false }),
  );
  if (chosen !== rejected) return;
  const found = row.chosen === row.rejected ? 'equal ones' : 'ones that differ in their thinking alone';
  throw new Failure(
    'InvalidInput',
    `${row.source} line ${row.line}: chosen and rejected: expected two different responses, found ${found}; ` +
      'nothing was imported: mend the file',
  );
}
