// Cluster mode: policies, trust roots, namespaces and key material by list-watch. The store changes only when every
// list has been read once; from then on the last known state serves on, whatever happens to the API server.
import { setTimeout as sleep } from 'node:timers/promises';
import type { OptionValues } from '../config.ts';
import { createDelay } from '../lib/delay.ts';
import { toErrorMessage, toRecord, toText } from '../lib/text.ts';
import { createTurns } from '../lib/turns.ts';
import {
  createKubernetesClient,
  type KubernetesClient,
  type KubernetesWriter,
} from '../kubernetes/client.ts';
import { KubernetesApiError, KubernetesConfigError } from '../kubernetes/errors.ts';
import { startListWatch, type ListWatch } from '../kubernetes/list-watch.ts';
import { createNamedObjects, type NamedObjects } from '../kubernetes/named-objects.ts';
import { createPullSecretReader } from '../kubernetes/pull-secret.ts';
import { toCreatedAt } from '../policy/compile-exception.ts';
import type { PolicySource } from '../policy/compile.ts';
import { toMaterial } from '../policy/documents.ts';
import { toMaterialKey, type MaterialData, type SourceMaterial } from '../policy/source-material.ts';
import { listTenantMaterial, type NamedMaterial } from '../policy/tenant-limits.ts';
import { toKnownNamespace, type KnownNamespace, type PolicyInputs } from '../policy/store.ts';
import { API_GROUP } from '../policy/types.ts';
import { textOf, UsageError } from './arguments.ts';
import type { PolicySourceHandle, PolicySourceOptions } from './policy-source.ts';

type Objects = ReadonlyMap<string, object>;

/** What is watched. */
export type Collection =
  'policies' | 'modelPolicies' | 'trustRoots' | 'exceptions' | 'namespaces' | 'secrets' | 'configMaps';

/** The cluster as it was last seen, and access to it. */
export interface ClusterView {
  readonly client: KubernetesWriter;
  /** The controller's own. */
  readonly namespace: string;
  /** By `namespace/name`, or by name; undefined before the first list. */
  objects(collection: Collection): Objects | undefined;
  /** Calls back after every change of a collection, when the store has it; replaces the callback before. */
  onChange(listener: () => void): void;
}

/** A source that is a cluster. */
export interface ClusterSourceHandle extends PolicySourceHandle {
  readonly cluster: ClusterView;
}

