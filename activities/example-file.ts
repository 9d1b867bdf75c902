import { z } from 'zod';
import type { NewExample } from '../contracts/datasets.ts';
import { readJsonLines } from './json-lines.ts';

const exampleRowSchema = z.object({
  problem: z.string().trim().min(1),
  response: z.string().min(1),
  domain: z.string().trim().min(1).default('hand-written'),
});

/** Hand-written examples, one JSON object a line. Throws Failure 'InvalidInput' naming file, line and field. */
export async function readExampleFile(path: string): Promise<NewExample[]> {
  const rows = await readJsonLines(path, exampleRowSchema);
  return rows.map(({ row, line }) => ({ ...row, source: path, line }));
}
