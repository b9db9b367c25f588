// What does Sigstore's public-good instance trust before anything was fetched? The TUF root and the trusted root that
// ship with @sigstore/tuf; the trust store refreshes them in the background.
import { createRequire } from 'node:module';
import { toRecord, toText } from '../lib/text.ts';
import { parseTrustedRoot, TrustedRootError, type TrustedRoot } from './trusted-root.ts';
import {
  DEFAULT_REFRESH_INTERVAL_MS,
  PUBLIC_GOOD_MIRROR,
  TRUSTED_ROOT_TARGET,
  type TufSource,
} from './trust-source.ts';

/** The copy that a release carries. */
export interface ShippedTrust {
  readonly root: TrustedRoot;
  /** The trusted_root.json as it is shipped. */
  readonly bytes: Buffer;
  /** `expires` of the shipped TUF root: until then the copy may be used without a refresh. */
  readonly expiresAt: Date;
  readonly source: TufSource;
}

let shipped: ShippedTrust | undefined;

/** Reads the shipped public-good trust, once. @throws TrustedRootError when the package does not hold it */
export function loadPublicGood(): ShippedTrust {
  shipped ??= readSeeds();
  return shipped;
}

/** Reads the shipped public-good root. @throws TrustedRootError when the package holds none */
export function loadPublicGoodRoot(): TrustedRoot {
  return loadPublicGood().root;
}

function readSeeds(): ShippedTrust {
  const seeds = createRequire(import.meta.url)('@sigstore/tuf/seeds.json') as unknown;
  const seed = toRecord(toRecord(seeds)[PUBLIC_GOOD_MIRROR]);
  const bytes = decode(toRecord(seed['targets'])[TRUSTED_ROOT_TARGET], TRUSTED_ROOT_TARGET);
  const tufRoot = decode(seed['root.json'], 'root.json');
  const { expires } = toRecord(toRecord(JSON.parse(tufRoot.toString('utf8')))['signed']);
  const expiresAt = new Date(toText(expires) ?? '');
  if (Number.isNaN(expiresAt.getTime()))
    throw new TrustedRootError('the root.json of @sigstore/tuf has no expiry');
  const source: TufSource = {
    kind: 'tuf',
    mirror: PUBLIC_GOOD_MIRROR,
    anchor: { kind: 'root', bytes: tufRoot },
    target: TRUSTED_ROOT_TARGET,
    refreshIntervalMs: DEFAULT_REFRESH_INTERVAL_MS,
  };
  return { root: parseTrustedRoot(bytes), bytes, expiresAt, source };
}

function decode(value: unknown, name: string): Buffer {
  const encoded = toText(value);
  if (encoded === undefined) throw new TrustedRootError(`@sigstore/tuf ships no ${name}`);
  return Buffer.from(encoded, 'base64');
}
