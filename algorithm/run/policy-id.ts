/**
 * Policy ids: a policy is named by the hash of the batches that made it. An id costs nothing, needs no weights gathered,
 * and names a history; equal histories give equal bits only under equal, deterministic numerics, which digests check
 * apart. see `contracts/vectors/policy-ids.json`.
 *
 *     id(0) = SHA-256("policy of weights " + digest)         digest of the weights that the stage starts from, in hex
 *     id(k) = SHA-256("policy " + id(k−1) + " batch " + b)   b: SHA-256 of the k-th logged batch's object, in hex
 *
 * as lower-case hex of the hash of the ASCII text.
 */
import { createHash } from 'node:crypto';

const hashOf = (text: string) => createHash('sha256').update(text, 'ascii').digest('hex');

/** The id of a policy that a stage starts from; `digest` of its weights. */
export const policyOfWeights = (digest: string): string => hashOf(`policy of weights ${digest}`);

/** The id after a step on the batch whose object has this SHA-256. */
export const policyAfter = (policy: string, batchSha256: string): string =>
  hashOf(`policy ${policy} batch ${batchSha256}`);
