import { deriveSeed } from '../../../algorithm/random/seeds.ts';
import type { CommittedCheckpoint } from '../../../contracts/stage-state.ts';
import { withScoreHead } from '../../../engine/model/initial-weights.ts';
import { formatModelConfig, parsePolicyConfig } from '../../../engine/model/model-config.ts';
import { digestTensors } from '../../../engine/weights/digest.ts';
import {
  decodeSafetensors,
  encodeSafetensors,
  type StoredTensors,
} from '../../../engine/weights/safetensors.ts';
import { checkWeights, WEIGHTS_FILE } from '../../../engine/weights/weights.ts';
import type { ObjectStore } from '../../../stores/objects/objects.ts';
import { checkpointObjects, fetchFiles, readManifest } from '../../checkpoints/checkpoint-files.ts';
import { importBase } from '../../checkpoints/import-base.ts';

export interface MakeRewardModelInput {
  /** the policy that it is made from */
  origin: CommittedCheckpoint;
  runSeed: bigint;
  /** `reward-model/NAME`; the head's seed depends on it */
  stage: string;
}

/** Files about sampling and about the policy's origin: a reward model has none of them. */
const LEFT_OUT = ['generation_config.json', 'checkpoint.json', 'README.md'];

/**
 * Replaces a policy's output projection by a new scalar head, and stores the result as a checkpoint without a stage. The
 * same policy, seed and stage give the same checkpoint; making it again writes nothing new.
 * Throws Failure 'CorruptObject', WeightsError or ModelConfigError.
 */
export async function makeRewardModel(
  objects: ObjectStore,
  { origin, runSeed, stage }: MakeRewardModelInput,
): Promise<CommittedCheckpoint> {
  const { uri } = origin.manifest;
  const manifest = await readManifest(objects, origin.manifest);
  const parts = await checkpointObjects(objects, manifest, uri);
  const { 'config.json': json = new Uint8Array(), ...others } = await fetchFiles(objects, {
    files: parts.companions,
  });
  const config = parsePolicyConfig(JSON.parse(new TextDecoder().decode(json)), `${uri}: config.json`);
  const stored: StoredTensors = new Map();
  for (const [name, file] of parts.weights)
    for (const [tensor, data] of decodeSafetensors(await objects.get(file), `${uri}: ${name}`))
      stored.set(tensor, data);
  const weights = checkWeights(stored, config, uri);
  const seed = deriveSeed({ runSeed, stage, branch: 0, purpose: 'score-head', step: 0, slot: 0, sample: 0 });
  const made = withScoreHead({ config, weights }, seed);
  const companions = Object.entries(others).filter(([name]) => !LEFT_OUT.includes(name));
  return importBase(
    { objects },
    {
      digest: digestTensors(made.weights),
      files: new Map([
        ...companions,
        ['config.json', new TextEncoder().encode(formatModelConfig(made.config))],
        [WEIGHTS_FILE, encodeSafetensors(made.weights)],
      ]),
    },
  );
}
