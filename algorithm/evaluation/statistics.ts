/**
 * The statistics of an evaluation: k samples of each of P held-out problems.
 *
 * A sample without a verdict (an error of its reward) is left out of every accuracy: it is neither right nor
 * wrong. Axes: P = problems, K = samples of a problem.
 */
import type { EvaluationSummary, SolvedFigures } from '../../contracts/activities.ts';
import { stepWords } from '../nano/words.ts';
import { mean, sampleDeviation } from '../rl/sample-statistics.ts';

/** One sampled answer to a held-out problem. */
export interface EvaluatedSample {
  /** A key of the final answer: the same for equal answers; null where there is none. */
  answer: string | null;
  /** null where the verifier returned an error. */
  correct: boolean | null;
  /** Whether the format reward scored it 1. */
  wellFormed: boolean;
  domain: string;
  /** The language reward's score; null where there is none. */
  language: number | null;
  /** Tokens, the end token included. */
  tokens: number;
  text: string;
}

/** The two-sided 95 % quantile of the standard normal distribution. */
const Z = 1.959964;

/**
 * Everything that the evaluation table shows. Throws RangeError without a sample. `k` is the largest number
 * of samples of a problem.
 */
export function summarizeEvaluation(
  allPK: readonly (readonly EvaluatedSample[])[],
  generalDomains: readonly string[] = [],
): EvaluationSummary {
  const isGeneral = (samplesK: readonly EvaluatedSample[]) =>
    samplesK.some(({ domain }) => generalDomains.includes(domain));
  const [generalPK, reasoningPK] = [
    allPK.filter(isGeneral),
    allPK.filter((samplesK) => !isGeneral(samplesK)),
  ];
  // The main figures are those of reasoning problems; of general ones where there are no others.
  const samplesPK = reasoningPK.length > 0 ? reasoningPK : generalPK;
  const samples = samplesPK.flat();
  if (samples.length === 0) throw new RangeError('evaluation: expected at least one sample, found none');
  const languages = samples.flatMap(({ language }) => (language === null ? [] : [language]));
  return {
    ...solvedFigures(samplesPK),
    k: Math.max(...samplesPK.map((samplesK) => samplesK.length)),
    formatRate: mean(samples.map(({ wellFormed }) => Number(wellFormed))),
    meanLength: mean(samples.map(({ tokens }) => tokens)),
    reflectionRate: mean(samples.map(({ text }) => Number(countReflections(text) > 0))),
    byDomain: byDomain(allPK),
    generalAbility: generalPK.length === 0 ? null : passAt1(generalPK).value,
    languageConsistency: languages.length === 0 ? null : mean(languages),
  };
}

/** pass@k and cons@k are shares of problems, so their intervals are Wilson's over problems. */
function solvedFigures(samplesPK: readonly (readonly EvaluatedSample[])[]): SolvedFigures {
  const problems = samplesPK.length;
  const accuracy = passAt1(samplesPK);
  const passAtK = mean(samplesPK.map((samplesK) => Number(samplesK.some(({ correct }) => correct === true))));
  const majority = consAtK(samplesPK);
  return {
    problems,
    passAt1: accuracy.value,
    passAt1Interval: accuracy.interval,
    passAtK,
    passAtKInterval: wilsonInterval(passAtK, problems),
    consAtK: majority,
    consAtKInterval: wilsonInterval(majority, problems),
  };
}

function byDomain(samplesPK: readonly (readonly EvaluatedSample[])[]): Record<string, SolvedFigures> {
  const domains = [...new Set(samplesPK.flatMap((samplesK) => samplesK.map(({ domain }) => domain)))].sort();
  return Object.fromEntries(
    domains.map((name) => [
      name,
      solvedFigures(samplesPK.filter((samplesK) => samplesK.some(({ domain }) => domain === name))),
    ]),
  );
}

/**
 * pass@1: the mean over problems of the share of right samples. The 95 % interval is over problems, since
 * samples of one problem are not independent: mean ± 1.96 · std / √P (Miller, "Adding error bars to evals", arXiv 2411.00640,
 * section 2.2), cut to [0, 1]. Where all problems have the same share this would be a point, and Wilson's
 * interval for P trials is used instead. Throws RangeError where no sample has a verdict.
 */
