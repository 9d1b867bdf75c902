import { Failure } from '../../contracts/failures.ts';
import type { Reference } from '../../contracts/reference.ts';
import {
  type BeginCheckpointInput,
  type BeginCheckpointResult,
  type CheckpointResult,
  CONTRACT_VERSION,
  type Digests,
  type FinishCheckpointInput,
  type Manifest,
} from '../../contracts/training.ts';
import type { Staged } from '../../engine/service/service-arrays.ts';
import { digestInPieces } from '../../engine/weights/digest.ts';
import { declaredConfig } from '../../engine/weights/model-folder.ts';
import { type StoredTensors, safetensorsChunks } from '../../engine/weights/safetensors.ts';
import { shardTensors } from '../../engine/weights/shards.ts';
import { type ByteSource, memorySource, piecesSource } from '../../stores/objects/byte-source.ts';
import { keys } from '../../stores/objects/keys.ts';
import {
  type CheckpointUnderWay,
  type HeldPolicy,
  policyOf,
  refuseOtherStep,
  type TrainerContext,
} from './held-policy.ts';
import { reportProgress } from './progress.ts';

const MOMENTS = 'optimizer.safetensors';
const text = new TextEncoder();

/** Copies the whole state once; then training goes on. */
export function beginCheckpoint(
  context: TrainerContext,
  { lease, expectedStep }: BeginCheckpointInput,
): Promise<BeginCheckpointResult> {
  return context.exclusive(async () => {
    const started = performance.now();
    const held = policyOf(context, lease);
    const { checkpoint } = held;
    if (checkpoint?.began.step === expectedStep) return checkpoint.began;
    if (checkpoint?.staged) {
      throw new Failure(
        'Contradiction',
        `checkpoint of step ${expectedStep}: expected no other under way, found that of step ${checkpoint.began.step}: ` +
          'finish it first',
      );
    }
    refuseOtherStep(held, expectedStep);
    const staged = await context.engine.call('stage');
    const { step, policy, numerics, files } = held;
    const began: BeginCheckpointResult = {
      version: CONTRACT_VERSION,
      step,
      policy,
      bytes: bytesOf(filesOf(staged, { config: held.config, limit: context.mostFileBytes })),
      seconds: (performance.now() - started) / 1000,
    };
    const manifest = { lease, step, policy, numerics, files };
    held.checkpoint = { began, manifest, staged, finishing: null };
    context.failpoints.reached('staged', step);
    return began;
  });
}

/** What a checkpoint's objects hold, by their names in its folder. */
interface StagedFiles {
  /** the weights in one file, or in several */
  weights: [name: string, source: ByteSource][];
  /** the index of several files, and a configuration that must change */
  texts: [name: string, source: ByteSource][];
  moments: ByteSource;
  reference: ByteSource | null;
}

function filesOf({ weights, moments, reference }: Staged, { config, limit }: FolderRules): StagedFiles {
  const source = (tensors: StoredTensors) => piecesSource(safetensorsChunks(tensors));
  const { files, index } = shardTensors(weights, limit);
  const declared = declaredConfig(config, 'F32');
  return {
    weights: [...files].map(([name, tensors]) => [name, source(tensors)]),
    texts: [
      ...(index === null ? [] : ([[index.name, memorySource(text.encode(index.text))]] as const)),
      ...(declared === null ? [] : ([['config.json', memorySource(declared)]] as const)),
    ].map(([name, bytes]) => [name, bytes]),
    moments: source(moments),
    reference: reference === null ? null : source(reference),
  };
}

interface FolderRules {
  /** `config.json` of the checkpoint that was loaded: it may name the dtype of a base */
  config: unknown;
  /** bytes of tensors in one file */
  limit: number | undefined;
}

const bytesOf = ({ weights, moments, reference }: StagedFiles) =>
  weights.reduce((sum, [, { bytes }]) => sum + bytes, 0) + moments.bytes + (reference?.bytes ?? 0);

