import { type EvaluationIndex, sharedWithEvaluation } from '../../../algorithm/data/decontamination.ts';
import {
  type CandidateSample,
  countSelected,
  type Measures,
  rewardsNeeded,
  type Selected,
  selectSamples as select,
} from '../../../algorithm/data/filters.ts';
import { templateRewriter } from '../../../algorithm/data/rewrite.ts';
import { deriveSeed } from '../../../algorithm/random/seeds.ts';
import type {
  SampleCounts,
  SampleVerdict,
  SelectSamplesInput,
  TemplateName,
} from '../../../contracts/datasets.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { SampleRequest, ScoresRecord, Verdict } from '../../../contracts/records/schemas.ts';
import { commitPart, findPart, type NewSample } from '../../../stores/data/samples.ts';
import { packTexts, putTexts } from '../../../stores/objects/texts.ts';
import type { Stores, WatchedStores } from '../../dependencies.ts';
import { planOf } from '../../plan-of.ts';
import { readSampleRequest } from '../../records/request.ts';
import { readRollout } from '../../records/rollout.ts';
import { readScoresAndTexts } from '../../records/scores.ts';
import { evaluatedProblems } from './evaluated-problems.ts';

/**
 * Decides which completions of a rollout are accepted, writes all their texts as one object (accepted ones in the form of
 * the template), and commits a row for each.
 */
export async function selectSamples(stores: WatchedStores, input: SelectSamplesInput): Promise<SampleCounts> {
  const committed = await findPart(stores.database, input);
  if (committed !== null) return committed.counts;
  const { key, rule } = input;
  const plan = await planOf(stores.database, key.run);
  const [samplesN, evaluated] = await Promise.all([
    readSamples(stores, input),
    rule.decontaminate ? evaluatedProblems(stores.database, plan.promptSet) : null,
  ]);
  const measures = measuresOf(rule.template, evaluated);
  const seed = selectionSeed(BigInt(plan.seed), input);
  const selectedN = select(samplesN, rule, { measures, seed });
  const counts = await commitSelected(stores, input, samplesN, selectedN);
  stores.failpoints.reached('part-rows', input.part);
  return counts;
}

/** A completion with the fields of its row that the rules do not need. */
export type SampledCandidate = CandidateSample & Pick<NewSample, 'sequence' | 'seed'>;

/** Writes the texts, then commits the part's rows (rule 4). */
export async function commitSelected(
  { database, objects, failpoints }: WatchedStores,
  input: SelectSamplesInput,
  samplesN: readonly SampledCandidate[],
  selectedN: readonly Selected[],
): Promise<SampleCounts> {
  const counts = countSelected(samplesN, selectedN, input.rule);
  const packed = packTexts(samplesN.map(({ text }, n) => selectedN[n]?.text ?? text));
  const shard = await putTexts(objects, packed);
  failpoints.reached('part-texts', input.part);
  const samples = samplesN.map(({ sequence, prompt, seed, tokens, truncated, rewards }, n) => ({
    sequence,
    prompt,
    seed,
    tokens,
    truncated,
    rewards,
    reason: selectedN[n]?.reason ?? null,
    text: packed.locations[n] ?? { offset: 0, length: 0, sha256: '' },
  }));
  return commitPart(database, { ...input, shard, counts, samples });
}

/** The measures that the pure rules use. */
export function measuresOf(template: TemplateName, evaluated: EvaluationIndex | null): Measures {
  const { rewrite } = templateRewriter(template);
  return {
    isContaminated: (problem) => evaluated !== null && sharedWithEvaluation(evaluated, problem) !== null,
    rewrite,
  };
}

/**
 * The seed by which a part chooses among samples of one prompt. "/" in the stage's name is replaced by ":".
 * `deriveSeed` does not need this; it stays because another label would select other samples.
 */
function selectionSeed(runSeed: bigint, { key, part }: SelectSamplesInput): bigint {
  const stage = key.stage.replaceAll('/', ':');
  return deriveSeed({
    runSeed,
    stage,
    branch: key.branch,
    purpose: 'select',
    step: part,
    slot: 0,
    sample: 0,
  });
}

async function readSamples({ objects }: Stores, input: SelectSamplesInput): Promise<SampledCandidate[]> {
  const [rollout, scores] = await Promise.all([
    readRollout(objects, input.rollout),
    readScoresAndTexts(objects, input.scores),
  ]);
  const { record, lengthsN, truncatedN } = rollout;
  const { request } = await readSampleRequest(objects, record.request);
  refuseForeign(input, record.policyDigest, scores);
  return scores.texts.map((text, n) => ({
    ...promptOf(request, n),
    sequence: n,
    seed: request.seeds[n] ?? '0',
    text,
    tokens: lengthsN[n] ?? 0,
    truncated: truncatedN[n] === 1,
    rewards: verdictsOn(scores, n),
  }));
}

/** Samples must be of the policy that their rows will name, and have the scores that the rule needs (rule 9). */
function refuseForeign(
  { key, part, from, rule, rollout }: SelectSamplesInput,
  policyDigest: string | null,
  scores: ScoresRecord,
): void {
  const where = `${key.run}/${key.stage}: part ${part} of its samples`;
  const { weights } = from.checkpoint.digests;
  if (policyDigest !== weights) {
    throw new Failure(
      'Contradiction',
      `${where}: expected completions of ${from.stage}'s policy ${weights}, found those of ${policyDigest}; sample again`,
    );
  }
  if (scores.rollout.sha256 !== rollout.sha256) {
    throw new Failure(
      'Contradiction',
      `${where}: expected scores of ${rollout.uri}, found those of ${scores.rollout.uri}`,
    );
  }
  const names = scores.rewards.map(({ name }) => name);
  const lacking = rewardsNeeded(rule).filter((name) => !names.includes(name));
  if (lacking.length === 0) return;
  throw new Failure(
    'InvalidInput',
    `${where}: expected scores of the rewards ${rewardsNeeded(rule).join(', ')}, found only ${names.join(', ')}. ` +
      'Score them too, or leave out the rule that needs them.',
  );
}

function promptOf({ prompts, numGenerations, seeds }: SampleRequest, n: number) {
  const drawn = prompts[Math.floor(n / numGenerations)];
  if (drawn !== undefined) return { prompt: drawn.prompt, problem: drawn.problem, domain: drawn.domain };
  throw new Failure('CorruptObject', `scores: expected at most ${seeds.length} texts, found a ${n + 1}th`);
}

function verdictsOn({ rewards }: ScoresRecord, n: number): Record<string, SampleVerdict> {
  return Object.fromEntries(
    rewards.flatMap(({ name, version, verdicts }) => {
      const verdict = verdicts[n];
      return verdict === undefined ? [] : [[name, sampleVerdict(verdict, version)]];
    }),
  );
}

function sampleVerdict(verdict: Verdict, version: number): SampleVerdict {
  if ('score' in verdict) return { score: verdict.score, version };
  const { kind, message } = verdict.error;
  return { error: { kind, message: storable(message) }, version };
}

/** A message may quote a model's text; Postgres stores neither NUL nor lone surrogates. */
const storable = (text: string) => Buffer.from(text.replaceAll('\0', '\uFFFD'), 'utf8').toString('utf8');
