/** What one statement holds at most: rows, and characters of their texts. */
const MOST_ROWS = 2_000;
const MOST_CHARACTERS = 2 ** 22;

/**
 * Rows in the batches in which they are written. Bounded in both, so that making a statement takes a moment: a
 * transaction that waits for its next statement for long is ended by the server.
 */
export function batchesOf<Row>(rows: readonly Row[], charactersOf: (row: Row) => number): Row[][] {
  const batches: Row[][] = [];
  let room = 0;
  for (const row of rows) {
    const characters = charactersOf(row);
    const last = batches.at(-1);
    if (last === undefined || last.length === MOST_ROWS || characters > room) {
      batches.push([row]);
      room = MOST_CHARACTERS - characters;
    } else {
      last.push(row);
      room -= characters;
    }
  }
  return batches;
}
