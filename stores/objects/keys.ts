import type { Lease, StageKey, StepKey } from '../../contracts/identity.ts';
import type { Reference } from '../../contracts/reference.ts';

/**
 * Every object's key. A key contains the term of its writer or the digest of the content: two writers never use one key
 * for different bytes (rule 5). Records carry no term: whoever writes the same record writes the same object.
 *
 *     runs/<run>/<stage>/b<branch>/rollouts/step-000037/request-<digest>.safetensors
 *                                                       rollout-<digest>.safetensors
 *                                                       texts-<digest>.safetensors
 *                                                       sequences-<digest>.safetensors
 *                                                       model-scores-<digest>.safetensors
 *                                                       scores-<digest>.safetensors
 *                                                       logprobs-<digest>.safetensors
 *                                                       index-<digest>.safetensors
 *                                  batches/step-000037/batch-<digest>.safetensors
 *                                  checkpoints/step-000040/t3/<file>
 *                                  ranking/sequences-<digest>.safetensors, model-scores-<digest>.safetensors
 *     runs/<run>/<stage>/evaluations/<as>-000040[-quick]/request-<digest>.safetensors, …
 *     evaluations/<name>/request-<digest>.safetensors, …
 *     texts/<digest>.txt
 *                                  examples/part-000003/request-<digest>.safetensors, …
 *     references/<digest>.safetensors
 *     models/<digest>/<file>
 *
 * `<digest>` of records: the first 16 hex digits of their SHA-256. A stage's name may contain a slash.
 */

/** A key that needs the content's digest: what `ObjectStore.put` takes in place of a key. */
export type KeyOfContent = (sha256: string) => string;

const padded = (step: number) => String(step).padStart(6, '0');
const stepFolder = (step: number) => `step-${padded(step)}`;
const stageFolder = ({ run, stage }: StageKey) => `runs/${run}/${stage}`;
const branchFolder = (key: StageKey & { branch: number }) => `${stageFolder(key)}/b${key.branch}`;

const record =
  (folder: string, name: string): KeyOfContent =>
  (sha256) =>
    `${folder}/${name}-${sha256.slice(0, 16)}.safetensors`;

/** The key within `s3://bucket/key`. */
export const keyOf = ({ uri }: Pick<Reference, 'uri'>) => uri.slice(uri.indexOf('/', 's3://'.length) + 1);

/** `s3://bucket` of an object. */
export const bucketOf = ({ uri }: Pick<Reference, 'uri'>) => uri.slice(0, uri.indexOf('/', 's3://'.length));

/** The folder of an object's key: results of a request are stored in its folder. */
export const folderOf = (reference: Pick<Reference, 'uri'>) => {
  const key = keyOf(reference);
  return key.slice(0, key.lastIndexOf('/'));
};

/** The folder of all reference policies. */
export const REFERENCES_FOLDER = 'references/';

export const keys = {
  /** Prompts drawn for the rollout whose first step is `key.step`. */
  request: (key: StepKey): KeyOfContent =>
    record(`${branchFolder(key)}/rollouts/${stepFolder(key.step)}`, 'request'),
  /** Held-out prompts of an evaluation that is stored under the name `as`. */
  evaluationRequest: (key: StageKey, { as, step, quick }: { as: string; step: number; quick: boolean }) =>
    record(`${stageFolder(key)}/evaluations/${as}-${padded(step)}${quick ? '-quick' : ''}`, 'request'),
  /** Prompts whose completions are to become examples of a supervised stage. */
  examplesRequest: (key: StageKey & { branch: number }, part: number): KeyOfContent =>
    record(`${branchFolder(key)}/examples/part-${padded(part)}`, 'request'),
  /** Prompts of `r1 eval` or `r1 generate`; no run is of this name. */
  modelRequest: ({ run }: Pick<StageKey, 'run'>): KeyOfContent => record(`evaluations/${run}`, 'request'),
  /** Completions, next to their request. */
  rollout: (request: Pick<Reference, 'uri'>): KeyOfContent => record(folderOf(request), 'rollout'),
  /** Verdicts, next to their rollout. */
  scores: (rollout: Pick<Reference, 'uri'>): KeyOfContent => record(folderOf(rollout), 'scores'),
  /** Completions as text, next to their rollout. */
  completionTexts: (rollout: Pick<Reference, 'uri'>): KeyOfContent => record(folderOf(rollout), 'texts'),
  /** The index of a rollout, next to its requests. */
  rolloutIndex: (request: Pick<Reference, 'uri'>): KeyOfContent => record(folderOf(request), 'index'),
  /** Sequences for a reward model and its scores, next to the rollout that they are of. */
  sequences: (rollout: Pick<Reference, 'uri'>): KeyOfContent => record(folderOf(rollout), 'sequences'),
  /** Held-out preferences for the reward model that a stage has trained. */
  rankedSequences: (key: StageKey & { branch: number }): KeyOfContent =>
    record(`${branchFolder(key)}/ranking`, 'sequences'),
  modelScores: (sequences: Pick<Reference, 'uri'>): KeyOfContent =>
    record(folderOf(sequences), 'model-scores'),
  /** Log-probabilities, next to their rollout. */
  logprobs: (rollout: Pick<Reference, 'uri'>): KeyOfContent => record(folderOf(rollout), 'logprobs'),
  batch: (key: StepKey): KeyOfContent =>
    record(`${branchFolder(key)}/batches/${stepFolder(key.step)}`, 'batch'),
  /** A file of a checkpoint's Hugging Face folder. */
  checkpointFile: (lease: Lease, step: number, file: string) =>
    `${branchFolder(lease)}/checkpoints/${stepFolder(step)}/t${lease.term}/${file}`,
  /** The list of a checkpoint's objects, written last. */
  manifest: (lease: Lease, step: number) => keys.checkpointFile(lease, step, 'manifest.json'),
  /** Texts of samples or examples, one after the other: the same texts are the same object. */
  texts: ((sha256) => `texts/${sha256}.txt`) as KeyOfContent,
  /** A reference policy's weights, shared by the checkpoints between two refreshes; `digest` of the weights. */
  referencePolicy: (digest: string) => `${REFERENCES_FOLDER}${digest}.safetensors`,
  /** A file of an imported model; `digest` of its weights. */
  modelFile: (digest: string, file: string) => `models/${digest}/${file}`,
} as const;

/** The folder of a branch's checkpoints. */
export const checkpointsFolder = (key: StageKey & { branch: number }): string =>
  `${branchFolder(key)}/checkpoints/`;
