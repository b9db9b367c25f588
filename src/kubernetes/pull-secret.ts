// What do the pull secrets of a namespace hold? Single Secrets and ServiceAccounts by name, read live and remembered for
// seconds; nothing is ever listed. What the bytes mean is left to registry/.
import { createCache } from '../lib/cache.ts';
import { toArray, toRecord, toText } from '../lib/text.ts';
import { toSecretNames } from '../model/pull-identity.ts';
import type { KubernetesClient } from './client.ts';
import { KubernetesApiError } from './errors.ts';

/** How long a Secret or ServiceAccount that was read is believed, in milliseconds (docs: limits). */
export const PULL_SECRET_TTL_MS = 5000;
/** Time for reading one of them, in milliseconds (docs: limits). */
export const PULL_SECRET_TIMEOUT_MS = 3000;
/** Largest pull secret that is read, in bytes (docs: limits). */
export const MAX_PULL_SECRET_BYTES = 64 * 1024;
/** Names of one service account that are looked at; far fewer are read. */
const MAX_NAMES = 64;
/** Whoever may create pods may name many Secrets: what is remembered of all of them, in bytes. */
const MAX_CACHED_BYTES = 8 * 1024 * 1024;
/** What remembering anything takes, about. */
const ENTRY_BYTES = 1024;

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
  if (bytes.length > MAX_PULL_SECRET_BYTES)
    return { ok: false, problem: `is larger than ${MAX_PULL_SECRET_BYTES} bytes` };
  return { ok: true, format: known.format, bytes };
}

/** The reader of a cluster. */
export function createPullSecretReader(client: KubernetesClient): PullSecretReader {
  const secrets = createCache<PullSecretResult>({
    maxWeight: MAX_CACHED_BYTES,
    weigh: (result) => ENTRY_BYTES + (result.ok ? result.bytes.length : 0),
    ttlMs: PULL_SECRET_TTL_MS,
  });
  const accounts = createCache<SecretNamesResult>({
    maxWeight: MAX_CACHED_BYTES,
    weigh: (result) => ENTRY_BYTES + (result.ok ? result.names.join('').length : 0),
    ttlMs: PULL_SECRET_TTL_MS,
  });
  const toPath = (namespace: string, kind: string, name: string): string =>
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/${kind}/${encodeURIComponent(name)}`;
  const get = (path: string): Promise<unknown> =>
    client.get(path, AbortSignal.timeout(PULL_SECRET_TIMEOUT_MS));
  return {
    readSecret(namespace, name) {
      const path = toPath(namespace, 'secrets', name);
      return secrets.fetch(path, async () => toPullSecret(await get(path))).catch(refuse);
    },
    readServiceAccount(namespace, name) {
      const path = toPath(namespace, 'serviceaccounts', name);
      const load = async (): Promise<SecretNamesResult> => {
        const references = toArray(toRecord(await get(path))['imagePullSecrets']);
        return { ok: true, names: toSecretNames(references.slice(0, MAX_NAMES)) };
      };
      return accounts.fetch(path, load).catch(refuse);
    },
  };
}

// Not remembered: the object may be there a moment later.
function refuse(error: unknown): { readonly ok: false; readonly problem: string } {
  if (error instanceof KubernetesApiError) return { ok: false, problem: describe(error) };
  throw error;
}

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
