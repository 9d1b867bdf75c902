/** Completions of a GRPO step: read from S3, and shown as text. */
import { tokenizerOf } from '../../activities/checkpoints/checkpoint-files.ts';
import { isReinforcement, type LoggedBatch, readLoggedBatch } from '../../activities/records/logged-batch.ts';
import { readShards, type ShardTexts } from '../../activities/records/shards.ts';
import { judgedCompletions } from '../../activities/rewards/judged-completions.ts';
import type {
  CompletionDocument,
  CompletionVerdict,
  StepSamplesDocument,
} from '../../contracts/completion-document.ts';
import type { EvalDocument, StepDocument } from '../../contracts/documents.ts';
import type { Queryable } from '../../stores/database/database.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import type { DecodedRecord } from '../../stores/objects/records.ts';
import { listSteps } from '../../stores/steps/steps.ts';
import { InputError } from '../errors.ts';
import { count, plainLines, plainText } from '../output/figures.ts';

interface StepSamplesFilter {
  step: number;
  /** null selects all */
  verdict: CompletionVerdict | null;
  limit: number;
}

/** Throws InputError where the step is not committed or its stage trains on examples. */
export async function readStepSamples(
  { reader, objects }: { reader: Queryable; objects: ObjectStore },
  { run, stage }: { run: string; stage: string },
  { step, verdict, limit }: StepSamplesFilter,
): Promise<StepSamplesDocument> {
  const recorded = await recordedStep(reader, { run, stage, step });
  const batch = await readLoggedBatch(objects, recorded.batch);
  if (!isReinforcement(batch))
    throw new InputError(
      `${run}/${stage}: expected a GRPO stage, whose steps sample completions, found one that trains on examples. ` +
        `Samples for its data set: \`r1 samples ${run} ${stage}\`.`,
    );
  const completions = await completionsOf(objects, batch.record);
  const outcomes = outcomesOf(batch);
  const ofStep = completions.filter(({ sequence }) => outcomes.has(sequence));
  const number = (of: CompletionVerdict) => ofStep.filter((completion) => completion.verdict === of).length;
  const asked = ofStep.filter((completion) => verdict === null || completion.verdict === verdict);
  return {
    ...{ run, stage, branch: recorded.branch, step },
    policy: batch.record.policyDigest ?? batch.record.policy ?? '',
    rollout: ('index' in batch.record.rollout ? batch.record.rollout.index : batch.record.rollout.rollout)
      .uri,
    ...{
      completions: ofStep.length,
      right: number('right'),
      wrong: number('wrong'),
      errors: number('error'),
    },
    asked: asked.length,
    samples: asked
      .slice(0, limit)
      .map((completion) => ({ ...completion, ...(outcomes.get(completion.sequence) ?? NO_OUTCOME) })),
  };
}

async function recordedStep(
  reader: Queryable,
  { run, stage, step }: { run: string; stage: string; step: number },
): Promise<StepDocument> {
  const found = (await listSteps(reader, run, { stage, after: step - 1 })).find((each) => each.step === step);
  if (found !== undefined) return found;
  const last = (await listSteps(reader, run, { stage })).at(-1)?.step;
  const expected = last === undefined ? 'a recorded step (there is none yet)' : `a step from 1 to ${last}`;
  throw new InputError(
    `--step ${step}: expected ${expected} of ${run}/${stage}. \`r1 steps ${run}\` lists them.`,
  );
}

async function completionsOf(objects: ObjectStore, { rollout }: LoggedBatch) {
  const completions: (CompletionDocument & { sequence: number })[] = [];
  const where = 'index' in rollout ? { rollout: rollout.index, scores: rollout.index } : rollout;
  for await (const shard of readShards(objects, where)) {
    const judged = judgedCompletions({ ...shard, promptTextsP: await promptTexts(objects, shard) });
    for (const [n, completion] of judged.entries()) {
      const sequence = shard.sequenceOf(n);
      if (sequence !== null) completions.push({ ...completion, sequence });
    }
  }
  return completions.sort((a, b) => a.sequence - b.sequence);
}

/** Prompts as the model read them; the bare problems where the tokenizer is unknown. */
async function promptTexts(
  objects: ObjectStore,
  { request, promptsP }: Pick<ShardTexts, 'request' | 'promptsP'>,
): Promise<string[]> {
  if (request.model === null) return request.prompts.map(({ problem }) => problem);
  const tokenizer = await tokenizerOf(objects, request.model, {});
  return promptsP.map((tokens) => tokenizer.decode(tokens));
}

interface Outcome {
  advantage: number | null;
  dropped: string | null;
}
const NO_OUTCOME: Outcome = { advantage: null, dropped: null };

