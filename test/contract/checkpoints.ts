/** A checkpoint as a worker stored it: its manifest, its objects, and digests recomputed from their bytes. */
import assert from 'node:assert/strict';
import { littleEndianBytes } from '../../contracts/format/dtypes.ts';
import { decodeSafetensors } from '../../contracts/format/safetensors.ts';
import { folderOf, objectKey } from '../../contracts/object-keys.ts';
import type { Reference } from '../../contracts/reference.ts';
import { type Manifest, manifestSchema } from '../../contracts/training.ts';
import { sha256Of, type Tensors } from './records.ts';
import type { ResultOf, Session, Trainer } from './session.ts';

/** Rule 11, for the tensors of one part of a policy, whatever files they are in. */
function digestOf(tensors: Tensors): string {
  const lines = [...tensors]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { dtype, shape, data }]) => [name, dtype, shape, sha256Of(littleEndianBytes(data))]);
  return sha256Of(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

async function tensorsOf({ objects }: Session, parts: readonly Reference[]): Promise<Tensors> {
  const files = await Promise.all(parts.map((part) => objects.get(part)));
  return new Map(files.flatMap((file) => [...decodeSafetensors(file).tensors]));
}

export async function manifestAt({ objects }: Session, reference: Reference): Promise<Manifest> {
  return manifestSchema.parse(JSON.parse(new TextDecoder().decode(await objects.get(reference))));
}

/** Checks the whole checkpoint that `finishCheckpoint` answered with. */
export async function checkCheckpoint(
  trainer: Trainer,
  done: ResultOf<'finishCheckpoint'>,
): Promise<Manifest> {
  const { session, lease } = trainer;
  const manifest = await manifestAt(session, done.manifest);
  const key = (name: 'manifest' | 'checkpointFile', file = '') =>
    objectKey(name, { ...lease, step: done.step, file });
  assert(done.manifest.uri.endsWith(`/${key('manifest')}`), done.manifest.uri);
  assert.deepEqual(
    { lease: manifest.lease, step: manifest.step, policy: manifest.policy, digests: manifest.digests },
    { lease, step: done.step, policy: done.policy, digests: done.digests },
  );
  assert.deepEqual(manifest.numerics, trainer.acquired.numerics);
  const weights = Object.entries(manifest.files).filter(([name]) => name.endsWith('.safetensors'));
  for (const [name, { uri }] of weights) assert(uri.endsWith(`/${key('checkpointFile', name)}`), uri);
  const base = await manifestAt(session, session.base.manifest);
  for (const name of Object.keys(base.files)) {
    assert(name in manifest.files || name.endsWith('.safetensors'), `the checkpoint has the base's ${name}`);
  }
  const model = weights.map(([, reference]) => reference);
  assert.equal(digestOf(await tensorsOf(session, model)), manifest.digests.weights);
  await checkPart(session, manifest.moments, manifest.digests.moments, 'moments');
  await checkPart(session, manifest.reference, manifest.digests.reference, 'reference');
  if (manifest.reference !== null) {
    const shared = objectKey('referencePolicy', { weights: manifest.digests.reference ?? '' });
    assert(manifest.reference.uri.endsWith(`/${shared}`), manifest.reference.uri);
  }
  if (manifest.moments !== null) assert.equal(folderOf(manifest.moments), folderOf(done.manifest));
  return manifest;
}

async function checkPart(
  session: Session,
  part: Reference | null,
  digest: string | null,
  what: string,
): Promise<void> {
  if (part === null) return assert.equal(digest, null, what);
  assert.equal(digestOf(await tensorsOf(session, [part])), digest, what);
}

/** Begins and finishes a checkpoint, and checks it. */
export async function checkpointOf(trainer: Trainer, step: number): Promise<ResultOf<'finishCheckpoint'>> {
  await trainer.call('beginCheckpoint', { expectedStep: step });
  const done = await trainer.call('finishCheckpoint', { step });
  await checkCheckpoint(trainer, done);
  return done;
}
