import { policyOfWeights } from '../../algorithm/run/policy-id.ts';
import { Failure } from '../../contracts/failures.ts';
import type { Reference } from '../../contracts/reference.ts';
import {
  type AcquireInput,
  type AcquireResult,
  CONTRACT_VERSION,
  type Manifest,
} from '../../contracts/training.ts';
import type { LoadedPolicy } from '../../engine/service/service-arrays.ts';
import { checkpointObjects, readJsonFile, readManifest } from '../checkpoints/checkpoint-files.ts';
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
  const parts = await checkpointObjects(objects, manifest, checkpoint.uri);
  // Steps count within a stage: a checkpoint of another stage or of an import is step 0 of this one.
  const ofThisStage = manifest.lease?.run === lease.run && manifest.lease.stage === lease.stage;
  const policy = policyIn(manifest, ofThisStage, asked, checkpoint.uri);
  const config = await readJsonFile(objects, manifest, 'config.json');
  const loaded = await loadInto(context, {
    config,
    weights: parts.weights.map(([, file]) => file),
    // Moments of another stage belong to its objective: a stage begins without moments.
    moments: ofThisStage ? manifest.moments : null,
    reference: ofThisStage ? manifest.reference : null,
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
    files: parts.companions,
    config,
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

interface PartsToLoad {
  /** `config.json` */
  config: unknown;
  weights: readonly Reference[];
  moments: Reference | null;
  reference: Reference | null;
  withReference: boolean;
}

/** Loads a policy through the local cache, one file of the weights after the other. */
async function loadInto(
  { objects, engine, cache }: TrainerContext,
  { config, weights, moments, reference, withReference }: PartsToLoad,
): Promise<LoadedPolicy> {
  /** Runs `work` with the path of a part that the checkpoint may not have. */
  const withPart = <Result>(part: Reference | null, work: (path: string | null) => Promise<Result>) =>
    part === null ? work(null) : cache.use(objects, part, work);
  try {
    for (const [index, file] of weights.entries())
      await cache.use(objects, file, (path) =>
        engine.call('readWeights', { config, file: path, first: index === 0 }),
      );
    return await withPart(moments, (momentsAt) =>
      withPart(reference, (referenceAt) =>
        engine.call('load', {
          config,
          model: null,
          moments: momentsAt,
          reference: referenceAt,
          withReference,
        }),
      ),
    );
  } catch (error) {
    await engine.call('release').catch(() => undefined);
    throw error;
  }
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
