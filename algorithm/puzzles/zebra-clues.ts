/** Zebra puzzles: houses in a row, each with one value of each attribute, and clues about them. */

/** A value of an attribute, `["drink", "tea"]`; which also means the house that has it. */
export type Thing = readonly [attribute: string, value: string];

/** Relations between houses, numbered from 1 on the left. */
const houseRelations = {
  same: (a: number, b: number) => a === b,
  different: (a: number, b: number) => a !== b,
  'next-to': (a: number, b: number) => Math.abs(a - b) === 1,
  'directly-left-of': (a: number, b: number) => a + 1 === b,
  'directly-right-of': (a: number, b: number) => a === b + 1,
  'left-of': (a: number, b: number) => a < b,
  'right-of': (a: number, b: number) => a > b,
};
export type HouseRelation = keyof typeof houseRelations;
export const houseRelationNames = Object.keys(houseRelations) as HouseRelation[];

export type Clue =
  | { relation: HouseRelation; a: Thing; b: Thing }
  | { relation: 'in-house' | 'not-in-house'; a: Thing; house: number };

/** The values of each attribute, one per house. */
export type Attributes = Readonly<Record<string, readonly string[]>>;

/** The house of each thing that `nameOf` names. */
export type Houses = ReadonlyMap<string, number>;
export const nameOf = ([attribute, value]: Thing) => `${attribute}\n${value}`;

/** Whether a clue is true in these houses. */
export function holds(clue: Clue, houseOf: (thing: Thing) => number): boolean {
  const a = houseOf(clue.a);
  if ('b' in clue) return houseRelations[clue.relation](a, houseOf(clue.b));
  return (a === clue.house) === (clue.relation === 'in-house');
}

/** The houses that each thing may still be in: bit h − 1 is house h. */
type Domains = Map<string, number>;

/** Solutions of all clues, at most `most` of them. */
export function solveHouses(attributes: Attributes, clues: readonly Clue[], most = 2): Houses[] {
  const size = Object.values(attributes)[0]?.length ?? 0;
  const groups = Object.entries(attributes).map(([name, values]) =>
    values.map((value) => nameOf([name, value])),
  );
  const start: Domains = new Map(groups.flat().map((thing) => [thing, 2 ** size - 1]));
  const found: Houses[] = [];
  const search = (before: Domains): void => {
    const domains = propagate(before, groups, clues, size);
    if (domains === null || found.length >= most) return;
    const open = [...domains].filter(([, houses]) => bits(houses) > 1);
    const [next] = open.sort(([, a], [, b]) => bits(a) - bits(b));
    if (next === undefined) {
      found.push(new Map([...domains].map(([thing, houses]) => [thing, Math.log2(houses) + 1])));
      return;
    }
    const [thing, houses] = next;
    for (const house of housesIn(houses, size)) search(new Map(domains).set(thing, 1 << (house - 1)));
  };
  search(start);
  return found;
}

/** Removes what clues and the other values of an attribute exclude, until nothing changes; null: there is no solution. */
function propagate(
  before: Domains,
  groups: readonly (readonly string[])[],
  clues: readonly Clue[],
  size: number,
): Domains | null {
  const domains = new Map(before);
  for (let left = Number.POSITIVE_INFINITY; ; ) {
    for (const clue of clues) narrow(domains, clue, size);
    for (const group of groups) exclude(domains, group, size);
    let possible = 0;
    for (const houses of domains.values()) {
      if (houses === 0) return null;
      possible += bits(houses);
    }
    if (possible === left) return domains;
    left = possible;
  }
}

function narrow(domains: Domains, clue: Clue, size: number): void {
  const a = nameOf(clue.a);
  if (!('b' in clue)) {
    const bit = 1 << (clue.house - 1);
    const before = domains.get(a) ?? 0;
    domains.set(a, clue.relation === 'in-house' ? before & bit : before & ~bit);
    return;
  }
  const b = nameOf(clue.b);
  const fits = houseRelations[clue.relation];
  const [inA, inB] = [housesIn(domains.get(a) ?? 0, size), housesIn(domains.get(b) ?? 0, size)];
  domains.set(a, maskOf(inA.filter((house) => inB.some((other) => fits(house, other)))));
  domains.set(b, maskOf(inB.filter((other) => inA.some((house) => fits(house, other)))));
}

/** A known house is excluded for the other values; a house that only one value can be in is its house. */
function exclude(domains: Domains, group: readonly string[], size: number): void {
  for (const thing of group) {
    const own = domains.get(thing) ?? 0;
    if (bits(own) !== 1) continue;
    for (const other of group) if (other !== thing) domains.set(other, (domains.get(other) ?? 0) & ~own);
  }
  for (let house = 1; house <= size; house++) {
    const bit = 1 << (house - 1);
    const able = group.filter((thing) => ((domains.get(thing) ?? 0) & bit) !== 0);
    const [only] = able;
    if (only === undefined) domains.set(group[0] ?? '', 0);
    else if (able.length === 1) domains.set(only, bit);
  }
}

function housesIn(mask: number, size: number): number[] {
  return Array.from({ length: size }, (_, index) => index + 1).filter(
    (house) => (mask & (1 << (house - 1))) !== 0,
  );
}

const maskOf = (houses: readonly number[]) => houses.reduce((mask, house) => mask | (1 << (house - 1)), 0);

function bits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}
