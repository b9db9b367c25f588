// Who renews the managed certificates? The leader: it writes the Secret that every replica serves from, at the version it
// has seen, so that of two that write one has to look again.
import { KubernetesApiError } from '../kubernetes/errors.ts';
import { renewCertificates, SECRET_KEYS, type ManagedCertificates } from '../server/managed-certificates.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { CERTIFICATE_SECRET, type CertificateStore } from './certificate-store.ts';
import type { ClusterView } from './cluster-source.ts';

/** Time after which every API server has seen what stands in the registration, in milliseconds. */
export const PROPAGATION_MS = 10_000;
const WRITE_TIMEOUT_MS = 10_000;

/** What the job works with. */
export interface CertificateJobContext {
  readonly cluster: ClusterView;
  readonly store: CertificateStore;
  readonly metrics: Pick<Metrics, 'observeWrite'>;
  readonly hosts: readonly string[];
  /** What the registration's webhooks believe, one PEM each; undefined when nobody knows. */
  readonly readCaBundles: () => readonly string[] | undefined;
  readonly signal: AbortSignal;
  /** Default {@link PROPAGATION_MS}. */
  readonly propagationMs?: number;
}

/** Creates the look that keeps the Secret in order; it throws KubernetesApiError for what has to be tried again. */
export function createCertificateJob(context: CertificateJobContext): () => Promise<void> {
  const { cluster, store, hosts, metrics, signal } = context;
  const believed = createBeliefs(context);
  return async () => {
    // Before the first list nobody knows whether there is a Secret.
    if (cluster.objects('secrets') === undefined) return;
    believed.look(store.inUse()?.authorities ?? []);
    const current = toCurrent(store);
    const wanted = await renewCertificates(current, { now: new Date(), hosts, isBelieved: believed.has });
    if (wanted === undefined) return;
    try {
      await write(
        cluster,
        store.object(),
        wanted,
        AbortSignal.any([signal, AbortSignal.timeout(WRITE_TIMEOUT_MS)]),
      );
      metrics.observeWrite('certificate', 'written');
    } catch (error) {
      const isOvertaken = error instanceof KubernetesApiError && error.status === 409;
      metrics.observeWrite('certificate', isOvertaken ? 'conflict' : 'failed');
      // Another one was faster: the watch brings what it wrote, and the next look begins there.
      if (!isOvertaken) throw error;
    }
  };
}

// Who deletes the Secret wants other keys. The old certificate is served until clients believe the new authority.
function toCurrent(store: CertificateStore): ManagedCertificates | undefined {
  const stored = store.stored();
  if (stored !== undefined) return stored;
  const last = store.inUse();
  return last === undefined ? undefined : { ...last, caKey: '' };
}

interface Beliefs {
  look(authorities: readonly string[]): void;
  readonly has: (authority: string) => boolean;
}

function createBeliefs({ readCaBundles, propagationMs = PROPAGATION_MS }: CertificateJobContext): Beliefs {
  const sinceMs = new Map<string, number>();
  return {
    look(authorities) {
      const bundles = readCaBundles();
      for (const authority of authorities) {
        const isThere = bundles?.every((bundle) => bundle.includes(authority.trim())) ?? false;
        if (!isThere) sinceMs.delete(authority);
        else if (!sinceMs.has(authority)) sinceMs.set(authority, performance.now());
      }
      for (const authority of sinceMs.keys()) if (!authorities.includes(authority)) sinceMs.delete(authority);
    },
    has: (authority) => performance.now() - (sinceMs.get(authority) ?? Infinity) >= propagationMs,
  };
}

async function write(
  { client, namespace }: ClusterView,
  object: Readonly<Record<string, unknown>> | undefined,
  { cert, key, authorities, caKey }: ManagedCertificates,
  signal: AbortSignal,
): Promise<void> {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const data = {
    [SECRET_KEYS.cert]: encode(cert),
    [SECRET_KEYS.key]: encode(key),
    [SECRET_KEYS.authorities]: encode(toBundle(authorities)),
    [SECRET_KEYS.caKey]: encode(caKey),
  };
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
  const labels = { 'app.kubernetes.io/part-of': 'model-policy-controller' };
  if (object !== undefined) {
    const body = { ...object, data };
    await client.write({ method: 'PUT', path: `${path}/${CERTIFICATE_SECRET}`, body }, signal);
    return;
  }
  const metadata = { name: CERTIFICATE_SECRET, namespace, labels };
  const body = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata, data };
  await client.write({ method: 'POST', path, body }, signal);
}

/** Authorities as one PEM text. */
export function toBundle(authorities: readonly string[]): string {
  return authorities.map((pem) => `${pem.trim()}\n`).join('');
}
