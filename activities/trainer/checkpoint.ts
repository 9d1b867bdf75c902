import { Failure } from '../../contracts/failures.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { CheckpointInput, CheckpointResult, Manifest } from '../../contracts/training.ts';
import { WEIGHTS_FILE } from '../../engine/weights/weights.ts';
import { keys } from '../../stores/objects/keys.ts';
import { policyOf, type TrainerContext } from './held-policy.ts';

const text = new TextEncoder();

/**
 * Writes the whole state: weights in a Hugging Face folder, moments, the reference under its digest, and the manifest last
 * (rule 4). Writing it again under the same lease writes no new objects.
 */
export function checkpoint(context: TrainerContext, input: CheckpointInput): Promise<CheckpointResult> {
  return context.exclusive(async () => {
    const started = performance.now();
    const { objects, engine } = context;
    const held = policyOf(context, input.lease);
    if (held.step !== input.expectedStep) {
      throw new Failure(
        'TrainerLost',
        `expected a policy of ${input.expectedStep} steps, found one of ${held.step}`,
      );
    }
    const { model, moments, reference, digests } = await engine.call('export');
    const key = (file: string) => keys.checkpointFile(input.lease, held.step, file);
    const [modelAt, momentsAt, referenceAt] = await Promise.all([
      objects.put(key(WEIGHTS_FILE), model),
      objects.put(key('optimizer.safetensors'), moments),
      reference && digests.reference ? objects.put(keys.referencePolicy(digests.reference), reference) : null,
    ]);
    const manifest: Manifest = {
      kind: 'checkpoint',
      lease: input.lease,
      step: held.step,
      digests,
      numerics: held.numerics,
      files: { ...held.files, [WEIGHTS_FILE]: modelAt },
      moments: momentsAt,
      reference: referenceAt,
    };
    context.failpoints.reached('checkpoint-objects', held.step);
    const manifestAt = await objects.put(
      keys.manifest(input.lease, held.step),
      text.encode(JSON.stringify(manifest, null, 2)),
    );
    context.failpoints.reached('manifest', held.step);
    const parts: (Reference | null)[] = [modelAt, momentsAt, referenceAt, manifestAt];
    return {
      manifest: manifestAt,
      step: held.step,
      digests,
      bytes: parts.reduce((sum, part) => sum + (part?.bytes ?? 0), 0),
      seconds: (performance.now() - started) / 1000,
    };
  });
}
