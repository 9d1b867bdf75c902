/** What `r1 verify` can score, and what it takes to score it. */
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
import { type Graded, refused, type Verifier } from '../../rewards/verifier.ts';

export interface VerifyOptions {
  /** reasoning-gym's partial credits */
  partial?: boolean;
}

/** Scores the rows of one domain. */
export interface Judge {
  /** rows that may be under way at once */
  parallel: number;
  judge(entry: unknown, response: string): Graded | Promise<Graded>;
  close?(): Promise<void>;
}

type Open = (options: VerifyOptions) => Judge | Promise<Judge>;

const pure =
  (judge: Judge['judge']): Open =>
  () => ({ parallel: 1, judge });
const verifier = ({ verify }: Verifier) => pure((entry, response) => verify(entry, response));

/** Domains whose answer is what follows the chain of thought. */
const answerDomains: Record<string, Open> = {
  math: openMath,
  code: openCode,
  science: verifier(scienceVerifier),
  'reasoning-gym': ({ partial = false }) => ({
    parallel: 1,
    judge: (entry, response) => scoreReasoningGym(entry, response, { partial }),
  }),
  logic: pure(judgeLogic),
  ...Object.fromEntries(Object.entries(logicVerifiers).map(([name, each]) => [name, verifier(each)])),
};

/** Every domain by its name. */
export const verifyDomains: Record<string, Open> = {
  ...Object.fromEntries(Object.entries(answerDomains).map(([name, open]) => [name, ofAnswer(open)])),
  format: openReward('format'),
  language: openReward('language'),
  length: openReward('length'),
  repetition: openReward('repetition'),
};

/** Judges what follows the chain of thought, as the reward `accuracy` does; 0 where nothing does. */
function ofAnswer(open: Open): Open {
  return async (options) => {
    const judge = await open(options);
    return {
      ...judge,
      judge(entry, response) {
        const said = afterThinking(response, { begun: false });
        return said === null ? { score: 0, extracted: null } : judge.judge(entry, said);
      },
    };
  };
}

const mathEntry = z.looseObject({ answer: z.union([z.string(), z.number(), z.custom(isExactNumber)]) });

/** One thread that can be killed, started before the first row is timed. */
async function openMath(): Promise<Judge> {
  const tools = createRewardTools({ parallel: 1 });
  await tools.math.verify([{ groundTruth: '1', response: '1' }]);
  return {
    parallel: 1,
    judge(entry, response) {
      const parsed = mathEntry.safeParse(entry);
      if (!parsed.success) return wrongEntry('math', parsed.error);
      return gradeMath(tools.math, String(parsed.data.answer), response);
    },
    close: () => tools.close(),
  };
}

const codeEntry = z.looseObject({ mode: z.enum(['pass-rate', 'all-or-nothing']).default('pass-rate') });

/** Programs in sandboxes, as many at once as there are cores. */
function openCode(): Judge {
  const parallel = availableParallelism();
  const { sandbox } = createRewardTools({ parallel });
  return {
    parallel,
    judge(entry, response) {
      const parsed = codeEntry.safeParse(entry);
      if (!parsed.success) return wrongEntry('code', parsed.error);
      return gradeCode(sandbox, entry, response, parsed.data.mode);
    },
  };
}

const logicEntry = z.looseObject({ domain: z.string() });

/** The verifier that the entry's `domain` names. */
function judgeLogic(entry: unknown, response: string): Graded {
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

/** What a row may say besides the reward's own options. */
const rewardEntry = z.looseObject({
  /** of the response, in tokens; left out: its words and signs are counted */
  tokens: z.int().min(0).optional(),
  /** the longest response that was sampled for, in tokens */
  max_completion_length: z.int().positive().default(32_768),
  truncated: z.boolean().default(false),
  /** a short name of `target` */
  language: z.string().optional(),
});

/** A reward of the response alone; the entry holds its options. */
function openReward(name: RuleRewardName): Open {
  return () => {
    const tools = createRewardTools({ parallel: 1 });
    return { parallel: 1, judge: (entry, response) => judgeReward(name, tools, entry ?? {}, response) };
  };
}

async function judgeReward(
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
    completionTokens: tokens ?? termsOf(response),
    maxCompletionLength: max_completion_length,
    truncated,
  });
  return 'error' in verdict ? verdict : { score: verdict.score, extracted: null };
}

/** Words and signs: about what a tokenizer makes of a text. */
function termsOf(text: string): number {
  return text.match(/[\p{L}\p{M}\p{N}]+|\S/gu)?.length ?? 0;
}

function wrongEntry(domain: string, error: z.ZodError): Graded {
  return refused('ground-truth', `${domain}: the entry is not of its form: ${z.prettifyError(error)}`);
}
