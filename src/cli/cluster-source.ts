// Cluster mode: policies, trust roots, namespaces and key material by list-watch. The store changes only when every
// list has been read once; from then on the last known state serves on, whatever happens to the API server.
import type { OptionValues } from '../config.ts';
import { toErrorMessage, toRecord, toText } from '../lib/text.ts';
import { createKubernetesClient, type KubernetesClient } from '../kubernetes/client.ts';
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
type Collection =
  'policies' | 'modelPolicies' | 'trustRoots' | 'exceptions' | 'namespaces' | 'secrets' | 'configMaps';

/** Starts watching. @throws UsageError when neither kubeconfig nor in-cluster configuration can be used */
export function startClusterSource(values: OptionValues, options: PolicySourceOptions): PolicySourceHandle {
  const client = openClient(textOf(values, 'kubeconfig'));
  const namespace = textOf(values, 'controller-namespace') ?? '';
  const { store, logger, onUpdate } = options;
  const stop = new AbortController();
  const state = new Map<Collection, Objects>();
  let timer: NodeJS.Timeout | undefined;
  const updateSoon = (): void => {
    timer ??= setTimeout(update, TENANT_DELAY_MS);
  };
  const tenantObjects = createNamedObjects({ client, signal: stop.signal, onChange: updateSoon });
  function update(): void {
    clearTimeout(timer);
    timer = undefined;
    if (state.size < COLLECTIONS || stop.signal.aborted) return;
    const inputs = toInputs(state);
    const named = new Map(listTenantMaterial(inputs.policies).map((one) => [toObjectPath(one), one]));
    tenantObjects.want(new Set(named.keys()));
    store.update({ ...inputs, material: addMaterial(inputs.material, named, tenantObjects) });
    onUpdate();
  }
  const watches = Object.entries(toPaths(namespace)).map(([collection, path]): ListWatch =>
    startListWatch({
      client,
      path,
      signal: stop.signal,
      onError: (error) =>
        logger.warn(
          { path: error.path, kind: error.kind, error: error.message },
          'watch failed, trying again',
        ),
      onChange(objects) {
        const isFirst = state.size < COLLECTIONS;
        state.set(collection as Collection, objects);
        if (collection === 'modelPolicies' && !isFirst) updateSoon();
        else update();
      },
    }),
  );
  return {
    synced: Promise.all(watches.map(({ synced }) => synced)).then(() => undefined),
    findUnready: () =>
      state.size < COLLECTIONS ? 'the first lists from the API server have not been read' : undefined,
    readNamespace: (name, signal) => readNamespace(client, name, signal),
    pullSecrets: createPullSecretReader(client),
    stop() {
      stop.abort();
      clearTimeout(timer);
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
/** How long changes of namespaces' own policies are gathered before they count, in milliseconds: none can keep us busy. */
const TENANT_DELAY_MS = 1000;

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

function openClient(kubeconfig: string | undefined): KubernetesClient {
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
  if (name === '') return undefined;
  try {
    return toKnownNamespace(await client.get(`/api/v1/namespaces/${encodeURIComponent(name)}`, signal), name);
  } catch (error) {
    if (error instanceof KubernetesApiError) return undefined;
    throw new Error(`namespace could not be read: ${toErrorMessage(error)}`, { cause: error });
  }
}
