/** Knights, who always tell the truth, and knaves, who always lie. */

/**
 * What somebody says, in the notation of reasoning-gym's metadata: `["lying", 2]` says that the person at
 * place 2 is a knave, and so on.
 */
export type Statement =
  | ['telling-truth' | 'lying', number]
  | ['not', Statement]
  | ['->' | '<=>', Statement, Statement]
  | ['and' | 'or', ...Statement[]];

/** Whether the statement holds where `knights[i]` says if person i is a knight. */
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

/** Whether everybody's statement, `statements[i]` by person i, fits what they are. */
export function isConsistent(statements: readonly Statement[], knights: readonly boolean[]): boolean {
  return statements.every((statement, person) => holds(statement, knights) === knights[person]);
}

/** Every way in which the people can be knights and knaves. */
export function solveStatements(statements: readonly Statement[]): boolean[][] {
  const people = statements.length;
  const all = Array.from({ length: 2 ** people }, (_, bits) =>
    Array.from({ length: people }, (_, person) => (bits >> person) % 2 === 1),
  );
  return all.filter((knights) => isConsistent(statements, knights));
}
