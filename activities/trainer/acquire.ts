import { policyOfWeights } from '../../algorithm/run/policy-id.ts';
import { Failure } from '../../contracts/failures.ts';
import {
  type AcquireInput,
  type AcquireResult,
  CONTRACT_VERSION,
  type Manifest,
} from '../../contracts/training.ts';
import { WEIGHTS_FILE } from '../../engine/weights/weights.ts';
import { readJsonFile, readManifest } from '../checkpoints/checkpoint-files.ts';
import { refuseOtherDigests, sameLease, type TrainerContext } from './held-policy.ts';

/** Loads a checkpoint under a lease. A second call with the same lease returns the same result. */
export function acquire(context: TrainerContext, input: AcquireInput): Promise<AcquireResult> {
  return context.exclusive(async () => {
    if (context.held !== null && sameLease(context.held.lease, input.lease)) return context.held.acquired;
    if (context.held !== null) {
      throw new Failure(
        'Unavailable',
        `this trainer already holds a policy of ${context.held.lease.run}; another trainer is needed`,
      );
    }
    return await load(context, input);
  });
}

async function load(
  context: TrainerContext,
  { lease, checkpoint, withReference, policy: asked }: AcquireInput,
): Promise<AcquireResult> {
  const { objects, engine } = context;
  const manifest = await readManifest(objects, checkpoint);
  const { [WEIGHTS_FILE]: model, ...files } = manifest.files;
  if (model === undefined)
    throw new Failure('CorruptObject', `${checkpoint.uri}: expected ${WEIGHTS_FILE}, found none`);
  // Steps count within a stage: a checkpoint of another stage or of an import is step 0 of this one.
  const ofThisStage = manifest.lease?.run === lease.run && manifest.lease.stage === lease.stage;
  const policy = policyIn(manifest, ofThisStage, asked, checkpoint.uri);
  const [config, weights, moments, reference] = await Promise.all([
    readJsonFile(objects, manifest, 'config.json'),
    objects.get(model),
    // Moments of another stage belong to its objective: a stage begins without moments.
    ofThisStage ? manifest.moments && objects.get(manifest.moments) : null,
    ofThisStage ? manifest.reference && objects.get(manifest.reference) : null,
  ]);
  const loaded = await engine.callMoving('load', {
    config,
    model: weights,
    moments,
    reference,
    withReference,
  });
  const { weights: weightsDigest } = manifest.digests;
  const expected = ofThisStage
    ? manifest.digests
    : { weights: weightsDigest, moments: null, reference: null };
  try {
    refuseOtherDigests(expected, loaded.digests, checkpoint.uri);
  } catch (error) {
    await engine.call('release');
    throw error;
  }
  const { digests, numerics, parameters } = loaded;
  const queue = context.queueFor(lease);
  const acquired: AcquireResult = {
    version: CONTRACT_VERSION,
    queue,
    step: ofThisStage ? manifest.step : 0,
    policy,
    digests,
    numerics,
    samplerNumerics: numerics,
    parameters,
  };
  context.held = {
    lease,
    queue,
    acquired,
    numerics,
    samplerNumerics: acquired.samplerNumerics,
    files,
    step: acquired.step,
    policy,
    digest: digests.weights,
    referenceDigest: digests.reference,
    last: null,
    checkpoint: null,
  };
  context.onLease(context.held);
  return acquired;
}

/**
 * The policy that a checkpoint holds. One that a stage starts from is named by its weights, whatever history made them;
 * a later one by its manifest, or where that is of the first release, by the caller.
 * @throws Failure 'Contradiction' where the caller expects another policy.
 */
function policyIn(
  { step, policy, digests }: Manifest,
  ofThisStage: boolean,
  asked: string | undefined,
  uri: string,
): string {
  const ofWeights = policyOfWeights(digests.weights);
  const known = ofThisStage && step > 0 ? policy : ofWeights;
  if (asked === undefined || known === undefined || asked === known) return asked ?? known ?? ofWeights;
  throw new Failure(
    'Contradiction',
    `${uri}: expected a checkpoint of the policy ${asked}, found one of ${known}; compare the rows with the manifest`,
  );
}
