import type { Draws } from '../random/draws.ts';
import type { Difficulty, PuzzleGenerator } from './generate.ts';
import {
  type Attributes,
  type Clue,
  type HouseRelation,
  holds,
  houseRelationNames,
  solveHouses,
  type Thing,
} from './zebra-clues.ts';

interface Shape {
  houses: number;
  attributes: number;
  /** harder relations give less information */
  relations: readonly (HouseRelation | 'in-house' | 'not-in-house')[];
  /** clues that are not needed but kept */
  spare: number;
}

const shapes: Record<Difficulty, Shape> = {
  1: { houses: 3, attributes: 2, relations: ['same', 'directly-left-of', 'in-house'], spare: 1 },
  2: { houses: 3, attributes: 3, relations: ['same', 'directly-left-of', 'next-to', 'in-house'], spare: 1 },
  3: {
    houses: 4,
    attributes: 3,
    relations: ['same', 'next-to', 'directly-right-of', 'not-in-house'],
    spare: 0,
  },
  4: { houses: 4, attributes: 4, relations: ['same', 'next-to', 'left-of', 'not-in-house'], spare: 0 },
  5: {
    houses: 5,
    attributes: 5,
    relations: ['same', 'different', 'next-to', 'left-of', 'right-of'],
    spare: 0,
  },
};

/** Attributes, their verbs in clues, and their values. */
const ATTRIBUTES: Record<string, { has: string; values: readonly string[] }> = {
  name: { has: 'is called', values: ['Ada', 'Ben', 'Clara', 'Daniel', 'Elif', 'Farid', 'Grace'] },
  drink: { has: 'drinks', values: ['tea', 'coffee', 'milk', 'juice', 'water', 'cocoa'] },
  pet: { has: 'keeps the', values: ['dog', 'cat', 'horse', 'fish', 'parrot', 'rabbit'] },
  color: { has: 'lives in the house painted', values: ['red', 'blue', 'green', 'yellow', 'white', 'black'] },
  job: { has: 'works as the', values: ['baker', 'doctor', 'teacher', 'farmer', 'painter', 'lawyer'] },
  music: { has: 'plays the', values: ['piano', 'violin', 'flute', 'guitar', 'drum', 'harp'] },
};

/** Zebra puzzles with exactly one solution. */
export const zebra: PuzzleGenerator = {
  domain: 'zebra',
  draw(difficulty, draws) {
    const shape = shapes[difficulty];
    const table = drawTable(shape, draws);
    const clues = drawClues(table, shape, draws);
    if (clues === null) return null;
    const attributes = Object.fromEntries(
      Object.entries(table).map(([name, values]) => [name, [...values].sort()]),
    );
    return {
      problem: problemText(attributes, clues, shape.houses),
      truth: { attributes, clues },
      identity: `zebra ${canonical(table, clues)}`,
    };
  },
};

/** The values of each attribute in the order of their houses: the solution. */
function drawTable({ houses, attributes }: Shape, draws: Draws): Attributes {
  const names = take(Object.keys(ATTRIBUTES), attributes, draws);
  return Object.fromEntries(names.map((name) => [name, take(ATTRIBUTES[name]?.values ?? [], houses, draws)]));
}

function take<Item>(items: readonly Item[], count: number, draws: Draws): Item[] {
  const left = [...items];
  return Array.from({ length: count }, () => left.splice(draws.integer(0, left.length - 1), 1)).flat();
}

/** Clues with exactly one solution, of which only the spare ones can be left out; null where the relations are too weak. */
function drawClues(table: Attributes, { relations, spare }: Shape, draws: Draws): Clue[] | null {
  const all = trueClues(table).filter(({ relation }) => relations.includes(relation));
  const drawn = take(all, all.length, draws);
  const unique = (clues: readonly Clue[]) => solveHouses(table, clues).length === 1;
  if (!unique(drawn)) return null;
  let [few, enough] = [0, drawn.length];
  while (few + 1 < enough) {
    const middle = Math.floor((few + enough) / 2);
    if (unique(drawn.slice(0, middle))) enough = middle;
    else few = middle;
  }
  let needed = drawn.slice(0, enough);
  for (const clue of [...needed]) {
    const without = needed.filter((each) => each !== clue);
    if (unique(without)) needed = without;
  }
  return take([...needed, ...drawn.slice(enough, enough + spare)], needed.length + spare, draws);
}

