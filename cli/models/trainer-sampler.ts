/** Samples by a trainer of the stack: a workflow of its own leases one, as a stage does. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { importBase } from '../../activities/checkpoints/import-base.ts';
import { split } from '../../activities/ragged.ts';
import { putSampleRequest } from '../../activities/records/request.ts';
import { readRollout } from '../../activities/records/rollout.ts';
import type { Reference } from '../../contracts/reference.ts';
import {
  type SampledPart,
  type SamplingInput,
  type SamplingProgress,
  samplingKey,
} from '../../contracts/sampling.ts';
import { heartbeatSchema } from '../../contracts/training.ts';
import { messages, queues, stageWorkflowId, workflowTypes } from '../../contracts/workflows.ts';
import { keys } from '../../stores/objects/keys.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { decodeRecord } from '../../stores/objects/records.ts';
import { CommandError, messageOf } from '../errors.ts';
import type { Connections } from '../stack/connections.ts';
import type { OpenModel } from './open-model.ts';
import type { SampledShard, SamplingWork } from './sampling-work.ts';

/** How often the workflow is asked, in milliseconds. */
const POLL_EVERY = 300;
/** A query that takes longer has no worker to answer it. */
const QUERY_MILLISECONDS = 5_000;
/** Log-probabilities that `r1 generate` shows. */
const LOGPROBS_AT = 1;

interface TrainerSampler {
  sample(work: SamplingWork, signal: AbortSignal): AsyncGenerator<SampledShard>;
  /** Ends the work of the trainer. */
  cancel(): Promise<void>;
}

export function sampleOnTrainer(
  opened: OpenModel,
  connections: Pick<Connections, 'objects' | 'temporal'>,
): TrainerSampler {
  let running: WorkflowHandle | null = null;
  let cancelling: Promise<unknown> | null = null;
  /** Ends when the server has the request, also for a second caller. */
  const cancel = async () => {
    if (running !== null) cancelling ??= running.cancel();
    await cancelling;
  };
  return {
    async *sample(work, signal) {
      const [objects, client] = await Promise.all([connections.objects(), connections.temporal()]);
      const input = await writeRequests(objects, opened, work);
      const handle = await start(client, input, opened.name);
      running = handle;
      try {
        for await (const part of sampledParts(client, handle, work, signal)) yield readPart(objects, part);
        running = null;
      } finally {
        // Where an error ended the work here, the trainer is not kept.
        await cancel().catch(() => undefined);
      }
    },
    cancel,
  };
}

/** Imports a model's folder as a launch does, and writes the shards' requests. */
async function writeRequests(
  objects: ObjectStore,
  { name, origin, stored, model }: OpenModel,
  { shards, withLogprobs, say }: SamplingWork,
): Promise<SamplingInput> {
  const { step, manifest, digests } = origin ?? stored ?? (await importBase({ objects }, model));
  if (origin === null && stored === undefined)
    say(`${name} is in the object store, for the trainer: ${manifest.uri}`);
  const key = samplingKey(randomUUID().slice(0, 8));
  const requests: Reference[] = [];
  for (const { request, promptsP } of shards) {
    const written = { request: { ...request, model: manifest }, promptsP };
    requests.push(await putSampleRequest(objects, keys.modelRequest(key), written));
  }
  return {
    key,
    checkpoint: { step, manifest, digests },
    requests,
    logprobsAt: withLogprobs ? LOGPROBS_AT : null,
  };
}

const start = (client: Client, input: SamplingInput, name: string): Promise<WorkflowHandle> =>
  client.workflow.start(workflowTypes.sampling, {
    workflowId: stageWorkflowId(input.key),
    taskQueue: queues.orchestrator,
    args: [input],
    staticSummary: `samples of ${name}`,
  });

/** The shards in their order, each once it is sampled. */
async function* sampledParts(
  client: Client,
  handle: WorkflowHandle,
  { shards, onProgress }: SamplingWork,
  signal: AbortSignal,
): AsyncGenerator<SampledPart> {
  let result: SampledPart[] | null = null;
  let failure: unknown = null;
  handle.result().then(
    (parts: SampledPart[]) => {
      result = parts;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  let known = 0;
  while (known < shards.length) {
    signal.throwIfAborted();
    if (failure !== null) throw reasonOf(failure);
    const progress: SamplingProgress | null =
      result === null ? await ask(client, handle, known) : { leased: true, sampled: sliceOf(result, known) };
    for (const part of progress?.sampled ?? []) {
      known += 1;
      yield part;
    }
    const done = shards.slice(0, known).reduce((sum, { request }) => sum + request.seeds.length, 0);
    onProgress(await progressOf(handle, progress, done));
    if (known < shards.length && progress?.sampled.length === 0) await sleep(POLL_EVERY);
  }
}

/** Of a workflow that has ended, every shard. */
const sliceOf = (parts: readonly SampledPart[], from: number): SampledPart[] => parts.slice(from);

/** Null where no worker answers. */
const ask = (client: Client, handle: WorkflowHandle, from: number): Promise<SamplingProgress | null> =>
  client.connection
    .withDeadline(Date.now() + QUERY_MILLISECONDS, () =>
      handle.query<SamplingProgress, [number]>(messages.progress, from),
    )
    .catch(() => null);

/** temporal.api.enums.v1.PendingActivityState: a worker runs it */
const STARTED = 2;

async function progressOf(
  handle: WorkflowHandle,
  progress: SamplingProgress | null,
  done: number,
): Promise<{ done: number; waiting?: string }> {
  if (progress === null) return { done, waiting: 'waiting for an orchestrator' };
  const [call] = (await handle.describe().catch(() => null))?.raw.pendingActivities ?? [];
  if (!progress.leased)
    return { done, waiting: call?.state === STARTED ? 'loading the model' : 'waiting for a trainer' };
  const data = call?.heartbeatDetails?.payloads?.[0]?.data;
  const beat = heartbeatSchema.safeParse(
    data == null ? null : JSON.parse(Buffer.from(data).toString('utf8')),
  );
  const sampling = beat.success && beat.data.phase === 'sampling' ? beat.data.done : 0;
  return { done: done + sampling };
}

/** What ended the workflow, without Temporal's wrappers. */
function reasonOf(error: unknown): Error {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return new CommandError(`The trainer could not sample: ${messageOf(inner)}`);
}

async function readPart(objects: ObjectStore, { rollout, logprobs }: SampledPart): Promise<SampledShard> {
  const { completionsN, lengthsN, truncatedN } = await readRollout(objects, rollout);
  if (logprobs === null) return { completionsN, lengthsN, truncatedN, logprobsN: null };
  const decoded = decodeRecord(['logprobs'], await objects.get(logprobs), logprobs.uri);
  return { completionsN, lengthsN, truncatedN, logprobsN: split(decoded.floats('old'), lengthsN) };
}
