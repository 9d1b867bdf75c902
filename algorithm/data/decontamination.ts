/**
 * Keeps what a policy is measured on out of what it learns from: a text that shares a run of ten words with an
 * evaluation's problem is left out (DeepSeek-R1, supplementary information, "Decontamination").
 *
 * What many problems share, such as an instruction before or after each of them, says nothing of any of them. A run
 * is common where more than a twentieth of the evaluation's different problems hold it, or nearly all texts to be
 * learned do, or of many texts more than one in fifty. The words of common runs are set aside; a run of the usual first words of a problem after the
 * instruction is held by fewer texts than the instruction is, and sets no word aside. Three things are evidence:
 * - a run of ten words none of which is set aside;
 * - the whole stretch from the first to the last word that is not set aside, where it is as long as a run;
 * - the whole problem, white space and case aside.
 */
import { normalizeProblem } from './prompt-row.ts';
import { type Run, readable, runsOf, type Units, unitsOf } from './text-units.ts';

/** Words in a run; of scripts without blanks between words, as many letters as say as much. */
const DECONTAMINATION_NGRAM = 10;

/** From how many of the different texts on, and from which share of them, a run is common. */
interface Common {
  least: number;
  share: number;
}
const COMMON_IN_EVALUATION: Common = { least: 3, share: 1 / 20 };
/** A problem may have been copied into several texts, so more of them must hold what is common. */
const COMMON_IN_LEARNED: Common = { least: 20, share: 1 / 50 };

/** So many of the texts to be learned say what most of them share. */
const LEARNED_SAMPLE = 2_000;

/** The places, evenly spaced, of those among `texts` texts to be learned that are looked at. */
export const placesOfLearned = (texts: number): number[] =>
  Array.from({ length: Math.min(texts, LEARNED_SAMPLE) }, (_, i) =>
    Math.floor((i * texts) / Math.min(texts, LEARNED_SAMPLE)),
  );

/** The evaluations' texts, as they are looked for. */
export interface EvaluationIndex {
  ngramSize: number;
  /** different ones, in their order */
  problems: readonly string[];
  /** runs that are evidence by themselves */
  ngrams: ReadonlySet<string>;
  /** stretches without such a run that are evidence as a whole, by the rarest run in them */
  stretches: ReadonlyMap<string, readonly Stretch[]>;
  /** problems that are evidence as a whole, normalised */
  wholes: ReadonlySet<string>;
}

/** A stretch of a problem that is looked for as a whole. */
interface Stretch {
  units: readonly string[];
  /** where its rarest run begins in it */
  anchor: number;
  /** the signs and letters that must be there too; null: the units are enough */
  whole: string | null;
}

const wholeOf = (text: string) => normalizeProblem(text).toLowerCase();

export interface IndexOptions {
  ngramSize?: number;
  /** texts to be learned, or some of them, each with all that it says: what most of them share is common too */
  learned?: readonly (readonly string[])[];
}

/** Reads the problems that must not be learned. */
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
    // a text that holds the stretch would hold the run as well
    if (rarest === null || own.some(isInside)) continue;
    const whole = covered.includes(false) ? null : symbolsOf(problems[n] ?? '');
    const stretch = { units: units.texts.slice(begin, end), anchor: rarest.begin - begin, whole };
    const beside = stretches.get(rarest.text);
    if (beside === undefined) stretches.set(rarest.text, [stretch]);
    else beside.push(stretch);
  }
  return { ngramSize, problems, ngrams, stretches, wholes: new Set(problems.map(wholeOf)) };
}

/** The same index, where what most of the texts to be learned share is common too. */
export const indexBeside = (
  { problems, ngramSize }: EvaluationIndex,
  learned: readonly (readonly string[])[],
): EvaluationIndex => indexEvaluations(problems, { ngramSize, learned });

/** How many texts hold each run. */
function countRuns(unitsN: readonly Units[], ngramSize: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const units of unitsN)
    for (const run of new Set([...runsOf(units, ngramSize)].map(({ text }) => text)))
      counts.set(run, (counts.get(run) ?? 0) + 1);
  return counts;
}

/** The share of texts that hold a run, where that makes it common; else 0. */
function commonIn(
  counts: ReadonlyMap<string, number>,
  problems: number,
  learned: readonly (readonly string[])[],
  ngramSize: number,
): (run: string) => number {
  const learnedCounts = new Map<string, number>();
  const sample = placesOfLearned(learned.length).map((place) => learned[place] ?? []);
  for (const said of sample) {
    const runs = said.flatMap((text) => [...runsOf(unitsOf(text), ngramSize)].map((run) => run.text));
    for (const run of new Set(runs))
      if (counts.has(run)) learnedCounts.set(run, (learnedCounts.get(run) ?? 0) + 1);
  }
  return (run) =>
    Math.max(
      shareWhereMany(counts.get(run) ?? 0, problems, COMMON_IN_EVALUATION),
      shareWhereMany(learnedCounts.get(run) ?? 0, sample.length, COMMON_IN_LEARNED),
    );
}

/** So many of all as a share, where they are many: both of two, four fifths of more, or as the bound says; else 0. */
function shareWhereMany(count: number, all: number, { least, share }: Common): number {
  const isMany =
    (count >= 2 && count === all) ||
    (count >= 3 && count >= 0.8 * all) ||
    (count >= least && count > share * all);
  return isMany ? count / all : 0;
}

/**
 * Which units common runs set aside: those of each stretch of common runs that at least half as many texts hold as
 * hold the most common one of the stretch.
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
  // light units after the last run weigh too little for another
  const end = runs.at(-1)?.end ?? 0;
  if (covered[end - 1] === true) covered.fill(true, end);
  return covered;
}

/** From the first to the last unit that no common run covers; the whole problem, where each is covered. */
function openPart(covered: readonly boolean[]): { begin: number; end: number } {
  const begin = covered.indexOf(false);
  return begin < 0 ? { begin: 0, end: covered.length } : { begin, end: covered.lastIndexOf(false) + 1 };
}

/** Stretches are filed under their rarest run, so that few are compared with a text that holds it. */
function rarestOf(runs: readonly Run[], counts: ReadonlyMap<string, number>): Run | null {
  const countOf = ({ text }: Run) => counts.get(text) ?? 0;
  return runs.reduce<Run | null>((best, run) => (best && countOf(best) <= countOf(run) ? best : run), null);
}

/** A text without white space, and without its last signs, which a text around it may change. */
function symbolsOf(text: string): string {
  const signs = wholeOf(text).replace(/\s+/g, '');
  let end = signs.length;
  while (end > 0 && /\p{P}/u.test(signs[end - 1] ?? '')) end--;
  return signs.slice(0, end);
}

/**
 * What a text shares with an evaluation: a run of words, a stretch of a problem, or the whole problem; null where it
 * shares nothing that is evidence.
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
  place: number,
  text: string,
  { units, anchor, whole }: Stretch,
): boolean {
  const begin = place - anchor;
  if (begin < 0 || begin + units.length > texts.length) return false;
  return (
    units.every((unit, i) => texts[begin + i] === unit) && (whole === null || symbolsOf(text).includes(whole))
  );
}
