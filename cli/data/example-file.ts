import { z } from 'zod';
import type { NewExample } from '../../contracts/datasets.ts';
import { Failure } from '../../contracts/failures.ts';
import { RefusedRow, type Row } from './import/layout.ts';
import { reasoningIn, withThinking } from './import/reasoning.ts';
import { splitOfRow } from './import/splits.ts';
import { type LinesText, rowsOfLines } from './json-lines.ts';

const exampleRowSchema = z.looseObject({
  problem: z.string().trim().min(1),
  response: z.string().min(1),
  domain: z.string().trim().min(1).default('hand-written'),
});

/**
 * Hand-written examples, one JSON object a line; reasoning beside the response is its thinking. Throws Failure
 * 'InvalidInput' naming file, line and field, also of a row that is held out.
 */
export function examplesIn(lines: LinesText): NewExample[] {
  return rowsOfLines(lines, exampleRowSchema).map(({ row, line }) => {
    const { problem, response, domain, ...beside } = row;
    try {
      refuseHeldOut(beside);
      const thought = withThinking(response, reasoningIn(beside));
      return { problem, response: thought, domain, source: lines.name, line };
    } catch (error) {
      if (!(error instanceof RefusedRow)) throw error;
      throw new Failure(
        'InvalidInput',
        `${lines.name} line ${line}: ${error.field}: ${error.message}; nothing was imported: mend the file`,
      );
    }
  });
}

/** Examples are all learned from. */
function refuseHeldOut(row: Row): void {
  if (splitOfRow(row) === 'test')
    throw new RefusedRow('split', 'expected an example to learn from, found one that is held out');
}
