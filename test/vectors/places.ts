// Where is a case served from? From the registry of the tests, in each way of discovery and with every request counted,
// or from a registry that others wrote, which keeps its counts to itself.
import {
  startRegistry,
  type RegistryHandle,
  type RegistryOptions,
  type RegistryRequest,
} from '../../src/demo/registry.ts';
import { readLayout, seedFromLayout } from '../../src/demo/seed-from-layout.ts';
import { readBlob, type VectorCase } from './cases.ts';
import { pushLayout } from './push-layout.ts';
import type { RealRegistry } from './real-registry.ts';
import { RoundTrips } from './round-trips.ts';

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

/** How a registry tells which signatures belong to an artifact. */
export type Discovery = 'referrers API' | 'referrers API, wrong types' | 'tag schema';

/** What one verdict cost at the registry. */
export interface Cost {
  readonly requests: readonly RegistryRequest[];
  /** How often in a row the registry was waited for. */
  readonly rounds: number;
}

/** A case, served. */
export interface Place {
  readonly address: string;
  readonly repository: string;
  readonly discovery: Discovery;
  /** Counts what `ask` costs; undefined where nothing is counted. */
  count<T>(quietMs: number, ask: () => Promise<T>): Promise<{ value: T; cost: Cost | undefined }>;
  close(): Promise<void>;
}

/** A way to serve cases. */
export interface Way {
  readonly name: string;
  /** @throws PushError when the registry does not take the case */
  open(vector: VectorCase): Promise<Place>;
}

const counted = (discovery: Discovery, options: RegistryOptions): Way => ({
  name: discovery,
  async open(vector) {
    const registry = await startRegistry(options);
    seed(registry, vector);
    return {
      address: registry.address,
      repository: vector.repository,
      discovery,
      async count(quietMs, ask) {
        const before = registry.requests.length;
        const trips = new RoundTrips(quietMs);
        registry.setFault(() => ({ until: trips.enter() }));
        const value = await ask();
        return { value, cost: { requests: registry.requests.slice(before), rounds: trips.count } };
      },
      close: () => registry.close(),
    };
  },
});

const REFERRERS_API = counted('referrers API', { referrersApi: true });
const TAG_SCHEMA = counted('tag schema', { referrersApi: false });
const WRONG_TYPES = counted('referrers API, wrong types', { referrersApi: true, listsConfigType: true });

/** The ways in which a case is served. @param real registries that are running */
export function waysOf({ id }: VectorCase, real: readonly RealRegistry[]): readonly Way[] {
  return [
    REFERRERS_API,
    TAG_SCHEMA,
    ...(id.endsWith('-ggcr') ? [WRONG_TYPES] : []),
    ...real.map((registry) => realWay(registry)),
  ];
}

// Cases share repositories and tags: each has a repository of its own.
function realWay({ name, address, url }: RealRegistry): Way {
  return {
    name,
    async open(vector) {
      const repository = `${vector.id}/${vector.repository}`;
      await pushLayout({ url, repository }, readLayout(vector.layout, vector.tags));
      const listing = await fetch(`${url}/v2/${repository}/referrers/${vector.digest}`);
      await listing.body?.cancel();
      const hasApi = listing.status === 200 && listing.headers.get('content-type') === INDEX_TYPE;
      return {
        address,
        repository,
        discovery: hasApi ? 'referrers API' : 'tag schema',
        count: async (_, ask) => ({ value: await ask(), cost: undefined }),
        close: () => Promise.resolve(),
      };
    },
  };
}

// A case recorded on a registry without the API brings its own index under the tag; the demo registry's must not hide it.
/** Puts a case into a registry. */
export function seed(registry: RegistryHandle, { layout, repository, tags, mediaTypes }: VectorCase): void {
  seedFromLayout(registry, repository, layout, tags);
  for (const [digest, names] of tags) {
    const recorded = names.filter((name) => /^sha256-[0-9a-f]{64}$/u.test(name));
    const mediaType = mediaTypes.get(digest);
    if (recorded.length === 0 || mediaType === undefined) continue;
    registry.putManifest(repository, readBlob(layout, digest), mediaType, ...recorded);
  }
}
