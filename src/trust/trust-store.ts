// Whom do the TrustRoots of now trust? One tracker for each that is refreshed, parsed documents for those that are
// pinned. Reading is a look at memory: no request and no start-up waits for a mirror.
import { sha256Hex } from '../lib/digest.ts';
import { quote } from '../lib/text.ts';
import { loadPublicGood } from './public-good.ts';
import {
  TrustTracker,
  type RefreshEvent,
  type TrackerEnvironment,
  type TrackerOptions,
  type TrustStatus,
} from './trust-tracker.ts';
import { parseTrustedRoot, TrustedRootError } from './trusted-root.ts';
import type { TrustReader, TrustReading, TrustSource, TufSource } from './trust-source.ts';
import { createTufCacheBase } from './tuf-cache.ts';
import type { TrustFetch } from './tuf-fetcher.ts';

/** What a trust store works with. */
export interface TrustStoreOptions {
  /** Undefined: never ask a mirror. */
  readonly fetch: TrustFetch | undefined;
  /** Directory of the TUF caches; undefined: a private temporary one for the life of the store. */
  readonly cacheDirectory?: string | undefined;
  readonly environment?: TrackerEnvironment;
  /** Told every refresh. */
  readonly onRefresh?: (event: RefreshEvent) => void;
}

/** Holds and refreshes trust. */
export interface TrustStore extends TrustReader {
  /** Calls back when any reading changed; replaces the callback before. */
  onChange(listener: () => void): void;
  /** Those TrustRoots that are refreshed. */
  statuses(): readonly TrustStatus[];
  /** Resolves when every TrustRoot tracked now has had its first refresh, or failed to; never rejects. */
  settled(): Promise<void>;
  /** Refreshes every TrustRoot now; never rejects. */
  refresh(): Promise<void>;
  stop(): void;
}

interface Entry {
  readonly key: string;
  readonly read: () => TrustReading;
  readonly tracker?: TrustTracker;
}

const SYSTEM: TrackerEnvironment = {
  now: () => new Date(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

/** Creates a store that follows nothing yet. */
export function createTrustStore(options: TrustStoreOptions): TrustStore {
  const { environment = SYSTEM, onRefresh = () => undefined } = options;
  const cache = createTufCacheBase(options.cacheDirectory);
  const entries = new Map<string, Entry>();
  let listener: () => void = () => undefined;
  let generation = 0;
  const nextGeneration = (): number => (generation += 1);

  function open(name: string, key: string, source: TrustSource): Entry {
    try {
      if (source.kind === 'pinned') return openPinned(key, source.bytes);
      return follow(name, key, source.kind === 'tuf' ? { source } : openShipped());
    } catch (error) {
      if (!(error instanceof TrustedRootError)) throw error;
      const problem = `its trusted root is invalid: ${quote(error.message, 300)}`;
      return { key, read: () => ({ ok: false, problem }) };
    }
  }

  function openPinned(key: string, bytes: Buffer): Entry {
    const snapshot = {
      root: parseTrustedRoot(bytes),
      generation: nextGeneration(),
      source: 'pinned' as const,
      fetchedAt: environment.now(),
      expiresAt: undefined,
    };
    return { key, read: () => ({ ok: true, snapshot }) };
  }

  function openShipped(): Pick<TrackerOptions, 'shipped'> & { source: TufSource } {
    const { root, bytes, expiresAt, source } = loadPublicGood();
    const fetchedAt = environment.now();
    const snapshot = {
      root,
      generation: nextGeneration(),
      source: 'shipped' as const,
      fetchedAt,
      expiresAt,
    };
    return { source, shipped: { snapshot, bytes } };
  }

  function follow(
    name: string,
    key: string,
    { source, shipped }: Pick<TrackerOptions, 'shipped'> & { source: TufSource },
  ): Entry {
    const { fetch } = options;
    const tracker = new TrustTracker({
      trustRoot: name,
      ...(shipped === undefined ? {} : { shipped }),
      mirror: source.mirror,
      refreshIntervalMs: source.refreshIntervalMs,
      // The TUF client takes a while to load: clusters whose policies name keys do without.
      readCache: async () => (await import('./tuf-client.ts')).readCachedTarget(source, cache),
      refresh:
        fetch === undefined
          ? undefined
          : async (signal, onDate) => {
              const { refreshTarget } = await import('./tuf-client.ts');
              return refreshTarget(source, { cache, fetch, signal, onDate, now: () => environment.now() });
            },
      environment,
      nextGeneration,
      onChange: () => listener(),
      onRefresh,
    });
    return { key, tracker, read: () => tracker.read() };
  }

  const trackers = (): readonly TrustTracker[] =>
    [...entries.values()].flatMap(({ tracker }) => (tracker === undefined ? [] : [tracker]));

  return {
    track(sources) {
      for (const [name, { tracker }] of entries) {
        if (sources.has(name)) continue;
        tracker?.stop();
        entries.delete(name);
      }
      for (const [name, source] of sources) {
        const key = toKey(source);
        const entry = entries.get(name);
        if (entry?.key === key) continue;
        entry?.tracker?.stop();
        entries.set(name, open(name, key, source));
      }
    },
    read: (name) => entries.get(name)?.read() ?? { ok: false, problem: 'it is not known' },
    onChange(replacement) {
      listener = replacement;
    },
    statuses: () => trackers().map((tracker) => tracker.status()),
    async settled() {
      await Promise.all(trackers().map(({ settled }) => settled));
    },
    async refresh() {
      await Promise.all(trackers().map((tracker) => tracker.refresh()));
    },
    stop() {
      for (const tracker of trackers()) tracker.stop();
      entries.clear();
      cache.dispose();
    },
  };
}

// Two sources with one key are the same: what is known about one holds for the other.
function toKey(source: TrustSource): string {
  if (source.kind === 'publicGood') return 'publicGood';
  if (source.kind === 'pinned') return `pinned ${sha256Hex(source.bytes)}`;
  const { mirror, anchor, target, refreshIntervalMs } = source;
  const root = anchor.kind === 'root' ? sha256Hex(anchor.bytes) : `signed ${anchor.sha256}`;
  return `tuf ${JSON.stringify([mirror, root, target, refreshIntervalMs])}`;
}
