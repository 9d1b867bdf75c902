/** Sequences for a reward model, and what it scored them. N = sequences. */
import { Failure } from '../../contracts/failures.ts';
import type { Numerics } from '../../contracts/numerics.ts';
import { RECORD_VERSION } from '../../contracts/records/schemas.ts';
import type { Reference } from '../../contracts/reference.ts';
import { type KeyOfContent, keys } from '../../stores/objects/keys.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { decodeRecord, putRecord } from '../../stores/objects/records.ts';
import { floats, ints, joinInts, lengthsOf, split } from '../ragged.ts';

export function putSequences(
  objects: Pick<ObjectStore, 'put'>,
  key: KeyOfContent,
  sequencesN: readonly Int32Array[],
): Promise<Reference> {
  const record = { kind: 'sequences', version: RECORD_VERSION } as const;
  const tensors = new Map([
    ['tokens', ints(joinInts(sequencesN))],
    ['lengths', ints(lengthsOf(sequencesN))],
  ]);
  return putRecord(objects, key, record, tensors);
}

export async function readSequences(
  objects: Pick<ObjectStore, 'get'>,
  reference: Reference,
): Promise<Int32Array[]> {
  const decoded = decodeRecord(['sequences'], await objects.get(reference), reference.uri);
  return split(decoded.ints('tokens'), decoded.ints('lengths'));
}

interface Scored {
  sequences: Reference;
  /** manifest of the reward model's checkpoint */
  model: Reference;
}

/** scoresN: null for a sequence that is too long for the model. */
export function putModelScores(
  objects: Pick<ObjectStore, 'put'>,
  { sequences, model, numerics }: Scored & { numerics: Numerics },
  scoresN: readonly (number | null)[],
): Promise<Reference> {
  const record = { kind: 'model-scores', version: RECORD_VERSION, sequences, model, numerics } as const;
  const tooLong = Uint8Array.from(scoresN, (score) => Number(score === null));
  return putRecord(
    objects,
    keys.modelScores(sequences),
    record,
    new Map([
      ['scores', floats(Float32Array.from(scoresN, (score) => score ?? 0))],
      ['tooLong', { dtype: 'U8', shape: [tooLong.length], data: tooLong }],
    ]),
  );
}

/**
 * The scores that a worker wrote of `expected`, null for a sequence that is too long.
 * @throws Failure 'BrokenContract' where they are of another model, of other sequences, or not one for each;
 * 'CorruptObject' where a score is not finite.
 */
export async function readModelScores(
  objects: Pick<ObjectStore, 'get'>,
  reference: Reference,
  { count, ...expected }: Scored & { count: number },
): Promise<(number | null)[]> {
  const decoded = decodeRecord(['model-scores'], await objects.get(reference), reference.uri);
  for (const field of ['model', 'sequences'] as const) {
    const [asked, found] = [expected[field], decoded.record[field]];
    if (asked.sha256 !== found.sha256 || asked.uri !== found.uri)
      throw broken(reference, field, asked.uri, `${found.uri} (SHA-256 ${found.sha256})`);
  }
  const scoresN = decoded.floats('scores');
  if (scoresN.length !== count) throw broken(reference, 'scores', `${count} scores`, `${scoresN.length}`);
  const tooLongN = decoded.bytes('tooLong');
  return Array.from(scoresN, (score, n) => {
    const flag = tooLongN[n] ?? 0;
    if (flag > 1) throw broken(reference, 'tooLong', '0 or 1', `${flag} of sequence ${n}`);
    if (flag === 1) return null;
    if (Number.isFinite(score)) return score;
    throw new Failure(
      'CorruptObject',
      `${reference.uri}: scores: expected a finite score of sequence ${n}, found ${score}. Nothing was done with ` +
        'it; look at the worker that scores, or at the reward model',
    );
  });
}

const broken = ({ uri }: Reference, field: string, expected: string, found: string) =>
  new Failure(
    'BrokenContract',
    `${uri}: ${field}: expected ${expected}, found ${found}. Nothing was done with it; look at the worker that scores`,
  );
