/**
 * Keys of all objects, as patterns. `{FIELD}` is a field of the writer's lease or input, `{step:6}` one padded with zeros
 * to six digits, `{digest:16}` the first 16 hex digits of the object's SHA-256, and `{folder}` the folder of the object
 * that the pattern is `beside`. A key contains the term of its writer, the digest of the content, or both: two writers
 * never use one key for different bytes. Every put is conditional (`If-None-Match: *`).
 *
 * `contracts/schemas/object-keys.json` publishes the table.
 */

interface ObjectKey {
  pattern: string;
  /** the process that writes it */
  by: 'orchestrator' | 'worker' | 'rewards';
  /** the object whose folder it is in */
  beside?: string;
  about: string;
}

const BRANCH = 'runs/{run}/{stage}/b{branch}';
const CHECKPOINT = `${BRANCH}/checkpoints/step-{step:6}/t{term}`;

export const objectKeys = {
  request: {
    pattern: `${BRANCH}/rollouts/step-{step:6}/request-{digest:16}.safetensors`,
    by: 'orchestrator',
    about: 'request of a shard; `step` is the first step of the rollout',
  },
  evaluationRequest: {
    pattern: 'runs/{run}/{stage}/evaluations/{as}-{step:6}{quick}/request-{digest:16}.safetensors',
    by: 'orchestrator',
    about: 'request of an evaluation that is stored under the name `as`; `quick` is `-quick` or empty',
  },
  examplesRequest: {
    pattern: `${BRANCH}/examples/part-{part:6}/request-{digest:16}.safetensors`,
    by: 'orchestrator',
    about: 'request of samples that become examples',
  },
  modelRequest: {
    pattern: 'evaluations/{run}/request-{digest:16}.safetensors',
    by: 'orchestrator',
    about: 'request of samples outside of any run; `run` is that of the lease alone',
  },
  rollout: {
    pattern: '{folder}/rollout-{digest:16}.safetensors',
    by: 'worker',
    beside: 'request',
    about: 'record `rollout`',
  },
  logprobs: {
    pattern: '{folder}/logprobs-{digest:16}.safetensors',
    by: 'worker',
    beside: 'rollout',
    about: 'record `logprobs`',
  },
  rolloutIndex: {
    pattern: '{folder}/index-{digest:16}.safetensors',
    by: 'orchestrator',
    beside: 'request',
    about: 'record `rollout-index`',
  },
  sequences: {
    pattern: '{folder}/sequences-{digest:16}.safetensors',
    by: 'rewards',
    beside: 'rollout',
    about: 'record `sequences`',
  },
  modelScores: {
    pattern: '{folder}/model-scores-{digest:16}.safetensors',
    by: 'worker',
    beside: 'sequences',
    about: 'record `model-scores`',
  },
  completionTexts: {
    pattern: '{folder}/texts-{digest:16}.safetensors',
    by: 'rewards',
    beside: 'rollout',
    about: 'record `texts`',
  },
  rankedSequences: {
    pattern: `${BRANCH}/ranking/sequences-{digest:16}.safetensors`,
    by: 'rewards',
    about: 'record `sequences` of held-out preferences, for the reward model that the stage has trained',
  },
  scores: {
    pattern: '{folder}/scores-{digest:16}.safetensors',
    by: 'rewards',
    beside: 'rollout',
    about: 'record `scores`',
  },
  batch: {
    pattern: `${BRANCH}/batches/step-{step:6}/batch-{digest:16}.safetensors`,
    by: 'orchestrator',
    about: 'record `batch` or `supervised-batch` of one step',
  },
  checkpointFile: {
    pattern: `${CHECKPOINT}/{file}`,
    by: 'worker',
    about: 'a file of a checkpoint: of the Hugging Face folder, or the moments',
  },
  manifest: {
    pattern: `${CHECKPOINT}/manifest.json`,
    by: 'worker',
    about: 'the list of the objects of a checkpoint, written last',
  },
  referencePolicy: {
    pattern: 'references/{weights}.safetensors',
    by: 'worker',
    about: 'the weights of a reference policy, under their digest',
  },
  texts: {
    pattern: 'texts/{sha256}.txt',
    by: 'orchestrator',
    about: 'texts of samples or examples, one after the other',
  },
  modelFile: {
    pattern: 'models/{weights}/{file}',
    by: 'orchestrator',
    about: 'a file of an imported model, under the digest of its weights',
  },
} as const satisfies Record<string, ObjectKey>;
export type ObjectKeyName = keyof typeof objectKeys;

/** The folder of an object, as a key within its bucket. */
export function folderOf({ uri }: { uri: string }): string {
  const key = uri.slice(uri.indexOf('/', 's3://'.length) + 1);
  return key.slice(0, key.lastIndexOf('/'));
}

/**
 * The key of an object with these fields. Digests are given whole. Throws RangeError where a field is missing.
 */
export function objectKey(name: ObjectKeyName, fields: Readonly<Record<string, string | number>>): string {
  return objectKeys[name].pattern.replace(/\{(\w+)(?::(\d+))?\}/g, (_, field: string, size?: string) => {
    const value = fields[field];
    if (value === undefined) throw new RangeError(`the key of a ${name}: expected a value of ${field}`);
    if (size === undefined) return String(value);
    return typeof value === 'number'
      ? String(value).padStart(Number(size), '0')
      : value.slice(0, Number(size));
  });
}