/**
 * Writes the staged state while other calls are served: weights in a Hugging Face folder, moments, the reference under
 * its digest, and the manifest last (rule 4). Writing it again under the same lease writes no new objects, and a
 * repeated request returns the same result.
 */
export async function finishCheckpoint(
  context: TrainerContext,
  { lease, step }: FinishCheckpointInput,
): Promise<CheckpointResult> {
  const held = policyOf(context, lease);
  const { checkpoint } = held;
  if (checkpoint === null || checkpoint.began.step !== step) {
    throw new Failure(
      'TrainerLost',
      `expected a staged checkpoint of step ${step}, found ${checkpoint === null ? 'none' : `that of step ${checkpoint.began.step}`}: acquire again`,
    );
  }
  checkpoint.finishing ??= write(context, checkpoint, held.config);
  try {
    return await checkpoint.finishing;
  } catch (error) {
    // The copies are still there: a repeated request writes them again.
    checkpoint.finishing = null;
    throw error;
  }
}

async function write(
  { objects, failpoints, mostFileBytes }: TrainerContext,
  checkpoint: CheckpointUnderWay,
  config: unknown,
): Promise<CheckpointResult> {
  const started = performance.now();
  const { manifest: about, staged } = checkpoint;
  const { lease, step } = about;
  if (staged === null || lease === null)
    throw new Failure('TrainerLost', `checkpoint of step ${step}: it was dropped`);
  const digests = await digestsOf(staged);
  const key = (file: string) => keys.checkpointFile(lease, step, file);
  const files = filesOf(staged, { config, limit: mostFileBytes });
  const of = bytesOf(files);
  let written = 0;
  const onBytes = (bytes: number) => {
    written += bytes;
    reportProgress('writing', written, of);
  };
  reportProgress('writing', 0, of);
  const put = (file: string, source: ByteSource) => objects.putSource(key(file), source, onBytes);
  const folder: [string, Reference][] = [];
  for (const [name, source] of [...files.weights, ...files.texts])
    folder.push([name, await put(name, source)]);
  const momentsAt = await put(MOMENTS, files.moments);
  const referenceAt =
    files.reference && digests.reference
      ? await objects.putSource(keys.referencePolicy(digests.reference), files.reference, onBytes)
      : null;
  failpoints.reached('checkpoint-objects', step);
  const manifest: Manifest = {
    ...about,
    kind: 'checkpoint',
    version: CONTRACT_VERSION,
    digests,
    files: { ...about.files, ...Object.fromEntries(folder) },
    moments: momentsAt,
    reference: referenceAt,
  };
  const manifestAt = await objects.put(
    keys.manifest(lease, step),
    text.encode(JSON.stringify(manifest, null, 2)),
  );
  failpoints.reached('manifest', step);
  checkpoint.staged = null;
  return {
    version: CONTRACT_VERSION,
    manifest: manifestAt,
    step,
    policy: checkpoint.began.policy,
    digests,
    bytes: [...folder.map(([, file]) => file), momentsAt, referenceAt, manifestAt].reduce(
      (sum, part) => sum + (part?.bytes ?? 0),
      0,
    ),
    seconds: (performance.now() - started) / 1000,
  };
}

/** Digests of the copies, hashed in pieces between which the process serves other calls. */
async function digestsOf({ weights, moments, reference }: Staged): Promise<Digests> {
  let tensors = 0;
  const onTensor = () => {
    tensors += 1;
    reportProgress('checking', tensors, tensors);
  };
  return {
    weights: await digestInPieces(weights, onTensor),
    moments: await digestInPieces(moments, onTensor),
    reference: reference === null ? null : await digestInPieces(reference, onTensor),
  };
}

/** Waits for a checkpoint that is being written, and frees the copies of one that nobody asked for. */
export async function settleCheckpoint({ checkpoint }: HeldPolicy): Promise<void> {
  if (checkpoint === null) return;
  await checkpoint.finishing?.catch(() => undefined);
  checkpoint.staged = null;
}
