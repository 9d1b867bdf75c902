import { hasLoneSurrogate } from '../text-file.ts';
import { RefusedRow, type Row } from './layout.ts';

/** What no store can hold as it stands, where a text has it. */
function faultOf(text: string): string | null {
  if (text.includes('\0')) return 'a NUL character, which PostgreSQL cannot hold';
  return hasLoneSurrogate(text)
    ? 'half of a surrogate pair (\\ud800 … \\udfff), which is no character'
    : null;
}

function faultIn(value: unknown): string | null {
  if (typeof value === 'string') return faultOf(value);
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, each] of Object.entries(value)) {
    const fault = faultOf(key) ?? faultIn(each);
    if (fault !== null) return fault;
  }
  return null;
}

/** Refuses a row of whose text characters would be lost, naming its own field; null where there is none. */
export function brokenField(item: object, row: Row): RefusedRow | null {
  const fault = faultIn(item);
  if (fault === null) return null;
  const field = Object.keys(row).find((each) => faultIn(row[each]) !== null) ?? '';
  return new RefusedRow(field, `expected text of whole characters, found ${fault}`);
}
