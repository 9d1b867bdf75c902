import { z } from 'zod';
import { type Clue, holds, houseRelationNames, type Thing } from '../../algorithm/puzzles/zebra-clues.ts';
import { finalText } from '../chain-of-thought.ts';
import { defineVerifier } from '../verifier.ts';
import { parseLiteral } from './literal.ts';

const thing = z.tuple([z.string(), z.string()]);
const relation = z.enum(houseRelationNames);

const clue = z.union([
  z.object({ relation, a: thing, b: thing }),
  z.object({ relation: z.literal('in-house'), a: thing, house: z.int().min(1) }),
  z.object({ relation: z.literal('not-in-house'), a: thing, house: z.int().min(1) }),
]);

const truth = z
  .looseObject({
    /** the values of each attribute, one per house */
    attributes: z.record(z.string(), z.array(z.string()).min(1).max(20)),
    clues: z.array(clue),
  })
  .refine(({ attributes }) => new Set(Object.values(attributes).map((values) => values.length)).size === 1, {
    message: 'expected the same number of values for each attribute',
  })
  .refine(({ attributes, clues }) => clues.every((each) => thingsOf(each).every(isIn(attributes))), {
    message: 'expected every clue to name values of the attributes',
  });
type Truth = z.infer<typeof truth>;

function thingsOf(each: Clue): Thing[] {
  return 'b' in each ? [each.a, each.b] : [each.a];
}

function isIn(attributes: Record<string, string[]>) {
  return ([name, value]: Thing) =>
    Object.hasOwn(attributes, name) && attributes[name]?.includes(value) === true;
}

/**
 * 1 where the final answer is a table of all houses that assigns each value to one house and satisfies every clue;
 * any such table is right. It is a list of objects, one per house from the left, or an object of lists, one per
 * attribute.
 */
export const zebra = defineVerifier<Truth>({
  name: 'zebra',
  version: 1,
  truth,
  grade({ attributes, clues }, response) {
    const text = finalText(response);
    const houses = text === null ? null : housesIn(text, attributes);
    const right =
      houses !== null && clues.every((each) => holds(each, (thing) => houses.get(keyOf(...thing)) ?? 0));
    return { score: right ? 1 : 0, extracted: text };
  },
});

/** The house of each value, by attribute and value in lower case. */
type Houses = Map<string, number>;

const keyOf = (name: string, value: string) => `${name}\n${value}`.trim().toLowerCase();

function housesIn(text: string, attributes: Truth['attributes']): Houses | null {
  const json = text.replace(/^```\w*\s|\s?```$/g, '');
  const table = tableOf(parseLiteral(json), Object.keys(attributes));
  if (table === null) return null;
  const houses: Houses = new Map();
  for (const [name, values] of Object.entries(attributes)) {
    const column = table.map((row) => row[name]?.trim().toLowerCase());
    for (const value of values) {
      const index = column.indexOf(value.trim().toLowerCase());
      if (index < 0) return null;
      houses.set(keyOf(name, value), index + 1);
    }
    if (column.length !== values.length) return null;
  }
  return houses;
}

type Row = Record<string, string>;
const rows = z.array(z.record(z.string(), z.coerce.string()));
const columns = z.record(z.string(), z.array(z.coerce.string()));

function tableOf(value: unknown, names: readonly string[]): Row[] | null {
  const byHouse = rows.safeParse(value);
  if (byHouse.success) return byHouse.data;
  const byAttribute = columns.safeParse(value);
  if (!byAttribute.success) return null;
  const length = Math.max(0, ...names.map((name) => byAttribute.data[name]?.length ?? 0));
  return Array.from({ length }, (_, house) =>
    Object.fromEntries(names.map((name) => [name, byAttribute.data[name]?.[house] ?? ''])),
  );
}
