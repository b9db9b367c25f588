// Have these bytes been fetched before? Wraps a registry client in caches: bytes by digest for good, listings, tags and
// the absence of tags for seconds, failures never. One flight per key, which no single caller's deadline ends.
import { createCache, type Cache, type CacheObserver } from '../lib/cache.ts';
import { waitWithin } from '../lib/deadline.ts';
import { isDigest } from '../lib/digest.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { ReferrersList } from '../registry/referrers.ts';
import type { FetchedManifest, RepositoryName } from '../registry/resource.ts';

/** Memory for bytes by digest (docs: limits). */
export const MAX_CACHED_BYTES = 64 * 1024 * 1024;
/** How long a listing of referrers is believed, in milliseconds (docs: limits). */
export const REFERRERS_TTL_MS = 10_000;
/** How long a tag is believed, in milliseconds (docs: limits). */
export const TAG_TTL_MS = 5000;
const MAX_CACHED_TAG_BYTES = 16 * 1024 * 1024;
const MAX_CACHED_LISTING_BYTES = 16 * 1024 * 1024;
/** What a descriptor of a listing takes in memory, about. */
const DESCRIPTOR_BYTES = 600;
const FLIGHT_TIMEOUT_MS = 9000;

/** The caches of one client, for metric labels. */
export type CacheName = 'bytes' | 'referrers' | 'tags';

/** Told every look-up by cache, for metrics. */
export type CacheEvents = (cache: CacheName, ...result: Parameters<CacheObserver>) => void;

/** The memory that clients share; each client sees its own part of it alone. */
export interface RegistryCaches {
  readonly bytes: Cache<FetchedManifest>;
  readonly listings: Cache<ReferrersList>;
  readonly tags: Cache<FetchedManifest>;
  readonly optionalTags: Cache<{ readonly manifest: FetchedManifest | undefined }>;
}

/** Creates caches. @param share the part of the documented sizes that they may fill, default all */
export function createRegistryCaches(observe: CacheEvents, share = 1): RegistryCaches {
  const observeTags: CacheObserver = (result) => observe('tags', result);
  return {
    bytes: createCache({
      maxWeight: MAX_CACHED_BYTES * share,
      weigh: (value) => value.bytes.length + 512,
      observe: (result) => observe('bytes', result),
    }),
    listings: createCache({
      maxWeight: MAX_CACHED_LISTING_BYTES * share,
      weigh: ({ descriptors }) => DESCRIPTOR_BYTES * (1 + descriptors.length),
      ttlMs: REFERRERS_TTL_MS,
      observe: (result) => observe('referrers', result),
    }),
    tags: createCache({
      maxWeight: MAX_CACHED_TAG_BYTES * share,
      weigh: (value) => value.bytes.length + 512,
      ttlMs: TAG_TTL_MS,
      observe: observeTags,
    }),
    optionalTags: createCache({
      maxWeight: MAX_CACHED_TAG_BYTES * share,
      weigh: ({ manifest }) => (manifest?.bytes.length ?? 0) + 512,
      ttlMs: TAG_TTL_MS,
      observe: observeTags,
    }),
  };
}

/**
 * Wraps a client. All callers of one wrapper see what its credentials may see, so one wrapper serves one keychain.
 * @param partition names the keychain; clients with one name share what they fetched, default the anonymous one
 */
export function createCachingClient(
  inner: RegistryClient,
  { bytes, listings, tags, optionalTags }: RegistryCaches,
  partition = '',
): RegistryClient {
  const flight = (): AbortSignal => AbortSignal.timeout(FLIGHT_TIMEOUT_MS);
  const key = ({ registry, repository }: RepositoryName, what: string): string =>
    `${partition} ${registry}/${repository} ${what}`;

  return {
    fetchManifest: (name, target, signal, maxBytes) =>
      waitWithin(
        // The cap is part of the key: who may read less must not fail who may read more.
        (isDigest(target) ? bytes : tags).fetch(key(name, `manifest ${target} ${maxBytes ?? ''}`), () =>
          inner.fetchManifest(name, target, flight(), maxBytes),
        ),
        signal,
      ),
    async findTag(name, tag, signal) {
      const { manifest } = await waitWithin(
        optionalTags.fetch(key(name, tag), async () => ({
          manifest: await inner.findTag(name, tag, flight()),
        })),
        signal,
      );
      return manifest;
    },
    listReferrers: (name, digest, signal) =>
      waitWithin(
        listings.fetch(key(name, digest), () => inner.listReferrers(name, digest, flight())),
        signal,
      ),
    async fetchBlob(name, blob, { maxBytes, signal }) {
      const found = await waitWithin(
        bytes.fetch(key(name, `blob ${blob.digest} ${blob.size}`), async () => ({
          bytes: await inner.fetchBlob(name, blob, { maxBytes, signal: flight() }),
          digest: blob.digest,
        })),
        signal,
      );
      return found.bytes;
    },
  };
}
