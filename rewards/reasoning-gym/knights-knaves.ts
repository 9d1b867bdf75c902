import { words } from './python-text.ts';

/** reasoning-gym's names for those who always speak the truth and those who always lie. */
const ROLES = new Set(
  'pioneer laggard saint sinner hero villain angel devil altruist egoist sage fool knight knave'.split(' '),
);
const ARTICLES = new Set(['is', 'a', 'an']);

/** `knights_knaves`: everyone's role, in any order; partial credit where the number of roles is right. */
export function knightsKnaves(answer: string, oracle: string): number {
  if (answer === '') return 0;
  const [given, wanted] = [roles(answer), roles(oracle)];
  if (given.size !== wanted.size) return 0;
  const matching = [...wanted].filter((role) => given.has(role)).length;
  if (matching === wanted.size) return 1;
  return matching > 0 ? 0.3 + (0.7 * matching) / wanted.size : 0;
}

/** `name role` for each role that follows a name. */
function roles(text: string): Set<string> {
  const plain = text
    .toLowerCase()
    .replace(/[.,()]/g, ' ')
    .replaceAll(' and ', ' ');
  const found = new Set<string>();
  let name: string | null = null;
  for (const word of words(plain)) {
    if (ARTICLES.has(word)) continue;
    if (ROLES.has(word) && name !== null) found.add(`${name} ${word}`);
    name = ROLES.has(word) ? null : word;
  }
  return found;
}
