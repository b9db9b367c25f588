// What do the pull secrets of a namespace hold? Single Secrets and ServiceAccounts by name, read live and remembered for
// seconds; nothing is ever listed. What the bytes mean is left to registry/.
import { createCache } from '../lib/cache.ts';
import { toRecord, toText } from '../lib/text.ts';
import { toSecretNames } from '../model/pull-identity.ts';
import type { KubernetesClient } from './client.ts';
import { KubernetesApiError } from './errors.ts';

/** How long a Secret or ServiceAccount that was read is believed, in milliseconds (docs: limits). */
export const PULL_SECRET_TTL_MS = 5000;
/** Time for reading one of them, in milliseconds (docs: limits). */
export const PULL_SECRET_TIMEOUT_MS = 3000;
const MAX_CACHED_OBJECTS = 1024;

/** The two types of pull secrets, with the key under which each has its bytes (kubernetes.io/docs, Secret types). */
const FORMATS = [
  { type: 'kubernetes.io/dockerconfigjson', key: '.dockerconfigjson', format: 'dockerconfigjson' },
  { type: 'kubernetes.io/dockercfg', key: '.dockercfg', format: 'dockercfg' },
] as const;

/** A pull secret, or in one clause why there is none. */
export type PullSecretResult =
  | { readonly ok: true; readonly format: 'dockerconfigjson' | 'dockercfg'; readonly bytes: Buffer }
  | { readonly ok: false; readonly problem: string };

/** The names of a service account's pull secrets, or in one clause why there are none. */
export type SecretNamesResult =
  { readonly ok: true; readonly names: readonly string[] } | { readonly ok: false; readonly problem: string };

/** Reads what pods pull with; never throws for anything that the API server answers. */
export interface PullSecretReader {
  readSecret(namespace: string, name: string): Promise<PullSecretResult>;
  readServiceAccount(namespace: string, name: string): Promise<SecretNamesResult>;
}

/** Reads a Secret object; other types than the two of pull secrets are refused unread. */
export function toPullSecret(object: unknown): PullSecretResult {
  const { type, data, stringData } = toRecord(object);
  const known = FORMATS.find((candidate) => candidate.type === type);
  if (known === undefined) return { ok: false, problem: 'is of no type of pull secrets' };
  const encoded = toText(toRecord(data)[known.key]);
  const plain = toText(toRecord(stringData)[known.key]);
  if (encoded === undefined && plain === undefined) return { ok: false, problem: `has no ${known.key}` };
  const bytes = plain === undefined ? Buffer.from(encoded ?? '', 'base64') : Buffer.from(plain);
  return { ok: true, format: known.format, bytes };
}

/** The reader of a cluster. */
export function createPullSecretReader(client: KubernetesClient): PullSecretReader {
  const objects = createCache<{ readonly object: unknown }>({
    maxWeight: MAX_CACHED_OBJECTS,
    ttlMs: PULL_SECRET_TTL_MS,
  });
  async function read(namespace: string, kind: string, name: string): Promise<Read> {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${kind}/${encodeURIComponent(name)}`;
    try {
      const load = async (): Promise<{ object: unknown }> => ({
        object: await client.get(path, AbortSignal.timeout(PULL_SECRET_TIMEOUT_MS)),
      });
      return { ok: true, ...(await objects.fetch(path, load)) };
    } catch (error) {
      if (error instanceof KubernetesApiError) return { ok: false, problem: describe(error) };
      throw error;
    }
  }
  return {
    async readSecret(namespace, name) {
      const found = await read(namespace, 'secrets', name);
      return found.ok ? toPullSecret(found.object) : found;
    },
    async readServiceAccount(namespace, name) {
      const found = await read(namespace, 'serviceaccounts', name);
      return found.ok
        ? { ok: true, names: toSecretNames(toRecord(found.object)['imagePullSecrets']) }
        : found;
    },
  };
}

type Read =
  { readonly ok: true; readonly object: unknown } | { readonly ok: false; readonly problem: string };

function describe({ status, reason }: KubernetesApiError): string {
  if (status === 404) return 'does not exist';
  return status === 403 ? 'may not be read by the controller' : `could not be read (${reason})`;
}

/** The reader of files, where nobody has service accounts. @param find the Secret object of a namespace, by name */
export function createFilePullSecretReader(
  find: (namespace: string, name: string) => unknown,
): PullSecretReader {
  return {
    readSecret(namespace, name) {
      const object = find(namespace, name);
      return Promise.resolve(
        object === undefined ? { ok: false, problem: 'does not exist' } : toPullSecret(object),
      );
    },
    readServiceAccount: () => Promise.resolve({ ok: true, names: [] }),
  };
}