/** Starts watching. @throws UsageError when neither kubeconfig nor in-cluster configuration can be used */
export function startClusterSource(values: OptionValues, options: PolicySourceOptions): ClusterSourceHandle {
  const client = openClient(textOf(values, 'kubeconfig'));
  const namespace = textOf(values, 'controller-namespace') ?? '';
  const { store, logger, metrics, onUpdate } = options;
  const stop = new AbortController();
  const takeTurn = createTurns(NAMESPACE_READS_AT_ONCE);
  const state = new Map<Collection, Objects>();
  let tellChange: () => void = () => undefined;
  let isStale = true;
  const firstRead = Promise.withResolvers<void>();
  let firstWait: Promise<void> | undefined;
  let hasRead = false;
  let lastUpdateMs = -Infinity;
  /** ModelPolicies that count: what changes in them waits, whatever else changes. */
  let ofNamespaces: Objects | undefined;
  let areNamespacesStale = false;
  const updateLater = createDelay(() => attempt(update));
  const settleLater = createDelay(() => attempt(settle));
  const tenantObjects = createNamedObjects({
    client,
    signal: stop.signal,
    onChange() {
      areNamespacesStale = true;
      settleLater.within(TENANT_DELAY_MS);
    },
  });
  function update(): void {
    updateLater.cancel();
    if (stop.signal.aborted) return;
    if (state.size === COLLECTIONS && isStale) {
      lastUpdateMs = performance.now();
      ofNamespaces ??= state.get('modelPolicies');
      const inputs = toInputs(new Map([...state, ['modelPolicies', ofNamespaces ?? new Map()]]));
      const named = new Map(listTenantMaterial(inputs.policies).map((one) => [toObjectPath(one), one]));
      const read = tenantObjects.want(new Set(named.keys()));
      if (named.size === 0) hasRead = true;
      if (hasRead) {
        firstRead.resolve();
        store.update({ ...inputs, material: addMaterial(inputs.material, named, tenantObjects) });
        isStale = false;
        onUpdate();
      } else firstWait ??= waitFor(read);
    }
    tellChange();
  }
  function settle(): void {
    ofNamespaces = state.get('modelPolicies');
    isStale ||= areNamespacesStale;
    areNamespacesStale = false;
    update();
  }
  // Nobody waits for what a timer does: what the store does not take is offered again.
  function attempt(run: () => void): void {
    try {
      run();
    } catch (error) {
      logger.error({ error: toErrorMessage(error) }, 'the policies could not be read, trying again');
      updateLater.within(TENANT_DELAY_MS);
    }
  }
  function follow(collection: string, isChanged: boolean): void {
    if (collection === 'modelPolicies') {
      areNamespacesStale ||= isChanged;
      settleLater.within(TENANT_DELAY_MS);
      return;
    }
    // What the store could not take is offered again, changed or not.
    isStale ||= isChanged;
    const waitMs = collection === 'namespaces' ? lastUpdateMs + NAMESPACE_INTERVAL_MS - performance.now() : 0;
    if (waitMs > 0) updateLater.within(waitMs);
    else update();
  }
  // Else every policy of a namespace would deny, and be said to lack its keys, each time that a replica starts.
  async function waitFor(read: Promise<void>): Promise<void> {
    const bound = sleep(FIRST_READ_MS, undefined, { signal: stop.signal, ref: false });
    await Promise.race([read, bound.catch(() => undefined)]);
    hasRead = true;
    attempt(update);
  }
  const watches = Object.entries(toPaths(namespace)).map(([collection, path]): [string, ListWatch] => [
    collection,
    startListWatch({
      client,
      path,
      signal: stop.signal,
      onError(error) {
        metrics.observeWatchFailure(collection, error.kind);
        logger.warn(
          { path: error.path, kind: error.kind, error: error.message },
          'watch failed, trying again',
        );
      },
      onChange(objects) {
        const isFirst = state.size < COLLECTIONS;
        const before = state.get(collection as Collection);
        state.set(collection as Collection, objects);
        if (isFirst) update();
        else follow(collection, !hasSameSpecs(before, objects));
      },
    }),
  ]);
  metrics.readWatches(() =>
    watches.map(([collection, watch]) => ({ collection, ageMs: watch.ageMs(Date.now()) })),
  );
  return {
    cluster: {
      client,
      namespace,
      objects: (collection) => state.get(collection),
      onChange(listener) {
        tellChange = listener;
      },
    },
    synced: Promise.all([...watches.map(([, { synced }]) => synced), firstRead.promise]).then(
      () => undefined,
    ),
    findUnready() {
      if (state.size < COLLECTIONS) return 'the first lists from the API server have not been read';
      return hasRead ? undefined : 'the keys of namespaces’ own policies have not been read';
    },
    readNamespace: (name, signal) => takeTurn(() => readNamespace(client, name, signal)),
    pullSecrets: createPullSecretReader(client),
    stop() {
      stop.abort();
      updateLater.cancel();
      settleLater.cancel();
    },
  };
}

