// What do these single objects say? Secrets and ConfigMaps that namespaces' policies name, read one by one and again every
// while: to watch them, the controller would have to be allowed to list everything of its kind.
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesClient } from './client.ts';
import { KubernetesApiError } from './errors.ts';

/** How often each object is read again, in milliseconds (docs: limits). */
export const NAMED_OBJECT_INTERVAL_MS = 30_000;
/** Time for reading one of them, in milliseconds. */
const READ_TIMEOUT_MS = 3000;
/** Objects that are read at once. */
const MAX_AT_ONCE = 4;
/** Largest object that is kept, in characters of its JSON (docs: limits). */
export const MAX_NAMED_OBJECT_CHARS = 256 * 1024;

/** What to read with and whom to tell. */
export interface NamedObjectsOptions {
  readonly client: KubernetesClient;
  /** Told when an object that is wanted is another one than before, or came or went. */
  readonly onChange: () => void;
  readonly signal: AbortSignal;
  /** Default 30 s. */
  readonly intervalMs?: number;
}

/** Objects that are kept up to date. */
export interface NamedObjects {
  /** Says which paths are wanted from now on; what is new is read at once. Resolves when each of that was tried once. */
  want(paths: ReadonlySet<string>): Promise<void>;
  /** What was read of them, by path: the last answer. An object that is gone or may not be read is absent. */
  read(path: string): object | undefined;
}

/** Starts with nothing wanted; ends with the signal. */
export function createNamedObjects(options: NamedObjectsOptions): NamedObjects {
  const { client, onChange, signal, intervalMs = NAMED_OBJECT_INTERVAL_MS } = options;
  const known = new Map<string, { readonly object: object; readonly text: string }>();
  const flights = new Set<string>();
  let wanted: ReadonlySet<string> = new Set();

  async function readOne(path: string): Promise<boolean> {
    const before = known.get(path)?.text;
    try {
      const object = await client.get(path, AbortSignal.any([signal, AbortSignal.timeout(READ_TIMEOUT_MS)]));
      const text = JSON.stringify(object);
      // Kept as it was where it did not change, so that nothing has to be compiled again.
      if (text === before) return false;
      if (typeof object !== 'object' || object === null || text.length > MAX_NAMED_OBJECT_CHARS)
        return known.delete(path);
      known.set(path, { object, text });
      return true;
    } catch (error) {
      // Trouble on the way changes nothing; an answer that it is not there, or not ours to read, does.
      const isAnswer = error instanceof KubernetesApiError && [403, 404].includes(error.status);
      return isAnswer && known.delete(path);
    }
  }
  async function readAll(paths: readonly string[]): Promise<void> {
    const pending = paths.filter((path) => !flights.has(path));
    for (const path of pending) flights.add(path);
    let isChanged = false;
    const work = pending.values();
    const drain = async (): Promise<void> => {
      for (const path of work) {
        isChanged = (await readOne(path)) || isChanged;
        flights.delete(path);
      }
    };
    await Promise.all(Array.from({ length: MAX_AT_ONCE }, drain));
    if (isChanged && !signal.aborted) onChange();
  }
  async function keepReading(): Promise<void> {
    while (!signal.aborted) {
      await sleep(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await readAll([...wanted]);
    }
  }
  void keepReading();
  return {
    want(paths) {
      const added = [...paths].filter((path) => !wanted.has(path));
      wanted = paths;
      for (const path of known.keys()) if (!paths.has(path)) known.delete(path);
      return readAll(added);
    },
    read: (path) => (wanted.has(path) ? known.get(path)?.object : undefined),
  };
}