/** All clues that are true of the table. */
function trueClues(table: Attributes): Clue[] {
  const things = Object.entries(table).flatMap(([name, values]) =>
    values.map((value, index) => ({ thing: [name, value] as const, house: index + 1 })),
  );
  const houseOf = ([name, value]: Thing) => (table[name]?.indexOf(value) ?? -1) + 1;
  const pairs = things.flatMap(({ thing: a }, i) =>
    things.slice(i + 1).flatMap(({ thing: b }) => houseRelationNames.map((relation) => ({ relation, a, b }))),
  );
  const locations = things.flatMap(({ thing: a, house }) => [
    { relation: 'in-house' as const, a, house },
    { relation: 'not-in-house' as const, a, house: (house % (Object.values(table)[0]?.length ?? 1)) + 1 },
  ]);
  const informative = pairs.filter(
    ({ relation, a, b }) => a[0] !== b[0] || !['same', 'different'].includes(relation),
  );
  return [...informative, ...locations].filter((clue) => holds(clue, houseOf));
}

function problemText(attributes: Attributes, clues: readonly Clue[], houses: number): string {
  const values = Object.entries(attributes).map(([name, each]) => `- ${name}: ${each.join(', ')}`);
  const example = Object.fromEntries(Object.keys(attributes).map((name) => [name, '…']));
  return [
    `${houses} houses stand in a row, numbered 1 to ${houses} from the left. One person lives in each. Each value below belongs to exactly one of them.`,
    ...values,
    'What is known:',
    ...clues.map((clue, index) => `${index + 1}. ${clueText(clue)}`),
    `Who has what? Answer with a JSON list of one object a house, from the left: [${JSON.stringify(example)}, …]`,
  ].join('\n');
}

const personWith = ([name, value]: Thing) => `the person who ${ATTRIBUTES[name]?.has ?? 'has'} ${value}`;

const phrases: Record<HouseRelation, (a: string, b: string) => string> = {
  same: (a, b) => `${a} is ${b}`,
  different: (a, b) => `${a} is not ${b}`,
  'next-to': (a, b) => `${a} lives next to ${b}`,
  'directly-left-of': (a, b) => `${a} lives directly left of ${b}`,
  'directly-right-of': (a, b) => `${a} lives directly right of ${b}`,
  'left-of': (a, b) => `${a} lives somewhere left of ${b}`,
  'right-of': (a, b) => `${a} lives somewhere right of ${b}`,
};

function clueText(clue: Clue): string {
  const a = personWith(clue.a);
  const text =
    'b' in clue
      ? phrases[clue.relation](a, personWith(clue.b))
      : `${a} ${clue.relation === 'in-house' ? 'lives' : 'does not live'} in house ${clue.house}`;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** The first, in sorted order, of the clues under all orders of attributes, with things as attribute and house numbers. */
function canonical(table: Attributes, clues: readonly Clue[]): string {
  const written = orders(Object.keys(table)).map((names) => {
    const numbered = ([name, value]: Thing) => `${names.indexOf(name)}.${table[name]?.indexOf(value)}`;
    const each = clues.map((clue) => {
      const [a, b] = [numbered(clue.a), 'b' in clue ? numbered(clue.b) : `h${clue.house}`];
      const symmetric = ['same', 'different', 'next-to'].includes(clue.relation);
      return `${clue.relation} ${(symmetric ? [a, b].sort() : [a, b]).join(' ')}`;
    });
    return each.sort().join('; ');
  });
  return written.sort()[0] ?? '';
}

function orders<Item>(items: readonly Item[]): Item[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((first) =>
    orders(items.filter((item) => item !== first)).map((rest) => [first, ...rest]),
  );
}
