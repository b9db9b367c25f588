// What does the cluster say now? Keeps the last known state of one collection by list and watch, retries for
// ever, and knows how long ago it last heard from the API server. What the objects mean, and how old is too
// old, is left to the caller. The library's own informer is not used: after a list that fails it never retries.
import type { KubernetesObject } from '@kubernetes/client-node';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesClient } from './client.ts';
import { KubernetesApiError, KubernetesWatchError, type KubernetesWatchErrorKind } from './errors.ts';
import {
  MalformedAnswerError,
  MAX_WATCH_LINE_BYTES,
  parseListPage,
  parseWatchEvent,
  readLines,
  type WatchEvent,
} from './watch-events.ts';

/** As client-go's reflector; a tenth of it after a page that was too large to read. */
const LIST_PAGE_LIMIT = 500;
/** Guards against a server that continues for ever: five million objects. */
const MAX_LIST_PAGES = 10_000;
const LIST_PAGE_TIMEOUT_MS = 60_000;
/** The server ends the watch after this long; client-go takes 5 to 10 minutes. */
const WATCH_TIMEOUT_SECONDS = 300;
/** Bookmarks come about once a minute: without a byte for longer the connection is taken for dead. */
const WATCH_IDLE_TIMEOUT_MS = 150_000;
/** A watch that lasted this long was no failure, whatever ended it. */
const HEALTHY_WATCH_MS = 10_000;
const DEFAULT_BACKOFF: Backoff = { minimumMs: 500, maximumMs: 30_000 };

/** Delay before another try: doubles from `minimumMs` to `maximumMs`, of which a random half is taken off. */
export interface Backoff {
  readonly minimumMs: number;
  readonly maximumMs: number;
}

/** What to watch and whom to tell. */
export interface ListWatchOptions {
  readonly client: KubernetesClient;
  /** The collection, without query: `/apis/modelpolicy.dev/v1alpha1/clustermodelpolicies`. */
  readonly path: string;
  /** Only these, as `metadata.name=x`: RBAC can then name the object. */
  readonly fieldSelector?: string;
  /**
   * The whole last known state by `namespace/name` (`name` for cluster-scoped objects): after the first list, and
   * after each change, once for all changes of a tick. The map is the caller's own.
   */
  readonly onChange: (objects: ReadonlyMap<string, KubernetesObject>) => void;
  /** Each failure; another try follows by itself. */
  readonly onError: (error: KubernetesWatchError) => void;
  /** Ends everything: no call of `onChange` or `onError` comes after it, and the connection is closed. */
  readonly signal: AbortSignal;
  /** Default 500 ms to 30 s. */
  readonly backoff?: Backoff;
}

/** A running list-watch. */
export interface ListWatch {
  /** Resolves after the first `onChange` that did not throw. Never rejects: when the signal comes first it stays pending. */
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
  /**
   * Milliseconds from the last sign of life (a list page, a watch that began, an event, a bookmark: at least about
   * one a minute) to `now`, which is as `Date.now()`. Infinity before the first.
   */
  ageMs(now: number): number;
}

/** Starts at once and keeps going until `options.signal`; throws nothing, now or later. */
export function startListWatch(options: ListWatchOptions): ListWatch {
  const watcher = new Watcher(options);
  void watcher.run();
  return watcher;
}

class Watcher implements ListWatch {
  readonly synced: Promise<void>;
  readonly #options: ListWatchOptions;
  readonly #resolveSynced: () => void;
  #objects = new Map<string, KubernetesObject>();
  /** Where the next watch continues; undefined: a list comes first. */
  #resourceVersion: string | undefined;
  #isSynced = false;
  #lastSignMs = -Infinity;
  #isFlushPending = false;
  #failures = 0;
  #pageLimit = LIST_PAGE_LIMIT;

  constructor(options: ListWatchOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#resolveSynced = resolve;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  ageMs(now: number): number {
    return Math.max(0, now - this.#lastSignMs);
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      const startedMs = performance.now();
      const failure = await this.#turn();
      if (performance.now() - startedMs >= HEALTHY_WATCH_MS) this.#failures = 0;
      if (failure) this.#report(failure.kind, failure.cause);
      await sleep(this.#delayMs(), undefined, { signal }).catch(() => undefined);
    }
  }

  /** One list, when needed, and one watch to its end; how it failed, or undefined when the server ended it. */
  async #turn(): Promise<{ kind: KubernetesWatchErrorKind; cause: unknown } | undefined> {
    try {
      const resourceVersion = this.#resourceVersion ?? (await this.#list());
      await this.#watch(resourceVersion);
      return undefined;
    } catch (cause) {
      const kind = toKind(cause);
      // A broken connection continues where it was. Any other failure may be about the resource version itself
      // (too old, or too new after etcd was restored from a backup): only a list is sure to end it.
      if (kind !== 'Unreachable') this.#resourceVersion = undefined;
      if (isTooLarge(cause)) this.#pageLimit = Math.max(1, Math.floor(this.#pageLimit / 10));
      return { kind, cause };
    }
  }

