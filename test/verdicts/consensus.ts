import { z } from 'zod';
import { evaluatedSamples } from '../../activities/orchestrator/evaluation/record-evaluation.ts';
import { summarizeEvaluation } from '../../algorithm/evaluation/statistics.ts';
import type { Scorer } from '../../cli/data/verify-domains.ts';
import { makeReward } from '../../rewards/index.ts';
import { createRewardTools } from '../../rewards/tools.ts';

const entrySchema = z.looseObject({ answer: z.string(), domain: z.string(), samples: z.array(z.string()) });

/** cons@k of one problem; the entry contains the samples: 1 where their majority is right. */
export function consensusJudge(): Scorer {
  const tools = createRewardTools({ parallel: 1 });
  const accuracy = makeReward({ name: 'accuracy' }, tools);
  return {
    parallel: 1,
    async score(entry) {
      const { answer, domain, samples: texts } = entrySchema.parse(entry);
      const input = { problem: '', answer, domain, entry, completionTokens: 1, maxCompletionLength: 9 };
      const verdicts = await Promise.all(
        texts.map((completionText) => accuracy.score({ ...input, completionText, truncated: false })),
      );
      const prompts = [{ slot: 0, prompt: '', problem: '', answer, domain }];
      const samples = evaluatedSamples(
        { prompts, numGenerations: texts.length },
        { rewards: [{ name: accuracy.name, version: accuracy.version, verdicts }], texts },
        new Int32Array(texts.length).fill(1),
      );
      return { score: summarizeEvaluation(samples).consAtK, extracted: null };
    },
    close: () => tools.close(),
  };
}
