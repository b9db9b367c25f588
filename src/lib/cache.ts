// Do we know this already? The one cache: bounded by weight and age, with a single flight per key, detached from
// whoever asked first. Invisible to callers; failures are never kept.
import { LRUCache } from 'lru-cache';

/** Told what happened on every look-up, for metrics. */
export type CacheObserver = (result: 'hit' | 'miss' | 'joined') => void;

/** Bounds of one cache. `weigh` defaults to 1 an entry. */
export interface CacheOptions<V> {
  readonly maxWeight: number;
  readonly weigh?: (value: V) => number;
  /** Lifetime in milliseconds, of all values or of each; absent or 0 = until evicted. */
  readonly ttlMs?: number | ((value: V) => number);
  /** Which values are kept once they were handed out; absent = all. */
  readonly isKept?: (value: V) => boolean;
  readonly observe?: CacheObserver;
}

/** A cache around one effect. */
export interface Cache<V extends object> {
  /** The cached value, the value of the flight under way, or what `load` brings. */
  fetch(key: string, load: () => Promise<V>): Promise<V>;
  /** What is stored, without loading and without being counted. */
  peek(key: string): V | undefined;
  /** Forgets one key. */
  drop(key: string): void;
}

/** Creates a cache; `load` failures reject every waiter and are not kept. */
export function createCache<V extends object>(options: CacheOptions<V>): Cache<V> {
  const weigh = options.weigh ?? (() => 1);
  const stored = new LRUCache<string, V>({
    maxSize: options.maxWeight,
    sizeCalculation: (value) => Math.max(1, weigh(value)),
  });
  const { ttlMs = 0, isKept = () => true } = options;
  const ttlOf = typeof ttlMs === 'number' ? () => ttlMs : ttlMs;
  const flights = new Map<string, Promise<V>>();
  const observe = options.observe ?? (() => undefined);

  function start(key: string, load: () => Promise<V>): Promise<V> {
    const flight = load()
      .then((value) => {
        if (isKept(value)) stored.set(key, value, { ttl: ttlOf(value) });
        return value;
      })
      .finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  }

  return {
    peek: (key) => stored.get(key),
    drop: (key) => void stored.delete(key),
    fetch(key, load) {
      const known = stored.get(key);
      if (known !== undefined) {
        observe('hit');
        return Promise.resolve(known);
      }
      const flight = flights.get(key);
      observe(flight === undefined ? 'miss' : 'joined');
      return flight ?? start(key, load);
    },
  };
}
