import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../contracts/failures.ts';
import type { Reference } from '../../contracts/reference.ts';
import { createFileCache, type FileCache } from '../../stores/objects/file-cache.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { streamObject } from '../../stores/objects/stream.ts';

const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Objects in memory; `stored` lets a test damage them. */
export function memoryObjects(): ObjectStore & { stored: Map<string, Uint8Array> } {
  const stored = new Map<string, Uint8Array>();
  const bytesAt = (uri: string) => {
    const bytes = stored.get(uri);
    if (bytes === undefined) throw new Failure('CorruptObject', `${uri}: expected an object, found none`);
    return bytes;
  };
  const referenceTo = (uri: string, bytes: Uint8Array): Reference => ({
    uri,
    sha256: sha256Of(bytes),
    bytes: bytes.length,
  });
  const store: ObjectStore & { stored: Map<string, Uint8Array> } = {
    stored,
    endpoint: 'memory',
    bucket: 'memory',
    exists: async (key) => stored.has(`s3://memory/${key}`),
    delete: async (key) => void stored.delete(`s3://memory/${key}`),
    list: async () => [],
    ensureBucket: async () => {},
    close: () => {},
    async put(named, bytes) {
      const uri = `s3://memory/${typeof named === 'string' ? named : named(sha256Of(bytes))}`;
      if (!stored.has(uri)) stored.set(uri, bytes.slice());
      if (sha256Of(bytesAt(uri)) !== sha256Of(bytes)) throw new Failure('Contradiction', uri);
      return referenceTo(uri, bytes);
    },
    async get({ uri, sha256 }) {
      const bytes = bytesAt(uri);
      if (sha256Of(bytes) !== sha256) throw new Failure('CorruptObject', `${uri}: expected sha256 ${sha256}`);
      return bytes;
    },
    putSource: async (key, source) => store.put(key, await source.read(0, source.bytes)),
    stream: (reference) =>
      streamObject(reference, (offset, length) => store.getRange(reference, offset, length)),
    async getRange({ uri }, offset, length) {
      return bytesAt(uri).slice(offset, offset + length);
    },
    async getByUri(uri) {
      return { bytes: bytesAt(uri), reference: referenceTo(uri, bytesAt(uri)) };
    },
  };
  return store;
}

/** A cache in a folder of its own, which is removed with the process. */
export function temporaryCache(limit = 1e9): FileCache & { folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'r1-test-cache-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return { ...createFileCache({ folder, limit }), folder };
}
