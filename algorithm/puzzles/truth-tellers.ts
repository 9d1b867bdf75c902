/** Knights, who always tell the truth, and knaves, who always lie. */

/**
 * A statement, in the notation of reasoning-gym's metadata: `["lying", 2]` says that person 2 is a knave, and so
 * on.
 */
export type Statement =
  | ['telling-truth' | 'lying', number]
  | ['not', Statement]
  | ['->' | '<=>', Statement, Statement]
  | ['and' | 'or', ...Statement[]];

/** Whether the statement is true; `knights[i]`: person i is a knight. */
function holds(statement: Statement, knights: readonly boolean[]): boolean {
  const [kind, ...rest] = statement;
  if (kind === 'telling-truth' || kind === 'lying') return knights[Number(rest[0])] === (kind !== 'lying');
  const values = (rest as Statement[]).map((part) => holds(part, knights));
  return connectives[kind](values);
}

const connectives: Record<'not' | 'and' | 'or' | '->' | '<=>', (values: readonly boolean[]) => boolean> = {
  not: ([value]) => !value,
  and: (values) => values.every(Boolean),
  or: (values) => values.some(Boolean),
  '->': ([premise, conclusion]) => !premise || conclusion === true,
  '<=>': ([one, other]) => one === other,
};

/** Whether all statements, `statements[i]` by person i, are consistent with who is a knight. */
export function isConsistent(statements: readonly Statement[], knights: readonly boolean[]): boolean {
  return statements.every((statement, person) => holds(statement, knights) === knights[person]);
}

/** All consistent assignments of knights and knaves. */
export function solveStatements(statements: readonly Statement[]): boolean[][] {
  const people = statements.length;
  const all = Array.from({ length: 2 ** people }, (_, bits) =>
    Array.from({ length: people }, (_, person) => (bits >> person) % 2 === 1),
  );
  return all.filter((knights) => isConsistent(statements, knights));
}
