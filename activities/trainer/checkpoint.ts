import { Failure } from '../../contracts/failures.ts';
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
import { digestOfFile } from '../../engine/weights/digest.ts';
import { WEIGHTS_FILE } from '../../engine/weights/weights.ts';
import { keys } from '../../stores/objects/keys.ts';
import {
  type CheckpointUnderWay,
  type HeldPolicy,
  policyOf,
  refuseOtherStep,
  type TrainerContext,
} from './held-policy.ts';
import { reportProgress } from './progress.ts';

const WEIGHTS = WEIGHTS_FILE;
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
      bytes: bytesOf(staged),
      seconds: (performance.now() - started) / 1000,
    };
    const manifest = { lease, step, policy, numerics, files };
    held.checkpoint = { began, manifest, staged, finishing: null };
    context.failpoints.reached('staged', step);
    return began;
  });
}

const bytesOf = ({ model, moments, reference }: Staged) =>
  model.length + moments.length + (reference?.length ?? 0);

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
  checkpoint.finishing ??= write(context, checkpoint);
  try {
    return await checkpoint.finishing;
  } catch (error) {
    // The copies are still there: a repeated request writes them again.
    checkpoint.finishing = null;
    throw error;
  }
}

async function write(
  { objects, failpoints }: TrainerContext,
  checkpoint: CheckpointUnderWay,
): Promise<CheckpointResult> {
  const started = performance.now();
  const { manifest: about, staged } = checkpoint;
  const { lease, step } = about;
  if (staged === null || lease === null)
    throw new Failure('TrainerLost', `checkpoint of step ${step}: it was dropped`);
  const digests = await digestsOf(staged);
  const key = (file: string) => keys.checkpointFile(lease, step, file);
  const of = bytesOf(staged);
  let written = 0;
  const onBytes = (bytes: number) => {
    written += bytes;
    reportProgress('writing', written, of);
  };
  reportProgress('writing', 0, of);
  const [modelAt, momentsAt, referenceAt] = await Promise.all([
    objects.put(key(WEIGHTS), staged.model, onBytes),
    objects.put(key(MOMENTS), staged.moments, onBytes),
    staged.reference && digests.reference
      ? objects.put(keys.referencePolicy(digests.reference), staged.reference, onBytes)
      : null,
  ]);
  failpoints.reached('checkpoint-objects', step);
  const manifest: Manifest = {
    ...about,
    kind: 'checkpoint',
    version: CONTRACT_VERSION,
    digests,
    files: { ...about.files, [WEIGHTS]: modelAt },
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
    bytes: [modelAt, momentsAt, referenceAt, manifestAt].reduce((sum, part) => sum + (part?.bytes ?? 0), 0),
    seconds: (performance.now() - started) / 1000,
  };
}

/** Digests of the copies, hashed in pieces between which the process serves other calls. */
async function digestsOf({ model, moments, reference }: Staged): Promise<Digests> {
  let tensors = 0;
  const onTensor = () => {
    tensors += 1;
    reportProgress('checking', tensors, tensors);
  };
  return {
    weights: await digestOfFile(model, WEIGHTS, onTensor),
    moments: await digestOfFile(moments, MOMENTS, onTensor),
    reference: reference === null ? null : await digestOfFile(reference, 'the reference policy', onTensor),
  };
}

/** Waits for a checkpoint that is being written, and frees the copies of one that nobody asked for. */
export async function settleCheckpoint({ checkpoint }: HeldPolicy): Promise<void> {
  if (checkpoint === null) return;
  await checkpoint.finishing?.catch(() => undefined);
  checkpoint.staged = null;
}
