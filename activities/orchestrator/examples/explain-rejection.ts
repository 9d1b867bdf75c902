import { type EvaluationIndex, sharedWithEvaluation } from '../../../algorithm/data/decontamination.ts';
import type { RejectionReason, SelectionRule } from '../../../contracts/datasets.ts';
import type { SampleRow } from '../../../stores/data/samples.ts';

type Sample = Pick<SampleRow, 'part' | 'sequence' | 'problem' | 'domain' | 'tokens' | 'rewards'>;

interface Context {
  rule: SelectionRule;
  /** the held-out problems; null where the rule does not need them */
  evaluated: EvaluationIndex | null;
}

const SHOWN = 80;

const quoted = (text: string) => JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);

function verdictOf({ rewards }: Sample, name: string): string {
  const verdict = rewards[name];
  if (verdict === undefined) return `no verdict of ${name}`;
  return 'score' in verdict ? `${name} ${verdict.score}` : `an error of ${name}: ${verdict.error.message}`;
}

/** By reason: the key of the rule that rejects, and what it found. */
const explanations: Record<RejectionReason, (sample: Sample, context: Context) => [string, string]> = {
  error: (sample) => [
    'a verdict that is missing',
    Object.keys(sample.rewards)
      .filter((name) => 'error' in (sample.rewards[name] ?? {}))
      .map((name) => verdictOf(sample, name))
      .join('; '),
  ],
  incorrect: (sample, { rule }) => [`min_accuracy: ${rule.min_accuracy}`, verdictOf(sample, 'accuracy')],
  truncated: ({ tokens }) => ['refuse_truncated', `cut off after ${tokens} tokens`],
  'too-long': ({ tokens }, { rule }) => [`max_tokens: ${rule.max_tokens}`, `${tokens} tokens`],
  format: (sample, { rule }) => [
    `format: ${rule.format}`,
    rule.format === 'required'
      ? verdictOf(sample, 'format')
      : `no thinking and answer to write as ${rule.template}`,
  ],
  'empty-thinking': (_, { rule }) => [`min_thinking_words: ${rule.min_thinking_words}`, 'fewer'],
  'mixed-language': (sample, { rule }) => [
    `min_language_share: ${rule.min_language_share}`,
    verdictOf(sample, 'language'),
  ],
  'long-paragraph': (_, { rule }) => [`max_paragraph: ${rule.max_paragraph}`, 'a longer one'],
  'code-block': ({ domain }, { rule }) => [
    `code_blocks_in: [${rule.code_blocks_in?.join(', ')}]`,
    `a block of code in ${domain}`,
  ],
  repetition: (_, { rule }) => [`max_repeated_share: ${rule.max_repeated_share}`, 'more repetition'],
  contaminated: ({ problem }, { evaluated }) => {
    const shared = evaluated === null ? null : sharedWithEvaluation(evaluated, problem);
    return [
      'decontaminate',
      shared === null
        ? 'a problem that shares with a held-out one'
        : `a problem that shares ${quoted(shared)} with a held-out one`,
    ];
  },
  'near-duplicate': () => ['near_duplicate', 'a response like another to its prompt'],
  'over-quota': (_, { rule }) => [`per_prompt: ${rule.per_prompt}`, 'a response beyond that number'],
};

/** The rule that rejected a sample, and what it found in it. */
export function explainRejection(reason: RejectionReason, sample: Sample, context: Context): string {
  const [rule, found] = explanations[reason](sample, context);
  const key = reason === 'error' ? rule : `keep.${rule}`;
  return `${key}: sample ${sample.part}/${sample.sequence}, to ${quoted(sample.problem)}, has ${found}`;
}
