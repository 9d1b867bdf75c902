import { Failure, type FailureKind, TRIED_AGAIN } from '../../contracts/failures.ts';

/** How an error of PostgreSQL or of its connection is reported. The first rule that matches is used. */
interface Rule {
  /** SQLSTATE, a socket's error code, or the driver's message */
  matches: RegExp;
  kind: FailureKind;
  /** the end of the sentence that begins with the server's address */
  says: string;
}

const AGAIN = `${TRIED_AGAIN} \`r1 status\` shows whether it runs, R1_DATABASE_URL which one is used.`;

const RULES: readonly Rule[] = [
  {
    matches: /^(28...|42501)$/,
    kind: 'InvalidInput',
    says: 'refused the user or password. Correct R1_DATABASE_URL (user, password, rights).',
  },
  {
    matches: /^3D000$/,
    kind: 'InvalidInput',
    says: 'has no such database. Create it, or correct R1_DATABASE_URL.',
  },
  {
    matches: /^(42P01|42703|42883|42704)$/,
    kind: 'InvalidInput',
    says: 'has other tables than expected. Run `r1 up`, which brings the schema up to date, or correct R1_DATABASE_URL.',
  },
  {
    matches: /^53100$/,
    kind: 'OutOfSpace',
    says: `has no free space on its disk. Free some space. ${TRIED_AGAIN}`,
  },
  {
    matches: /^53200$/,
    kind: 'OutOfResources',
    says: 'ran out of memory. Give it more, then `r1 retry`.',
  },
  { matches: /^(08...|57P0[1-5]|53300)$/, kind: 'Unavailable', says: `does not answer now. ${AGAIN}` },
  {
    matches: /^(40001|40P01|55P03|57014|25P0[34])$/,
    kind: 'Unavailable',
    says: `was too busy to finish. ${TRIED_AGAIN}`,
  },
  {
    matches: /^(ECONN|ENOTFOUND|EAI_|EPIPE|ETIMEDOUT|EHOST|ENET|ENOENT|EACCES)/,
    kind: 'Unavailable',
    says: `cannot be reached. ${AGAIN}`,
  },
  {
    matches: /timeout|[Cc]onnection (terminated|ended)|connection error|not queryable|closed the connection/,
    kind: 'Unavailable',
    says: `broke the connection or did not answer in time. ${AGAIN}`,
  },
];

/** The Failure that an error means, or the error itself where neither the server's state nor its settings caused it. */
export function databaseFailure(error: unknown, address: string): unknown {
  if (error instanceof Failure || !(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const rule = RULES.find(({ matches }) => matches.test(code ?? error.message));
  if (!rule) return error;
  const found = [code, error.message].filter(Boolean).join(': ');
  return new Failure(rule.kind, `PostgreSQL at ${address} ${rule.says} (${found})`, { cause: error });
}
