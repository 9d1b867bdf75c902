import { readdirSync, readFileSync } from 'node:fs';
import { verifyDomains } from '../../cli/data/verify-domains.ts';
import { parseExactJson } from '../../contracts/exact-json.ts';
import { consensusJudge } from './consensus.ts';

/** One answer with its expected verdict. */
export interface VerdictCase {
  id: string;
  kind: string;
  /** a domain of `r1 verify`, or `cons@k` */
  domain: string;
  entry: unknown;
  response: string;
  /** a score, a bound (`>=0.95`), `error`, or several of them: `0|error` */
  expected: number | string;
  /** the score, or `error`, of the release before this kind was fixed */
  before: number | string;
  /** the public report of the case */
  source?: string;
  why?: string;
}

const folder = new URL('./cases/', import.meta.url);

export const kinds = readdirSync(folder)
  .filter((file) => file.endsWith('.jsonl'))
  .map((file) => file.slice(0, -'.jsonl'.length))
  .sort();

/** The file of a kind. */
export const fileOf = (kind: string) => new URL(`${kind}.jsonl`, folder);

export function readCases(kind: string): VerdictCase[] {
  const lines = readFileSync(fileOf(kind), 'utf8').trim().split('\n');
  return lines.map((line) => parseExactJson(line) as VerdictCase);
}

/** The verdicts on cases, in order: a score, or `error`. */
export async function verdictsOn(cases: readonly VerdictCase[]): Promise<(number | string)[]> {
  const verdicts: (number | string)[] = cases.map(() => 'error');
  for (const domain of new Set(cases.map((each) => each.domain))) {
    const judge = domain === 'cons@k' ? consensusJudge() : await verifyDomains[domain]?.({});
    if (judge === undefined) throw new Error(`expected a domain of r1 verify, found ${domain}`);
    for (const [i, { domain: own, entry, response }] of cases.entries()) {
      if (own !== domain) continue;
      const graded = await judge.score(entry, response);
      verdicts[i] = 'error' in graded ? 'error' : graded.score;
    }
    await judge.close?.();
  }
  return verdicts;
}

/** Whether a verdict is one of the expected ones. */
export function isExpected(expected: number | string, verdict: number | string): boolean {
  return String(expected)
    .split('|')
    .some((each) => {
      const [, bound] = /^>=(.+)$/.exec(each) ?? [];
      if (bound !== undefined) return typeof verdict === 'number' && verdict >= Number(bound);
      return each === 'error' ? verdict === 'error' : Number(each) === verdict;
    });
}
