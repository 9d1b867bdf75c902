/** The domains of `r1 verify`, and how each is scored. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { isExactNumber } from '../../contracts/exact-json.ts';
import { type RuleRewardName, rewardOptionsSchemas } from '../../contracts/rewards.ts';
import { afterThinking } from '../../rewards/chain-of-thought.ts';
import { gradeCode } from '../../rewards/code/grade.ts';
import { makeReward } from '../../rewards/index.ts';
import { logicVerifiers } from '../../rewards/logic/index.ts';
import { gradeMath } from '../../rewards/math/grade.ts';
import { scoreReasoningGym } from '../../rewards/reasoning-gym/score.ts';
import { scienceVerifier } from '../../rewards/science.ts';
import { createRewardTools, type RewardTools } from '../../rewards/tools.ts';
import { type Graded, refused } from '../../rewards/verifier.ts';

export interface VerifyOptions {
  /** give partial credit in reasoning-gym */
  partial?: boolean;
}

/** Scores the rows of one domain. */
export interface Scorer {
  /** rows scored in parallel */
  parallel: number;
  score(entry: unknown, response: string): Graded | Promise<Graded>;
  close?(): Promise<void>;
}

type Open = (options: VerifyOptions) => Scorer | Promise<Scorer>;

/** Domains that score the text after the chain of thought. */
const answerDomains: Record<string, Open> = {
  math: openMath,
  code: openCode,
  science: () => ({ parallel: 1, score: scienceVerifier.verify }),
  'reasoning-gym': ({ partial = false }) => ({
    parallel: 1,
    score: (entry, response) => scoreReasoningGym(entry, response, { partial }),
  }),
  logic: () => ({ parallel: 1, score: scoreLogic }),
  ...Object.fromEntries(
    Object.entries(logicVerifiers).map(([name, { verify }]) => [
      name,
      () => ({ parallel: 1, score: verify }),
    ]),
  ),
};

/** Every domain by its name. */
export const verifyDomains: Record<string, Open> = {
  ...Object.fromEntries(Object.entries(answerDomains).map(([name, open]) => [name, ofAnswer(open)])),
  format: openReward('format'),
  language: openReward('language'),
  length: openReward('length'),
  repetition: openReward('repetition'),
};

/** Scores the text after the chain of thought, as the reward `accuracy` does; 0 where there is none. */
function ofAnswer(open: Open): Open {
  return async (options) => {
    const scorer = await open(options);
    return {
      ...scorer,
      score(entry, response) {
        const said = afterThinking(response, { begun: false });
        return said === null ? { score: 0, extracted: null } : scorer.score(entry, said);
      },
    };
  };
}

const mathEntry = z.looseObject({ answer: z.union([z.string(), z.number(), z.custom(isExactNumber)]) });

/** One killable thread, started before the first row is timed. */
async function openMath(): Promise<Scorer> {
  const tools = createRewardTools({ parallel: 1 });
  await tools.math.verify([{ groundTruth: '1', response: '1' }]);
  return {
    parallel: 1,
    score(entry, response) {
      const parsed = mathEntry.safeParse(entry);
      if (!parsed.success) return wrongEntry('math', parsed.error);
      return gradeMath(tools.math, String(parsed.data.answer), response);
    },
    close: () => tools.close(),
  };
}

const codeEntry = z.looseObject({ mode: z.enum(['pass-rate', 'all-or-nothing']).default('pass-rate') });

/** Runs programs in sandboxes, one per core. */
function openCode(): Scorer {
  const parallel = availableParallelism();
  const { sandbox } = createRewardTools({ parallel });
  return {
    parallel,
    score(entry, response) {
      const parsed = codeEntry.safeParse(entry);
      if (!parsed.success) return wrongEntry('code', parsed.error);
      return gradeCode(sandbox, entry, response, parsed.data.mode);
    },
  };
}

const logicEntry = z.looseObject({ domain: z.string() });

/** Scores with the verifier that the entry's `domain` names. */
function scoreLogic(entry: unknown, response: string): Graded {
  const parsed = logicEntry.safeParse(entry);
  const name = parsed.data?.domain ?? '';
  const found = Object.hasOwn(logicVerifiers, name) ? logicVerifiers[name] : undefined;
  if (found) return found.verify(entry, response);
  const known = Object.keys(logicVerifiers).join(', ');
  return refused(
    'ground-truth',
    `logic: entry.domain: expected one of ${known}, found ${JSON.stringify(name)}`,
  );
}

/** Fields of an entry besides the options of the reward. */
const rewardEntry = z.looseObject({
  /** tokens of the response; left out: words and symbols are counted */
  tokens: z.int().min(0).optional(),
  /** token limit when the response was sampled */
  max_completion_length: z.int().positive().default(32_768),
  truncated: z.boolean().default(false),
  /** short for `target` */
  language: z.string().optional(),
});

/** A reward that depends only on the response; the entry holds its options. */
function openReward(name: RuleRewardName): Open {
  return () => {
    const tools = createRewardTools({ parallel: 1 });
    return { parallel: 1, score: (entry, response) => scoreReward(name, tools, entry ?? {}, response) };
  };
}

async function scoreReward(
  name: RuleRewardName,
  tools: RewardTools,
  entry: unknown,
  response: string,
): Promise<Graded> {
  const parsed = rewardEntry.safeParse(entry);
  if (!parsed.success) return wrongEntry(name, parsed.error);
  const { tokens, max_completion_length, truncated, language, ...rest } = parsed.data;
  const schema = rewardOptionsSchemas[name];
  const known = Object.keys(schema.shape).filter((key) => Object.hasOwn(rest, key));
  const given = Object.fromEntries(known.map((key) => [key, rest[key]]));
  const options = schema.safeParse(
    language === undefined || name !== 'language' ? given : { target: language, ...given },
  );
  if (!options.success) return wrongEntry(name, options.error);
  const verdict = await makeReward({ name, options: options.data }, tools).score({
    problem: '',
    answer: '',
    domain: '',
    entry: null,
    completionText: response,
    completionTokens: tokens ?? wordCount(response),
    maxCompletionLength: max_completion_length,
    truncated,
  });
  return 'error' in verdict ? verdict : { score: verdict.score, extracted: null };
}

/** Words and symbols: about as many as a tokenizer makes tokens. */
function wordCount(text: string): number {
  return text.match(/[\p{L}\p{M}\p{N}]+|\S/gu)?.length ?? 0;
}

function wrongEntry(domain: string, error: z.ZodError): Graded {
  return refused('ground-truth', `${domain}: invalid entry: ${z.prettifyError(error)}`);
}
