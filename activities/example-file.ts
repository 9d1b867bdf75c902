import { z } from 'zod';
import type { NewExample } from '../contracts/datasets.ts';
import { type LinesText, rowsOfLines } from './json-lines.ts';

const exampleRowSchema = z.object({
  problem: z.string().trim().min(1),
  response: z.string().min(1),
  domain: z.string().trim().min(1).default('hand-written'),
});

/** Hand-written examples, one JSON object a line. Throws Failure 'InvalidInput' naming file, line and field. */
export function examplesIn(lines: LinesText): NewExample[] {
  const rows = rowsOfLines(lines, exampleRowSchema);
  return rows.map(({ row, line }) => ({ ...row, source: lines.name, line }));
}