export function passAt1(samplesPK: readonly (readonly Pick<EvaluatedSample, 'correct'>[])[]): {
  value: number;
  interval: [number, number];
} {
  const sharesP = samplesPK.flatMap((samplesK) => {
    const verdicts = samplesK.flatMap(({ correct }) => (correct === null ? [] : [Number(correct)]));
    return verdicts.length === 0 ? [] : [mean(verdicts)];
  });
  if (sharesP.length === 0) throw new RangeError('pass@1: expected a sample with a verdict, found none');
  const value = mean(sharesP);
  const deviation = sampleDeviation(sharesP);
  if (deviation === 0) return { value, interval: wilsonInterval(value, sharesP.length) };
  const margin = (Z * deviation) / Math.sqrt(sharesP.length);
  return { value, interval: [Math.max(0, value - margin), Math.min(1, value + margin)] };
}

/** Wilson's score interval at 95 % for a share observed over n trials (Wilson 1927). */
export function wilsonInterval(share: number, n: number): [number, number] {
  const centre = (share + Z ** 2 / (2 * n)) / (1 + Z ** 2 / n);
  const margin = (Z / (1 + Z ** 2 / n)) * Math.sqrt((share * (1 - share)) / n + Z ** 2 / (4 * n ** 2));
  return [Math.max(0, centre - margin), Math.min(1, centre + margin)];
}

/**
 * pass@k without bias, from n ≥ k samples of which c are right (Chen et al. 2021, arXiv 2107.03374,
 * equation 1): 1 − C(n−c, k) / C(n, k), as the product 1 − Π_{i=n−c+1…n} (1 − k/i).
 */
export function passAtK(n: number, correct: number, k: number): number {
  if (k < 1 || k > n) throw new RangeError(`pass@k: expected 1 ≤ k ≤ ${n} samples, found k = ${k}`);
  if (n - correct < k) return 1;
  let noneRight = 1;
  for (let i = n - correct + 1; i <= n; i++) noneRight *= 1 - k / i;
  return 1 - noneRight;
}

/** cons@k: the share of problems whose majority answer is right. */
export function consAtK(
  samplesPK: readonly (readonly Pick<EvaluatedSample, 'answer' | 'correct'>[])[],
): number {
  return mean(samplesPK.map((samplesK) => Number(majorityOf(samplesK)?.correct === true)));
}

/**
 * A sample with the most frequent answer. Samples without an answer or a verdict do not count; of equally
 * frequent answers the one sampled first wins. Undefined where no sample counts.
 */
export function majorityOf<Sample extends Pick<EvaluatedSample, 'answer' | 'correct'>>(
  samplesK: readonly Sample[],
): Sample | undefined {
  const votes = new Map<string, { first: Sample; count: number }>();
  for (const sample of samplesK) {
    if (sample.answer === null || sample.correct === null) continue;
    const vote = votes.get(sample.answer) ?? { first: sample, count: 0 };
    votes.set(sample.answer, { ...vote, count: vote.count + 1 });
  }
  const most = Math.max(0, ...[...votes.values()].map(({ count }) => count));
  return [...votes.values()].find(({ count }) => count === most)?.first;
}

/**
 * The words by which the paper counts reflection (DeepSeek-R1, appendix on the self-evolution of R1-Zero).
 * Whole words in any case: "checked" does not count.
 */
export const reflectionWords = [
  'wait',
  'mistake',
  'however',
  'but',
  'retry',
  'error',
  'verify',
  'wrong',
  'evaluate',
  'check',
] as const;

/** Two of them in the nano base's foreign language: reflection in any language counts. */
const foreignWords = [stepWords.foreign.check, stepWords.foreign.wait].map((word) => word.trim());

const pattern = new RegExp(`\\b(?:${[...reflectionWords, ...foreignWords].join('|')})\\b`, 'gi');

/** The number of reflection words in a completion. */
export function countReflections(completionText: string): number {
  return completionText.match(pattern)?.length ?? 0;
}
