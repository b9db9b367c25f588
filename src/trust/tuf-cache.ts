// Where does TUF keep what it has seen? One directory per anchor, so that another pinned root starts from itself: the
// client reads its root from the cache and never looks at the pinned one again.
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '../lib/digest.ts';
import { toErrorMessage } from '../lib/text.ts';
import { TufRefreshError } from './tuf-error.ts';
import type { TufAnchor } from './trust-source.ts';

/** A place for caches: a directory that was named, or a private one that is made when first needed. */
export interface TufCacheBase {
  /** @throws TufRefreshError when there is no directory that can be written */
  resolve(): string;
  /** True when earlier runs may have left something: a private directory that is not made yet holds nothing. */
  mayHold(): boolean;
  /** Removes a private directory; a named one stays. */
  dispose(): void;
}

/**
 * Creates the place for caches. Without a name it is a fresh private directory below the temporary one: a fixed name
 * there could have been filled by somebody else.
 */
export function createTufCacheBase(named: string | undefined): TufCacheBase {
  let made: string | undefined;
  return {
    resolve() {
      try {
        if (named !== undefined) return makeDirectory(named);
        made ??= mkdtempSync(join(tmpdir(), 'model-policy-trust-'));
        return made;
      } catch (error) {
        throw new TufRefreshError(
          `no directory for the trust cache can be written: ${toErrorMessage(error)}`,
        );
      }
    },
    mayHold: () => named !== undefined || made !== undefined,
    dispose() {
      if (made !== undefined) rmSync(made, { recursive: true, force: true });
      made = undefined;
    },
  };
}

function makeDirectory(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

/** The directory of an anchor; made when it is missing. */
export function openCache(base: TufCacheBase, anchor: TufAnchor): string {
  const name = anchor.kind === 'root' ? sha256Hex(anchor.bytes) : anchor.sha256;
  return makeDirectory(join(base.resolve(), name));
}

/** Bytes of a file of the cache; undefined when there is none. */
export function readCached(directory: string, file: string): Buffer | undefined {
  try {
    return readFileSync(join(directory, file));
  } catch {
    return undefined;
  }
}

/** Time a file of the cache was last vouched for; undefined when there is none. */
export function readCachedTime(directory: string, file: string): Date | undefined {
  return statSync(join(directory, file), { throwIfNoEntry: false })?.mtime;
}

/** Writes a file of the cache so that it is whole or absent, whatever happens meanwhile. */
export function writeCached(directory: string, file: string, bytes: Uint8Array): void {
  const temporary = join(directory, `.${file}.${randomUUID()}`);
  writeFileSync(temporary, bytes, { mode: 0o600 });
  renameSync(temporary, join(directory, file));
}

/** Forgets everything about an anchor; its directory is empty afterwards. */
export function wipeCache(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
}
