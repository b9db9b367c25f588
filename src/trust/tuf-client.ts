// What does a mirror vouch for right now? One run of the TUF client workflow by tuf-js, from the anchor or from what
// earlier runs left in the cache, to the bytes of one target and the time until which they are vouched for.
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import type { TargetFile } from '@tufjs/models';
import { Updater, type Fetcher } from 'tuf-js';
import { sha256Hex } from '../lib/digest.ts';
import { quote, toErrorMessage, toRecord } from '../lib/text.ts';
import {
  openCache,
  readCached,
  readCachedTime,
  wipeCache,
  writeCached,
  type TufCacheBase,
} from './tuf-cache.ts';
import { TufRefreshError } from './tuf-error.ts';
import { createTufFetcher, fetchDocument, REFUSING_FETCHER, type TrustFetch } from './tuf-fetcher.ts';
import { parseTufRoot, toSignedDigest } from './tuf-signers.ts';
import { MAX_TRUSTED_ROOT_BYTES } from './trusted-root.ts';
import type { TufSource } from './trust-source.ts';

/** Largest root.json, in bytes. */
const MAX_TUF_ROOT_BYTES = 512_000;
/** Root versions that one run follows at most: years of rotations. */
const MAX_ROOT_ROTATIONS = 64;
const METADATA_FILES = ['root.json', 'timestamp.json', 'snapshot.json', 'targets.json'] as const;

/** What a mirror vouches for. */
export interface VouchedTarget {
  readonly bytes: Buffer;
  readonly fetchedAt: Date;
  /** Earliest `expires` of the metadata that vouches. */
  readonly expiresAt: Date;
  /** Version of the targets metadata, to notice a step back. */
  readonly version: number;
}

/** What a run works with. */
export interface TufRun {
  readonly cache: TufCacheBase;
  readonly fetch: TrustFetch;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Told the mirror's clock with every answer. */
  readonly onDate: (date: Date) => void;
}

/** Asks the mirror. @throws TufRefreshError, or what tuf-js throws for metadata it does not accept */
export async function refreshTarget(source: TufSource, run: TufRun): Promise<VouchedTarget> {
  const directory = openCache(run.cache, source.anchor);
  if (!isCachedRootGood(directory)) {
    // Half a file from a crash, or a full disk: TUF starts over from the anchor.
    wipeCache(directory);
    writeCached(directory, 'root.json', await readAnchor(source, run));
  }
  const root = parseTufRoot(readCached(directory, 'root.json') ?? Buffer.alloc(0));
  const fetcher = createTufFetcher({ ...run, root, directory });
  const updater = createUpdater(source, directory, { fetcher, forceCache: false });
  await updater.refresh();
  const path = join(directory, toTargetFile(source));
  const info = await findTarget(updater, source);
  if ((await updater.findCachedTarget(info, path)) === undefined) await updater.downloadTarget(info, path);
  const now = run.now();
  utimesSync(path, now, now);
  return toVouched(source, directory, info);
}

/** Reads what earlier runs left, without asking anybody. @returns undefined when nothing unexpired is there */
export async function readCachedTarget(
  source: TufSource,
  cache: TufCacheBase,
): Promise<VouchedTarget | undefined> {
  if (!cache.mayHold()) return undefined;
  try {
    const directory = openCache(cache, source.anchor);
    if (!isCachedRootGood(directory)) return undefined;
    const updater = createUpdater(source, directory, { fetcher: REFUSING_FETCHER, forceCache: true });
    await updater.refresh();
    return toVouched(source, directory, await findTarget(updater, source));
  } catch {
    return undefined;
  }
}

function createUpdater(
  { mirror }: TufSource,
  directory: string,
  { fetcher, forceCache }: { fetcher: Fetcher; forceCache: boolean },
): Updater {
  return new Updater({
    metadataDir: directory,
    targetDir: directory,
    metadataBaseUrl: mirror,
    targetBaseUrl: `${mirror.replace(/\/$/, '')}/targets`,
    fetcher,
    forceCache,
    config: { maxRootRotations: MAX_ROOT_ROTATIONS, maxDelegations: 0, rootMaxLength: MAX_TUF_ROOT_BYTES },
  });
}

function isCachedRootGood(directory: string): boolean {
  const bytes = readCached(directory, 'root.json');
  if (bytes === undefined) return false;
  try {
    parseTufRoot(bytes);
    return true;
  } catch {
    return false;
  }
}

async function readAnchor({ anchor, mirror }: TufSource, run: TufRun): Promise<Buffer> {
  if (anchor.kind === 'root') {
    parseTufRoot(anchor.bytes);
    return anchor.bytes;
  }
  const url = new URL(`${mirror.replace(/\/$/, '')}/1.root.json`);
  const bytes = await fetchDocument(url, MAX_TUF_ROOT_BYTES, run);
  if (toSignedDigest(bytes) !== anchor.sha256)
    throw new TufRefreshError('version 1 of the root is not the one that is trusted');
  return bytes;
}

async function findTarget(updater: Updater, { target }: TufSource): Promise<TargetFile> {
  const info = await updater.getTargetInfo(target);
  if (info === undefined) throw new TufRefreshError(`the mirror has no target ${quote(target, 120)}`);
  if (info.length > MAX_TRUSTED_ROOT_BYTES)
    throw new TufRefreshError(`target ${quote(target, 120)} is larger than ${MAX_TRUSTED_ROOT_BYTES} bytes`);
  return info;
}

// A name made from the hash leaves the directory under no spelling of a target.
function toTargetFile({ target }: TufSource): string {
  return `target-${sha256Hex(Buffer.from(target))}`;
}

function toVouched(source: TufSource, directory: string, info: TargetFile): VouchedTarget {
  const bytes = readCached(directory, toTargetFile(source));
  const fetchedAt = readCachedTime(directory, toTargetFile(source));
  if (bytes === undefined || fetchedAt === undefined) throw new TufRefreshError('it is not in the cache');
  requireHash(bytes, info);
  const signed = METADATA_FILES.map((file) => readSigned(directory, file));
  return {
    bytes,
    fetchedAt,
    expiresAt: new Date(Math.min(...signed.map(({ expires }) => expires))),
    version: signed.at(-1)?.version ?? 0,
  };
}

// The bytes that are used are hashed, not the ones that were looked at before.
function requireHash(bytes: Buffer, { hashes, length, path }: TargetFile): void {
  const algorithm = (['sha256', 'sha512'] as const).find((name) => typeof hashes[name] === 'string');
  if (algorithm === undefined)
    throw new TufRefreshError(`target ${quote(path, 120)} has neither a sha256 nor a sha512`);
  const digest = createHash(algorithm).update(bytes).digest('hex');
  if (bytes.length !== length || digest !== hashes[algorithm])
    throw new TufRefreshError(`target ${quote(path, 120)} has not the hash that its metadata gives`);
}

function readSigned(directory: string, file: string): { expires: number; version: number } {
  try {
    const document: unknown = JSON.parse((readCached(directory, file) ?? Buffer.alloc(0)).toString('utf8'));
    const { expires, version } = toRecord(toRecord(document)['signed']);
    return { expires: new Date(String(expires)).getTime(), version: Number(version) };
  } catch (error) {
    throw new TufRefreshError(`${file} of the cache cannot be read: ${toErrorMessage(error)}`);
  }
}
