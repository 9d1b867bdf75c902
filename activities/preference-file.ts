import { z } from 'zod';
import { Failure } from '../contracts/failures.ts';
import type { NewPreference, Preference } from '../stores/preferences.ts';
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
 * Preference pairs or safety labels, one JSON object a line. Rows that name no split: every so many-th is held out,
 * so that `heldOut` of them are. Throws Failure 'InvalidInput' naming file, line and field.
 */
export function preferencesIn(lines: LinesText, kind: Preference['kind'], heldOut: number): NewPreference[] {
  const every = Math.max(2, Math.round(1 / heldOut));
  const rows = rowsOfLines<z.ZodType<z.infer<(typeof rowSchemas)[typeof kind]>>>(lines, rowSchemas[kind]);
  return rows.map(({ row, line }, index) => {
    const placed = {
      ...row,
      kind,
      split: row.split ?? splitAt(index, every),
      source: lines.name,
      line,
    } as NewPreference;
    refuseEqualSides(placed);
    return placed;
  });
}

const splitAt = (index: number, every: number) => (index % every === every - 1 ? 'test' : 'train');

function refuseEqualSides(row: NewPreference): void {
  if (row.kind !== 'pair' || row.chosen !== row.rejected) return;
  throw new Failure(
    'InvalidInput',
    `${row.source} line ${row.line}: chosen and rejected: expected two different responses, found equal ones; ` +
      'nothing was imported: mend the file',
  );
}
