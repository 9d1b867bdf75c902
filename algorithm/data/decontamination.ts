/**
 * Decontamination: a training text that shares a run of ten words with a problem of an evaluation is left out
 * (DeepSeek-R1, supplementary information, "Decontamination").
 *
 * Text that many problems share, such as an instruction before or after each of them, is not evidence. A run is common
 * if more than a twentieth of the evaluation's distinct problems contain it, or nearly all training texts, or more
 * than one in fifty of many training texts. The words of common runs are ignored. (A run that begins in the
 * instruction and ends in the usual first words of a problem is rarer than the instruction, and its words count.)
 * Three things are evidence:
 * - a run of ten words, none of them ignored;
 * - the whole stretch from the first to the last word that is not ignored, if it is as long as a run;
 * - the whole problem, up to white space and case.
 */
import { normalizeProblem } from './prompt-row.ts';
import { type Run, readable, runsOf, type Units, unitsOf } from './text-units.ts';

/** Words in a run; in scripts without spaces between words, the number of letters that carries as much. */
const DECONTAMINATION_NGRAM = 10;

/** The least number and the share of distinct texts from which on a run is common. */
interface Common {
  least: number;
  share: number;
}
const COMMON_IN_EVALUATION: Common = { least: 3, share: 1 / 20 };
/** A problem may have been copied into several training texts, so the least number is larger. */
const COMMON_IN_LEARNED: Common = { least: 20, share: 1 / 50 };

/** Training texts that are sampled to find what most of them share. */
const LEARNED_SAMPLE = 2_000;

/** The indices, evenly spaced, of the training texts that are sampled, of `texts` in all. */
export const sampledIndices = (texts: number): number[] =>
  Array.from({ length: Math.min(texts, LEARNED_SAMPLE) }, (_, i) =>
    Math.floor((i * texts) / Math.min(texts, LEARNED_SAMPLE)),
  );

/** The evaluations' problems, indexed for search. */
export interface EvaluationIndex {
  ngramSize: number;
  /** distinct ones, in their order */
  problems: readonly string[];
  /** runs that are evidence by themselves */
  ngrams: ReadonlySet<string>;
  /** stretches without such a run that are evidence as a whole, by the rarest run in them */
  stretches: ReadonlyMap<string, readonly Stretch[]>;
  /** problems that are evidence as a whole, normalised */
  wholes: ReadonlySet<string>;
}

/** A stretch of a problem that is searched as a whole. */
interface Stretch {
  units: readonly string[];
  /** the index in it at which its rarest run begins */
  anchor: number;
  /** the punctuation and letters that must match too; null: the units are enough */
  whole: string | null;
}

const wholeOf = (text: string) => normalizeProblem(text).toLowerCase();

export interface IndexOptions {
  ngramSize?: number;
  /** training texts, or some of them, each with all its parts: runs that most of them share are common too */
  learned?: readonly (readonly string[])[];
}

/** Indexes the problems that must not be trained on. */
export function indexEvaluations(
  texts: Iterable<string>,
  { ngramSize = DECONTAMINATION_NGRAM, learned = [] }: IndexOptions = {},
): EvaluationIndex {
  const problems = [...new Map([...texts].map((text) => [wholeOf(text), text])).values()];
  const unitsN = problems.map(unitsOf);
  const counts = countRuns(unitsN, ngramSize);
  const shareOf = commonIn(counts, problems.length, learned, ngramSize);
  const ngrams = new Set<string>();
  const stretches = new Map<string, Stretch[]>();
  for (const [n, units] of unitsN.entries()) {
    const runs = [...runsOf(units, ngramSize)];
    const covered = coveredBy(runs, units.texts.length, shareOf);
    const own = runs.filter(
      ({ text, begin, end }) => shareOf(text) === 0 && !covered.slice(begin, end).includes(true),
    );
    for (const { text } of own) ngrams.add(text);
    const { begin, end } = openPart(covered);
    const isInside = (run: Run) => begin <= run.begin && run.end <= end;
    const rarest = rarestOf(runs.filter(isInside), counts);
    // a text that contains the stretch contains the run as well
    if (rarest === null || own.some(isInside)) continue;
    const whole = covered.includes(false) ? null : symbolsOf(problems[n] ?? '');
    const stretch = { units: units.texts.slice(begin, end), anchor: rarest.begin - begin, whole };
    const beside = stretches.get(rarest.text);
    if (beside === undefined) stretches.set(rarest.text, [stretch]);
    else beside.push(stretch);
  }
  return { ngramSize, problems, ngrams, stretches, wholes: new Set(problems.map(wholeOf)) };
}

