// Which managed certificates are there? Reads them from their Secret as it was last seen, and keeps the last ones that
// could be used: a Secret that is deleted or spoilt takes no certificate out of service.
import { toMaterial } from '../policy/documents.ts';
import { toRecord } from '../lib/text.ts';
import { parseManagedCertificates, type ManagedCertificates } from '../server/managed-certificates.ts';
import type { ClusterView } from './cluster-source.ts';

/** Name of the Secret in the controller's namespace. */
export const CERTIFICATE_SECRET = 'model-policy-serving';

/** What is known of the Secret. */
export interface CertificateStore {
  /** The object as it was last seen; undefined when there is none. */
  object(): Readonly<Record<string, unknown>> | undefined;
  /** What it holds; undefined when that cannot be used. */
  stored(): ManagedCertificates | undefined;
  /** What is served: the last that could be used. */
  inUse(): ManagedCertificates | undefined;
}

/** Opens the store over the cluster. */
export function createCertificateStore(cluster: ClusterView): CertificateStore {
  let lastObject: object | undefined;
  let lastStored: ManagedCertificates | undefined;
  let lastUsable: ManagedCertificates | undefined;
  const look = (): object | undefined => {
    const object = cluster.objects('secrets')?.get(`${cluster.namespace}/${CERTIFICATE_SECRET}`);
    if (object === lastObject) return object;
    lastObject = object;
    lastStored =
      object === undefined
        ? undefined
        : parseManagedCertificates(toMaterial({ kind: 'Secret', object: toRecord(object) }));
    lastUsable = lastStored ?? lastUsable;
    return object;
  };
  return {
    object() {
      const object = look();
      return object === undefined ? undefined : toRecord(object);
    },
    stored() {
      look();
      return lastStored;
    },
    inUse() {
      look();
      return lastUsable;
    },
  };
}
