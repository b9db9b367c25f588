// Whose cache is this? One client for each credential, each with its own part of the caches: what was fetched with a
// namespace's Secret is shown to nobody who does not hold the same credential for the same registry.
import { createRegistryClient, type RegistryClient } from '../registry/client.ts';
import type { Keychain } from '../registry/docker-config.ts';
import type { HostSettingsMap } from '../registry/host-settings.ts';
import type { OpenClient } from '../registry/keychain-client.ts';
import type { Transport } from '../registry/transport.ts';
import { createCachingClient, createRegistryCaches, type CacheEvents } from './caching-client.ts';

/** Credentials of one kind, shared or not, that are remembered with their tokens (docs: limits). */
export const MAX_CLIENTS = 256;
/** The part of the caches' memory that everything fetched with pull secrets has together (docs: limits). */
export const PULL_SECRET_SHARE = 0.25;

/** What every client knows of single hosts. */
export interface PoolSettings {
  readonly settings: HostSettingsMap;
  /** Credentials for mirrors, whoever asks. */
  readonly mirrorKeychain: Keychain;
  /** The part of the documented sizes that the pool's caches may fill; default all. */
  readonly share?: number;
}

const NO_SETTINGS: PoolSettings = { settings: new Map(), mirrorKeychain: new Map() };

/** Creates the pool of one process. */
export function createClientPool(
  transport: Transport,
  observe: CacheEvents,
  { settings, mirrorKeychain, share = 1 }: PoolSettings = NO_SETTINGS,
): OpenClient {
  const open = (own: Keychain): RegistryClient =>
    createRegistryClient(transport, new Map([...mirrorKeychain, ...own]), settings);
  // Apart, so that no namespace crowds out what is everybody's.
  const shared = createPart(open, observe, share);
  const owned = createPart(open, observe, share * PULL_SECRET_SHARE);
  return (registry, key) => {
    if (key === undefined) return shared('', () => new Map());
    const part = key.isShared ? shared : owned;
    return part(key.id, () => new Map([[registry, key.credential]]));
  };
}

type Part = (id: string, toKeychain: () => Keychain) => RegistryClient;

function createPart(open: (own: Keychain) => RegistryClient, observe: CacheEvents, share: number): Part {
  const caches = createRegistryCaches(observe, share);
  const clients = new Map<string, RegistryClient>();
  return (id, toKeychain) => {
    const client = clients.get(id) ?? createCachingClient(open(toKeychain()), caches, id);
    // The last used stands last; the first has waited longest.
    clients.delete(id);
    clients.set(id, client);
    const [oldest] = clients.keys();
    if (clients.size > MAX_CLIENTS && oldest !== undefined) clients.delete(oldest);
    return client;
  };
}
