// Whose cache is this? One client for each credential, each with its own part of the caches: what was fetched with a
// namespace's Secret is shown to nobody who does not hold the same credential for the same registry.
import { createRegistryClient, type RegistryClient } from '../registry/client.ts';
import type { OpenClient } from '../registry/keychain-client.ts';
import type { Transport } from '../registry/transport.ts';
import { createCachingClient, createRegistryCaches, type CacheEvents } from './caching-client.ts';

/** Credentials of one kind, shared or not, that are remembered with their tokens (docs: limits). */
export const MAX_CLIENTS = 256;
/** The part of the caches' memory that everything fetched with pull secrets has together (docs: limits). */
export const PULL_SECRET_SHARE = 0.25;

/** Creates the pool of one process. */
export function createClientPool(transport: Transport, observe: CacheEvents): OpenClient {
  // Apart, so that no namespace crowds out what is everybody's.
  const shared = createPart(transport, observe, 1);
  const owned = createPart(transport, observe, PULL_SECRET_SHARE);
  return (registry, key) => {
    if (key === undefined) return shared('', () => new Map());
    const part = key.isShared ? shared : owned;
    return part(key.id, () => new Map([[registry, key.credential]]));
  };
}

type Part = (id: string, toKeychain: () => Parameters<typeof createRegistryClient>[1]) => RegistryClient;

function createPart(transport: Transport, observe: CacheEvents, share: number): Part {
  const caches = createRegistryCaches(observe, share);
  const clients = new Map<string, RegistryClient>();
  return (id, toKeychain) => {
    const client =
      clients.get(id) ?? createCachingClient(createRegistryClient(transport, toKeychain()), caches, id);
    // The last used stands last; the first has waited longest.
    clients.delete(id);
    clients.set(id, client);
    const [oldest] = clients.keys();
    if (clients.size > MAX_CLIENTS && oldest !== undefined) clients.delete(oldest);
    return client;
  };
}
