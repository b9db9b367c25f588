// Where does a TrustRoot's trust come from? The plain descriptions that policies compile to and the trust store
// follows, and the constants of the instances that are known by name.
import type { TrustedRoot } from './trusted-root.ts';

/** Sigstore's public-good TUF mirror. */
export const PUBLIC_GOOD_MIRROR = 'https://tuf-repo-cdn.sigstore.dev';
/** TUF mirror of GitHub's own Sigstore instance, which signs attestations of private repositories. */
export const GITHUB_MIRROR = 'https://tuf-repo.github.com';
/**
 * SHA-256 of the signed part of version 1 of GitHub's TUF root, as JSON with sorted members (2023-10, eight keys,
 * threshold 3). The mirror serves that document; its digest is what makes it trusted.
 */
export const GITHUB_ROOT_SHA256 = '1839ab21226e1c62f89097bc5c1a4e40f990de938f4376a02828814f9bc4e291';
/** Name of the trusted root among a mirror's targets, unless a TrustRoot says otherwise. */
export const TRUSTED_ROOT_TARGET = 'trusted_root.json';
/** Time between refreshes unless a TrustRoot says otherwise, in milliseconds. */
export const DEFAULT_REFRESH_INTERVAL_MS = 3_600_000;
/** Bounds of that time, in milliseconds. */
export const MIN_REFRESH_INTERVAL_MS = 60_000;
export const MAX_REFRESH_INTERVAL_MS = 86_400_000;

/** What TUF starts from: a root.json, or the digest of the signed part of the mirror's version 1. */
export type TufAnchor =
  { readonly kind: 'root'; readonly bytes: Buffer } | { readonly kind: 'digest'; readonly sha256: string };

/** A trusted root that a TUF mirror serves. */
export interface TufSource {
  readonly kind: 'tuf';
  /** Base URL of the metadata; targets are below `targets/`. */
  readonly mirror: string;
  readonly anchor: TufAnchor;
  readonly target: string;
  /** Time between refreshes, in milliseconds; a tenth of it is jitter. */
  readonly refreshIntervalMs: number;
}

/** What a TrustRoot names: the public-good instance (shipped, then refreshed), a mirror, or one document for good. */
export type TrustSource =
  { readonly kind: 'publicGood' } | TufSource | { readonly kind: 'pinned'; readonly bytes: Buffer };

/** One state of one TrustRoot's trust; immutable. */
export interface TrustSnapshot {
  readonly root: TrustedRoot;
  /** Rises in the process with every root that differs from the one before; equal generations are one object. */
  readonly generation: number;
  readonly source: 'shipped' | 'tuf' | 'pinned';
  /** When its source last vouched for it; for shipped and pinned ones when it was read. */
  readonly fetchedAt: Date;
  /** When it stops being trusted unless its source vouches for it again; undefined: never. */
  readonly expiresAt: Date | undefined;
}

/** A snapshot in force, or one clause on why there is none. */
export type TrustReading =
  { readonly ok: true; readonly snapshot: TrustSnapshot } | { readonly ok: false; readonly problem: string };

/** The half of the trust store that policies are compiled with; neither call waits for anything. */
export interface TrustReader {
  /** Says which TrustRoots there are now: new ones start to be followed, missing ones stop. */
  track(sources: ReadonlyMap<string, TrustSource>): void;
  /** The present snapshot of a TrustRoot that was tracked. */
  read(name: string): TrustReading;
}

/** GitHub's own instance: nothing is shipped, its first root comes with the first refresh. */
export const GITHUB_SOURCE: TufSource = {
  kind: 'tuf',
  mirror: GITHUB_MIRROR,
  anchor: { kind: 'digest', sha256: GITHUB_ROOT_SHA256 },
  target: TRUSTED_ROOT_TARGET,
  refreshIntervalMs: DEFAULT_REFRESH_INTERVAL_MS,
};
