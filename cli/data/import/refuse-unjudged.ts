import type { ImportedPrompt } from '../../../algorithm/data/prompt-rows.ts';
import { domainRule, gradeText } from '../../../rewards/domains.ts';
import type { RewardTools } from '../../../rewards/tools.ts';
import type { Graded } from '../../../rewards/verifier.ts';
import type { Refusal } from './gather.ts';

const AT_ONCE = 512;

/**
 * Parts prompts whose ground truth the verifier of their domain can read from those where every answer would
 * be an error.
 */
export async function refuseUnjudged(
  prompts: readonly ImportedPrompt[],
  tools: RewardTools,
): Promise<{ judged: ImportedPrompt[]; refused: Refusal[] }> {
  const judged: ImportedPrompt[] = [];
  const refused: Refusal[] = [];
  for (let start = 0; start < prompts.length; start += AT_ONCE) {
    const some = prompts.slice(start, start + AT_ONCE);
    const verdicts = await Promise.all(some.map((prompt) => trial(prompt, tools)));
    for (const [i, prompt] of some.entries()) {
      const verdict = verdicts[i];
      if (verdict === undefined || 'score' in verdict || verdict.retry !== undefined) judged.push(prompt);
      else refused.push(refusalOf(prompt, verdict.error.message));
    }
  }
  return { judged, refused };
}

/** The verdict on a response that says nothing: an error only where the ground truth is at fault. */
function trial({ answer, entry, domain }: ImportedPrompt, tools: RewardTools): Graded | Promise<Graded> {
  const rule = domainRule(domain);
  if (rule === null) return gradeText(answer, '');
  return rule({ answer, entry: entry ?? null }, '', { tools, code: 'all-or-nothing', partialCredit: false });
}

function refusalOf({ source, line, entry }: ImportedPrompt, message: string): Refusal {
  return { source, line, field: entry === undefined ? 'answer' : 'entry', message };
}
