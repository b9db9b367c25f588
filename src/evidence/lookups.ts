// How much may one request ask of registries? So many look-ups, a few at once, whatever its pod names and its policies want:
// everything that is asked for waits on one signal, and whoever asks for thousands of things makes everybody wait.
import { DeadlineError } from '../lib/deadline.ts';
import { createTurns } from '../lib/turns.ts';
import type { RegistryClient } from '../registry/client.ts';

/** Most look-ups of one side of a request, cached ones among them (docs: limits). */
export const MAX_LOOKUPS = 8192;
/** Look-ups of one side of a request at once (docs: limits): as many as one host has connections. */
export const LOOKUPS_AT_ONCE = 32;

/** Thrown instead of a look-up that is too much. */
export class TooManyLookupsError extends Error {
  override readonly name = 'TooManyLookupsError';
  constructor() {
    super(`the models of this pod and what signs them need more than ${MAX_LOOKUPS} answers of registries`);
  }
}

/** Makes clients share one request's look-ups. */
export type ShareLookups = (client: RegistryClient) => RegistryClient;

/** Creates the look-ups of one side of a request. */
export function createLookups(): ShareLookups {
  const takeTurn = createTurns(LOOKUPS_AT_ONCE);
  let left = MAX_LOOKUPS;
  async function look<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    if (left === 0) throw new TooManyLookupsError();
    left -= 1;
    return takeTurn(() => (signal.aborted ? Promise.reject(new DeadlineError('deadline exceeded')) : ask()));
  }
  return (client) => ({
    fetchManifest: (name, target, signal, maxBytes) =>
      look(signal, () => client.fetchManifest(name, target, signal, maxBytes)),
    findTag: (name, tag, signal) => look(signal, () => client.findTag(name, tag, signal)),
    listReferrers: (name, digest, signal) => look(signal, () => client.listReferrers(name, digest, signal)),
    fetchBlob: (name, blob, limit) => look(limit.signal, () => client.fetchBlob(name, blob, limit)),
  });
}
