/** The rule that judges the answers of each domain. */
import { parseExactJson } from '../contracts/exact-json.ts';
import { extractAnswer } from './answer-text.ts';
import { gradeCode } from './code/grade.ts';
import type { CodeTask } from './code/index.ts';
import { logicVerifiers } from './logic/index.ts';
import { gradeMath } from './math/grade.ts';
import { scoreReasoningGym } from './reasoning-gym/score.ts';
import { scienceVerifier } from './science.ts';
import type { RewardTools } from './tools.ts';
import { type Graded, refused, type Verifier } from './verifier.ts';

/** The reference that an answer is compared with. */
interface GroundTruth {
  answer: string;
  /** null: `answer` holds the entry as JSON */
  entry: unknown;
}

interface DomainContext {
  tools: RewardTools;
  /** how the results of a program's tests become its score */
  code: CodeTask['mode'];
  /** whether reasoning-gym's partial credits count */
  partialCredit: boolean;
}

/** Judges a response: the text after the chain of thought. */
type DomainRule = (truth: GroundTruth, response: string, context: DomainContext) => Graded | Promise<Graded>;

const byVerifier =
  ({ name, verify }: Verifier): DomainRule =>
  (truth, response) =>
    withEntry(name, truth, (entry) => verify(entry, response));

const choice = byVerifier(scienceVerifier);

const rules: Record<string, DomainRule> = {
  math: ({ answer }, response, { tools }) => gradeMath(tools.math, answer, response),
  code: (truth, response, { tools, code }) =>
    withEntry('code', truth, (entry) => gradeCode(tools.sandbox, entry, response, code)),
  science: choice,
  'multiple-choice': choice,
  'reasoning-gym': (truth, response, { partialCredit }) =>
    withEntry('reasoning-gym', truth, (entry) =>
      scoreReasoningGym(entry, response, { partial: partialCredit }),
    ),
  ...Object.fromEntries(Object.entries(logicVerifiers).map(([name, each]) => [name, byVerifier(each)])),
};

/** Domains that have a rule beyond text equality. */
export const judgedDomains = Object.keys(rules);

/** The rule of a domain, or of its family (`math` for `math/algebra`); null: answers are compared as text. */
export function domainRule(domain: string): DomainRule | null {
  const [family = ''] = domain.split('/');
  return Object.hasOwn(rules, family) ? (rules[family] ?? null) : null;
}

/**
 * 1 where the answer's text equals the ground truth exactly, both trimmed; else 0. Only the single
 * `<answer>…</answer>` after `</think>` counts. A ground truth that no answer can equal (empty, or with a tag in
 * it) is an error.
 */
export function gradeText(answer: string, completionText: string): Graded {
  const truth = answer.trim();
  if (truth === '' || /<\/?(think|answer)>/.test(truth)) {
    const found = JSON.stringify(answer);
    return refused(
      'ground-truth',
      `expected a ground truth that is not empty and contains no tag, found ${found}`,
    );
  }
  const extracted = extractAnswer(completionText);
  return { score: extracted === truth ? 1 : 0, extracted };
}

function withEntry<T extends Graded | Promise<Graded>>(
  name: string,
  { answer, entry }: GroundTruth,
  grade: (entry: unknown) => T,
): T | Graded {
  if (entry !== null) return grade(entry);
  try {
    return grade(parseExactJson(answer));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const found = JSON.stringify(answer.slice(0, 80));
    return refused('ground-truth', `${name}: expected an entry, or a ground truth in JSON, found ${found}`);
  }
}