  async #list(): Promise<string> {
    const { client, path, signal, fieldSelector } = this.#options;
    const selector = fieldSelector === undefined ? '' : `&fieldSelector=${encodeURIComponent(fieldSelector)}`;
    const objects = new Map<string, KubernetesObject>();
    let token = '';
    for (let page = 0; page < MAX_LIST_PAGES; page += 1) {
      const query = `limit=${this.#pageLimit}${token && `&continue=${encodeURIComponent(token)}`}${selector}`;
      const timeout = AbortSignal.any([signal, AbortSignal.timeout(LIST_PAGE_TIMEOUT_MS)]);
      const list = parseListPage(await client.get(`${path}?${query}`, timeout));
      this.#signOfLife();
      for (const { key, object } of list.items) objects.set(key, object);
      token = list.continue;
      if (token === '') {
        this.#objects = objects;
        this.#resourceVersion = list.resourceVersion;
        this.#flush();
        return list.resourceVersion;
      }
    }
    throw new MalformedAnswerError(`a list of more than ${MAX_LIST_PAGES} pages`);
  }

  async #watch(resourceVersion: string): Promise<void> {
    const { client, path, signal, fieldSelector } = this.#options;
    const query = new URLSearchParams({
      ...(fieldSelector !== undefined && { fieldSelector }),
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds: String(WATCH_TIMEOUT_SECONDS),
    });
    const stream = await client.stream(`${path}?${query.toString()}`, {
      signal,
      idleTimeoutMs: WATCH_IDLE_TIMEOUT_MS,
    });
    this.#signOfLife();
    for await (const line of readLines(stream, MAX_WATCH_LINE_BYTES)) {
      this.#apply(parseWatchEvent(line));
      this.#signOfLife();
      this.#failures = 0;
    }
  }

  #apply(event: WatchEvent): void {
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        this.#objects.set(event.named.key, event.named.object);
        break;
      case 'DELETED':
        this.#objects.delete(event.named.key);
        break;
      case 'BOOKMARK':
        this.#resourceVersion = event.resourceVersion;
        return;
      case 'ERROR':
        throw new KubernetesApiError({ status: event.code, reason: 'WatchError', message: event.message });
    }
    this.#resourceVersion = event.named.resourceVersion;
    this.#scheduleFlush();
  }

  #signOfLife(): void {
    this.#lastSignMs = Date.now();
  }

  #scheduleFlush(): void {
    if (this.#isFlushPending) return;
    this.#isFlushPending = true;
    setImmediate(() => {
      if (this.#isFlushPending) this.#flush();
    });
  }

  #flush(): void {
    this.#isFlushPending = false;
    const { signal, onChange } = this.#options;
    if (signal.aborted) return;
    try {
      onChange(new Map(this.#objects));
    } catch (error) {
      // Not synced by this: whoever waits for it would go on without the state.
      this.#report('ConsumerFailed', error);
      return;
    }
    this.#isSynced = true;
    this.#resolveSynced();
  }

  #report(kind: KubernetesWatchErrorKind, cause: unknown): void {
    const { signal, onError, path } = this.#options;
    if (signal.aborted) return;
    try {
      onError(new KubernetesWatchError(kind, path, cause));
    } catch {
      // There is nobody left to tell, and the watch must go on.
    }
  }

  /** The server may also end each watch at once without an error: that counts as a failure like any other. */
  #delayMs(): number {
    const { minimumMs, maximumMs } = this.#options.backoff ?? DEFAULT_BACKOFF;
    const ceiling = Math.min(maximumMs, minimumMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return ceiling * (0.5 + Math.random() / 2);
  }
}

function toKind(cause: unknown): KubernetesWatchErrorKind {
  if (!(cause instanceof KubernetesApiError)) return 'Malformed';
  if (cause.reason === 'WatchError') return cause.status === 410 ? 'Expired' : 'Refused';
  if (cause.status === 410) return 'Expired';
  if (cause.status > 0) return 'Refused';
  return cause.reason === 'ResponseMalformed' ? 'Malformed' : 'Unreachable';
}

function isTooLarge(cause: unknown): boolean {
  return cause instanceof KubernetesApiError && cause.reason === 'ResponseTooLarge';
}
