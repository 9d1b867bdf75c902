import type { Draws } from '../random/draws.ts';
import type { Difficulty, PuzzleGenerator } from './generate.ts';
import { type Statement, solveStatements } from './truth-tellers.ts';

interface Shape {
  people: number;
  /** levels of connectives in a statement */
  depth: number;
}

const shapes: Record<Difficulty, Shape> = {
  1: { people: 2, depth: 1 },
  2: { people: 3, depth: 1 },
  3: { people: 3, depth: 2 },
  4: { people: 4, depth: 2 },
  5: { people: 5, depth: 3 },
};

const NAMES = [
  ...['Ada', 'Ben', 'Clara', 'Daniel', 'Elif', 'Farid', 'Grace', 'Hugo', 'Ines', 'Jonas', 'Kiran', 'Lucia'],
  ...['Mei', 'Nora', 'Omar', 'Petra', 'Quentin', 'Rosa', 'Sven', 'Tara', 'Umar', 'Vera', 'Wang', 'Yara'],
];

/** Knights and knaves with exactly one solution. */
export const knightsKnaves: PuzzleGenerator = {
  domain: 'knights-knaves',
  draw(difficulty, draws) {
    const { people, depth } = shapes[difficulty];
    const statements = Array.from({ length: people }, (_, speaker) => {
      return drawStatement({ people, speaker, depth, draws });
    });
    if (solveStatements(statements).length !== 1) return null;
    const names = drawNames(people, draws);
    const problem = problemText(names, statements);
    return { problem, truth: { names, statements }, identity: `knights-knaves ${canonical(statements)}` };
  },
};

interface Wanted {
  people: number;
  speaker: number;
  depth: number;
  draws: Draws;
}

function drawStatement({ people, speaker, depth, draws }: Wanted): Statement {
  const part = (): Statement => drawStatement({ people, speaker, depth: depth - 1, draws });
  if (depth === 0 || draws.chance(0.2)) {
    const others = Array.from({ length: people }, (_, person) => person).filter((each) => each !== speaker);
    return [draws.among(['telling-truth', 'lying'] as const), draws.among(others)];
  }
  const kind = draws.among(['not', 'and', 'or', '->', '<=>'] as const);
  return kind === 'not' ? [kind, part()] : [kind, part(), part()];
}

function drawNames(people: number, draws: Draws): string[] {
  const left = [...NAMES];
  return Array.from({ length: people }, () => left.splice(draws.integer(0, left.length - 1), 1)[0] ?? '');
}

function problemText(names: readonly string[], statements: readonly Statement[]): string {
  const said = statements.map(
    (statement, speaker) => `${names[speaker]} says: "${words(statement, names)}."`,
  );
  const [first = '', ...others] = names;
  return [
    'On an island live knights, who always tell the truth, and knaves, who always lie.',
    `You meet ${names.length} of them: ${first}${others.map((name) => ` and ${name}`).join('')}.`,
    ...said,
    `Who is what? Answer like: ${names.map((name) => `${name} is a knight/knave`).join(', ')}`,
  ].join('\n');
}

function words(statement: Statement, names: readonly string[]): string {
  const [kind, ...rest] = statement;
  if (kind === 'telling-truth') return `${names[Number(rest[0])]} is a knight`;
  if (kind === 'lying') return `${names[Number(rest[0])]} is a knave`;
  const [one = '', other = ''] = (rest as Statement[]).map((part) => words(part, names));
  return phrases[kind](one, other);
}

const phrases: Record<'not' | 'and' | 'or' | '->' | '<=>', (one: string, other: string) => string> = {
  not: (one) => `it is not true that (${one})`,
  and: (one, other) => `(${one}) and (${other})`,
  or: (one, other) => `(${one}) or (${other}), or both`,
  '->': (one, other) => `if (${one}) then (${other})`,
  '<=>': (one, other) => `(${one}) exactly if (${other})`,
};

/** The first, in sorted order, of the statements under all orders of people: independent of names and order. */
function canonical(statements: readonly Statement[]): string {
  const people = statements.map((_, person) => person);
  const orders = permutations(people);
  const written = orders.map((order) => {
    const renamed = order.map((person) => rename(statements[person] ?? ['not', ['lying', 0]], order));
    return JSON.stringify(renamed);
  });
  return written.sort()[0] ?? '';
}

function rename(statement: Statement, order: readonly number[]): Statement {
  const [kind, ...rest] = statement;
  if (kind === 'telling-truth' || kind === 'lying') return [kind, order.indexOf(Number(rest[0]))];
  return [kind, ...(rest as Statement[]).map((part) => rename(part, order))] as Statement;
}

function permutations(items: readonly number[]): number[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((first) =>
    permutations(items.filter((item) => item !== first)).map((rest) => [first, ...rest]),
  );
}