function toObjectPath({ kind, namespace, name }: NamedMaterial): string {
  const plural = kind === 'Secret' ? 'secrets' : 'configmaps';
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`;
}

// The controller's own namespace is watched: what is known of it stands.
function addMaterial(
  material: SourceMaterial,
  named: ReadonlyMap<string, NamedMaterial>,
  objects: NamedObjects,
): SourceMaterial {
  const found = [...named].flatMap(([path, { kind, namespace, name }]): [string, MaterialData][] => {
    const object = objects.read(path);
    return object === undefined
      ? []
      : [[toMaterialKey(kind, namespace, name), toMaterial({ kind, object: toRecord(object) })]];
  });
  return new Map([...found, ...material]);
}

const COLLECTIONS = 7;
/** Namespaces that no watch told of are read live, so many at once: whoever asks may make up their names. */
export const NAMESPACE_READS_AT_ONCE = 16;
/** RFC 1123 label: the API server has no other. */
const NAMESPACE_NAME = /^[\da-z](?:[\da-z-]{0,61}[\da-z])?$/;
/** How long the first world waits for the keys of namespaces' own policies, in milliseconds. */
const FIRST_READ_MS = 10_000;
/** How long changes of namespaces' own policies are gathered before they count, in milliseconds: none can keep us busy. */
const TENANT_DELAY_MS = 1000;
/** Shortest time between updates for changes of namespaces, in milliseconds: their owners make them, as often as they like. */
export const NAMESPACE_INTERVAL_MS = 100;

// Statuses are written by us, one by one: each would compile every policy again, in every replica. A generation rises with
// the spec; what has none is always taken for changed.
function hasSameSpecs(before: Objects | undefined, after: Objects): boolean {
  if (before?.size !== after.size) return false;
  return [...after].every(([name, object]) => {
    const version = toSpecVersion(object);
    return version !== undefined && version === toSpecVersion(before.get(name));
  });
}

function toSpecVersion(object: unknown): string | undefined {
  const { uid, generation } = toRecord(toRecord(object)['metadata']);
  return typeof generation === 'number' && typeof uid === 'string' ? `${uid} ${generation}` : undefined;
}

function toPaths(namespace: string): Record<Collection, string> {
  const ours = `/apis/${API_GROUP}/v1alpha1`;
  const own = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
  return {
    policies: `${ours}/clustermodelpolicies`,
    modelPolicies: `${ours}/modelpolicies`,
    trustRoots: `${ours}/trustroots`,
    exceptions: `${ours}/modelpolicyexceptions`,
    namespaces: '/api/v1/namespaces',
    secrets: `${own}/secrets`,
    configMaps: `${own}/configmaps`,
  };
}

function openClient(kubeconfig: string | undefined): KubernetesWriter {
  try {
    return createKubernetesClient({ kubeconfig });
  } catch (error) {
    if (!(error instanceof KubernetesConfigError)) throw error;
    throw new UsageError(`no --policies and no cluster: ${error.message}`);
  }
}

function toInputs(state: ReadonlyMap<Collection, Objects>): PolicyInputs {
  const entries = (collection: Collection): readonly [string, Record<string, unknown>][] =>
    [...(state.get(collection) ?? [])].map(([name, object]) => [name, toRecord(object)]);
  const material = (
    kind: 'Secret' | 'ConfigMap',
    collection: Collection,
  ): [string, ReadonlyMap<string, Buffer>][] =>
    entries(collection).map(([, object]) => {
      const metadata = toRecord(object['metadata']);
      const [namespace, name] = [toText(metadata['namespace']) ?? '', toText(metadata['name']) ?? ''];
      return [toMaterialKey(kind, namespace, name), toMaterial({ kind, object })];
    });
  return {
    policies: [
      ...entries('policies').map(([name, object]): PolicySource => ({ name, spec: object['spec'] })),
      // The watch names them as findings do: namespace/name.
      ...entries('modelPolicies').map(([name, object]): PolicySource => {
        const namespace = toText(toRecord(object['metadata'])['namespace']) ?? '';
        return { name, namespace, spec: object['spec'] };
      }),
    ],
    exceptions: entries('exceptions').map(([name, object]) => ({
      name,
      spec: object['spec'],
      ...toCreatedAt(object),
    })),
    trustRoots: new Map(entries('trustRoots').map(([name, object]) => [name, object['spec']])),
    material: new Map([...material('Secret', 'secrets'), ...material('ConfigMap', 'configMaps')]),
    namespaces: new Map(entries('namespaces')),
    unlistedNamespaces: 'Unknown',
  };
}

// A namespace made a moment ago may not have reached the watch: it is read once, live.
async function readNamespace(
  client: KubernetesClient,
  name: string,
  signal: AbortSignal,
): Promise<KnownNamespace | undefined> {
  if (!NAMESPACE_NAME.test(name) || signal.aborted) return undefined;
  try {
    return toKnownNamespace(await client.get(`/api/v1/namespaces/${encodeURIComponent(name)}`, signal), name);
  } catch (error) {
    if (error instanceof KubernetesApiError) return undefined;
    throw new Error(`namespace could not be read: ${toErrorMessage(error)}`, { cause: error });
  }
}