/** The same index; runs that most of the training texts share are common too. */
export const indexBeside = (
  { problems, ngramSize }: EvaluationIndex,
  learned: readonly (readonly string[])[],
): EvaluationIndex => indexEvaluations(problems, { ngramSize, learned });

/** The number of texts that contain each run. */
function countRuns(unitsN: readonly Units[], ngramSize: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const units of unitsN)
    for (const run of new Set([...runsOf(units, ngramSize)].map(({ text }) => text)))
      counts.set(run, (counts.get(run) ?? 0) + 1);
  return counts;
}

/** The share of texts that contain a run, if it is common; else 0. */
function commonIn(
  counts: ReadonlyMap<string, number>,
  problems: number,
  learned: readonly (readonly string[])[],
  ngramSize: number,
): (run: string) => number {
  const learnedCounts = new Map<string, number>();
  const sample = sampledIndices(learned.length).map((index) => learned[index] ?? []);
  for (const parts of sample) {
    const runs = parts.flatMap((text) => [...runsOf(unitsOf(text), ngramSize)].map((run) => run.text));
    for (const run of new Set(runs))
      if (counts.has(run)) learnedCounts.set(run, (learnedCounts.get(run) ?? 0) + 1);
  }
  return (run) =>
    Math.max(
      shareWhereMany(counts.get(run) ?? 0, problems, COMMON_IN_EVALUATION),
      shareWhereMany(learnedCounts.get(run) ?? 0, sample.length, COMMON_IN_LEARNED),
    );
}

/** `count` ÷ `all` where it is large: both of two, four fifths of more, or above the bound; else 0. */
function shareWhereMany(count: number, all: number, { least, share }: Common): number {
  const isMany =
    (count >= 2 && count === all) ||
    (count >= 3 && count >= 0.8 * all) ||
    (count >= least && count > share * all);
  return isMany ? count / all : 0;
}

/**
 * Which units are ignored: in each stretch of common runs, those of the runs that are at least half as common as the
 * most common one of the stretch.
 */
function coveredBy(runs: readonly Run[], units: number, shareOf: (run: string) => number): boolean[] {
  const covered = Array.from({ length: units }, () => false);
  const shares = runs.map(({ text }) => shareOf(text));
  for (let first = 0; first < runs.length; first++) {
    let next = first;
    while ((shares[next] ?? 0) > 0) next++;
    const most = Math.max(...shares.slice(first, next), 0);
    for (const [i, { begin, end }] of runs.slice(first, next).entries())
      if (2 * (shares[first + i] ?? 0) >= most) covered.fill(true, begin, end);
    first = next;
  }
  // the units after the last run weigh too little for another run
  const end = runs.at(-1)?.end ?? 0;
  if (covered[end - 1] === true) covered.fill(true, end);
  return covered;
}

/** From the first to the last unit that no common run covers; the whole problem, where each is covered. */
function openPart(covered: readonly boolean[]): { begin: number; end: number } {
  const begin = covered.indexOf(false);
  return begin < 0 ? { begin: 0, end: covered.length } : { begin, end: covered.lastIndexOf(false) + 1 };
}

/** Stretches are indexed by their rarest run, so that a text is compared with few of them. */
function rarestOf(runs: readonly Run[], counts: ReadonlyMap<string, number>): Run | null {
  const countOf = ({ text }: Run) => counts.get(text) ?? 0;
  return runs.reduce<Run | null>((best, run) => (best && countOf(best) <= countOf(run) ? best : run), null);
}

/** A text without white space and without its final punctuation, which the text around it may change. */
function symbolsOf(text: string): string {
  const symbols = wholeOf(text).replace(/\s+/g, '');
  let end = symbols.length;
  while (end > 0 && /\p{P}/u.test(symbols[end - 1] ?? '')) end--;
  return symbols.slice(0, end);
}

/**
 * The evidence that a text shares with an evaluation: a run of words, a stretch of a problem, or the whole problem;
 * null where there is none.
 */
export function sharedWithEvaluation(index: EvaluationIndex, text: string): string | null {
  const whole = wholeOf(text);
  if (index.wholes.has(whole)) return whole;
  const units = unitsOf(text);
  for (const run of runsOf(units, index.ngramSize)) {
    if (index.ngrams.has(run.text)) return readable(run.text);
    const stretch = index.stretches.get(run.text)?.find((each) => holdsStretch(units, run.begin, text, each));
    if (stretch !== undefined) return readable(stretch.units.join(' '));
  }
  return null;
}

function holdsStretch(
  { texts }: Units,
  position: number,
  text: string,
  { units, anchor, whole }: Stretch,
): boolean {
  const begin = position - anchor;
  if (begin < 0 || begin + units.length > texts.length) return false;
  return (
    units.every((unit, i) => texts[begin + i] === unit) && (whole === null || symbolsOf(text).includes(whole))
  );
}
