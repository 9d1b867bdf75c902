/** What `r1 verify` can score, and what it takes to score it. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { createSandbox, extractCode, parseVerificationInfo, verifyCode } from '../rewards/code/index.ts';
import { format } from '../rewards/format.ts';
import { languageConsistency } from '../rewards/language.ts';
import { type LanguageCode, languageScripts } from '../rewards/language-scripts.ts';
import { logicVerifiers } from '../rewards/logic/index.ts';
import { MathPool } from '../rewards/math/pool.ts';
import { scoreReasoningGym } from '../rewards/reasoning-gym/score.ts';
import { repetitionPenalty } from '../rewards/repetition.ts';
import type { Reward } from '../rewards/reward.ts';
import { scienceVerifier } from '../rewards/science.ts';
import { type Graded, refused, type Verifier } from '../rewards/verifier.ts';

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

/** Every domain by its name. */
export const verifyDomains: Record<string, Open> = {
  math: openMath,
  code: openCode,
  science: verifier(scienceVerifier),
  'reasoning-gym': ({ partial = false }) => ({
    parallel: 1,
    judge: (entry, response) => scoreReasoningGym(entry, response, { partial }),
  }),
  logic: pure(judgeLogic),
  ...Object.fromEntries(Object.entries(logicVerifiers).map(([name, each]) => [name, verifier(each)])),
  format: pure((_, response) => ofReward(format, response)),
  language: pure(judgeLanguage),
  repetition: pure((_, response) => ofReward(repetitionPenalty(), response)),
};

const mathEntry = z.looseObject({ answer: z.union([z.string(), z.number()]) });

/** One thread that can be killed, started before the first row is timed. */
async function openMath(): Promise<Judge> {
  const pool = new MathPool();
  await pool.verify([{ groundTruth: '1', response: '1' }]);
  return {
    parallel: 1,
    async judge(entry, response) {
      const parsed = mathEntry.safeParse(entry);
      if (!parsed.success) return wrongEntry('math', parsed.error);
      const [verdict] = await pool.verify([{ groundTruth: String(parsed.data.answer), response }]);
      return verdict ?? refused('internal', 'math: expected a verdict, found none');
    },
    close: () => pool.close(),
  };
}

const codeEntry = z.looseObject({
  verification_info: z.unknown(),
  mode: z.enum(['pass-rate', 'all-or-nothing']).default('pass-rate'),
});

/** Programs in sandboxes, as many at once as there are cores. */
function openCode(): Judge {
  const parallel = availableParallelism();
  const sandbox = createSandbox({ parallel });
  return {
    parallel,
    async judge(entry, response) {
      const task = codeTask(entry);
      if ('error' in task) return task;
      const source = extractCode(response, task.language);
      if (source === null) return { score: 0, extracted: null };
      const verdict = await verifyCode({ ...task, source }, sandbox);
      if ('score' in verdict) return { score: verdict.score, extracted: source };
      return refused(verdict.error.kind, verdict.error.message);
    },
  };
}

/** Open-R1's `verification_info`, in its column or as the entry itself. */
function codeTask(entry: unknown) {
  const parsed = codeEntry.safeParse(entry);
  if (!parsed.success) return wrongEntry('code', parsed.error);
  try {
    return { ...parseVerificationInfo(parsed.data.verification_info ?? entry), mode: parsed.data.mode };
  } catch (error) {
    return wrongEntry('code', error);
  }
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

const languageEntry = z.looseObject({
  language: z.enum(Object.keys(languageScripts) as [LanguageCode]).default('en'),
});

function judgeLanguage(entry: unknown, response: string): Graded {
  const parsed = languageEntry.safeParse(entry);
  if (!parsed.success) return wrongEntry('language', parsed.error);
  return ofReward(languageConsistency(parsed.data.language), response);
}

function ofReward(reward: Reward, completionText: string): Graded {
  const verdict = reward.score({ problem: '', answer: '', completionText, truncated: false });
  return 'error' in verdict ? verdict : { ...verdict, extracted: null };
}

function wrongEntry(domain: string, error: unknown): Graded & { error: object } {
  const problem = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
  return { error: { kind: 'ground-truth', message: `${domain}: the entry is not of its form: ${problem}` } };
}