/** By index in the rollout: sequences of the step's batch, and sequences dropped from every batch of the rollout. */
function outcomesOf({ record, ints, floats }: DecodedRecord<LoggedBatch>): Map<number, Outcome> {
  const advantages = floats('advantages');
  const trained = [...ints('sequences')].map((sequence, b): [number, Outcome] => [
    sequence,
    { advantage: advantages[b] ?? null, dropped: null },
  ]);
  const dropped = record.drops.map(({ sequence, reason, message }): [number, Outcome] => [
    sequence,
    { advantage: null, dropped: `${reason}: ${message}` },
  ]);
  return new Map([...dropped, ...trained].sort(([a], [b]) => a - b));
}

export function countCompletions(completions: readonly CompletionDocument[]): EvalDocument['counts'] {
  const number = (of: (completion: CompletionDocument) => boolean) => completions.filter(of).length;
  return {
    right: number(({ verdict }) => verdict === 'right'),
    wrong: number(({ verdict }) => verdict === 'wrong'),
    errors: number(({ verdict }) => verdict === 'error'),
    unanswered: number(({ extracted }) => extracted === null),
    truncated: number(({ truncated }) => truncated),
  };
}

/** `1024 samples: 0 right, 1024 wrong; in 1010 no answer was found, 1024 were cut at 128 tokens` */
export function countsText(
  { right, wrong, errors, unanswered, truncated }: EvalDocument['counts'],
  { samples, limit }: { samples: number; limit: number },
): string {
  const parts = [
    ...(unanswered > 0 ? [`in ${unanswered} no answer was found`] : []),
    ...(truncated > 0 ? [`${truncated} were cut at ${limit} tokens`] : []),
  ];
  const failed = errors === 0 ? '' : `, ${errors} without a verdict (errors)`;
  return `${samples} samples: ${right} right, ${wrong} wrong${failed}${parts.length === 0 ? '' : `; ${parts.join(', ')}`}`;
}

const PROMPT_CHARACTERS = 600;
const COMPLETION_CHARACTERS = 2_000;
const ANSWER_CHARACTERS = 200;

/** One completion: verdict, prompt, text, extracted answer and correct answer. */
export function completionText(completion: CompletionDocument, head: readonly string[] = []): string {
  const { verdict, rewards, domain, sample, tokens, truncated, prompt, extracted, truth } = completion;
  const parts = Object.entries(rewards).map(([name, part]) => `${name} ${partText(part)}`);
  const size = truncated ? `${count(tokens)} tokens, cut by the limit` : `${count(tokens)} tokens`;
  const answer = extracted === null ? 'none found' : plainText(extracted, ANSWER_CHARACTERS);
  return [
    [...head, `${domain}, sample ${sample}`, verdict, parts.join(', '), size].join('  ·  '),
    block('prompt', prompt, PROMPT_CHARACTERS),
    block('completion', completion.completion, COMPLETION_CHARACTERS),
    `  answer      ${answer}`,
    `  correct     ${truth === '' ? 'see the entry of the prompt' : plainText(truth, ANSWER_CHARACTERS)}`,
  ].join('\n');
}

/** A text with a label, each line indented. */
function block(name: string, text: string, length: number): string {
  const [first = '', ...others] = plainLines(text, length);
  return [`  ${name.padEnd(10)}  ${first}`, ...others.map((line) => `              ${line}`)].join('\n');
}

function partText(part: CompletionDocument['rewards'][string]): string {
  if (part === null) return '–';
  return 'score' in part
    ? String(Number(part.score.toFixed(3)))
    : `${part.error.kind}: ${plainText(part.error.message, 80)}`;
}

export function stepSamplesText(document: StepSamplesDocument): string {
  const { run, stage, step, completions, right, wrong, errors, asked, samples, policy } = document;
  const failed = errors === 0 ? '' : `, ${errors} without a verdict (errors)`;
  const shown = samples.length < asked ? `\n${samples.length} of ${asked} shown; --limit shows more.` : '';
  return [
    `${run}/${stage} step ${step}: ${completions} completions, ${right} right, ${wrong} wrong${failed}; sampled by the policy ` +
      `${policy.slice(0, 12)}.${shown}`,
    ...(samples.length === 0 ? ['No matching completion.'] : []),
    ...samples.map((sample) => completionText(sample, [`sequence ${sample.sequence}`, outcomeText(sample)])),
  ].join('\n\n');
}

function outcomeText({ advantage, dropped }: StepSamplesDocument['samples'][number]): string {
  if (dropped !== null) return `dropped: ${plainText(dropped, 80)}`;
  return advantage === null ? 'not in the batch' : `advantage ${advantage.toFixed(3)}`;
}
