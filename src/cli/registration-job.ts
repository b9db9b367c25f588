// Is the webhook still registered as it was shipped? The leader watches its own registration, counts what others change,
// and puts it back where it is told to. A registration that is gone is never made again: who takes it away uninstalls, and
// one without a controller behind it would stop every pod.
import {
  findDrift,
  REGISTRATION_NAME,
  toCaBundles,
  toWebhooks,
  withCaBundle,
} from '../admission/registration.ts';
import { KubernetesApiError } from '../kubernetes/errors.ts';
import { startListWatch } from '../kubernetes/list-watch.ts';
import { toRecord } from '../lib/text.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ClusterView } from './cluster-source.ts';

const COLLECTION = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const WRITE_TIMEOUT_MS = 10_000;

/** `Manage` puts back what changed, `Watch` only tells and writes the CA of managed certificates, `Off` does not look. */
export type RegistrationMode = 'Manage' | 'Watch' | 'Off';

/** What the job works with. */
export interface RegistrationJobContext {
  readonly cluster: ClusterView;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly mode: Exclude<RegistrationMode, 'Off'>;
  readonly managesAddress: boolean;
  /** PEM that the webhooks should believe; undefined: not ours to say. */
  readonly readCaBundle: () => string | undefined;
  readonly signal: AbortSignal;
  /** Called when the registration changed. */
  readonly onChange: () => void;
}

/** A running job. */
export interface RegistrationJob {
  /** Looks, and puts back; throws KubernetesApiError for what has to be tried again. */
  reconcile(): Promise<void>;
  /** What its webhooks believe, one PEM each; none when it is gone, undefined before the first list. */
  caBundles(): readonly string[] | undefined;
}

/** Starts to watch the registration for one term. */
export function startRegistrationJob(context: RegistrationJobContext): RegistrationJob {
  const { cluster, logger, metrics, signal, mode } = context;
  const wanted = toWebhooks(cluster.namespace);
  let current: object | undefined;
  let isListed = false;
  let told = '';
  startListWatch({
    client: cluster.client,
    path: COLLECTION,
    fieldSelector: `metadata.name=${REGISTRATION_NAME}`,
    signal,
    onError(error) {
      metrics.observeWatchFailure('webhook', error.kind);
      logger.warn({ path: error.path, kind: error.kind, error: error.message }, 'watch failed, trying again');
    },
    onChange(objects) {
      current = objects.get(REGISTRATION_NAME);
      isListed = true;
      context.onChange();
    },
  });
  signal.addEventListener('abort', () => metrics.setRegistrationInOrder(false));

  // Each state counts once, however often it is looked at.
  function tell(fields: readonly string[]): void {
    metrics.setRegistrationInOrder(fields.length === 0);
    const version = toRecord(toRecord(current)['metadata'])['resourceVersion'];
    const state = JSON.stringify([version, fields]);
    if (fields.length === 0 || state === told) return;
    told = state;
    for (const field of fields) metrics.observeDrift(field);
    const consequence = mode === 'Manage' && current !== undefined ? 'it is put back' : 'it stays';
    logger.warn(
      { registration: REGISTRATION_NAME, fields },
      `the webhook configuration differs: ${consequence}`,
    );
  }

  return {
    caBundles: () => (isListed ? toCaBundles(current) : undefined),
    async reconcile() {
      if (!isListed) return;
      if (current === undefined) {
        tell(['object']);
        return;
      }
      const { managesAddress } = context;
      const caBundle = context.readCaBundle();
      const drift = findDrift(current, wanted, { caBundle, managesAddress });
      tell(drift?.fields ?? []);
      if (drift === undefined) return;
      if (mode === 'Manage') await restore(context, current, drift.webhooks);
      // What is served is believed in either mode: otherwise nobody could ask.
      else if (caBundle !== undefined && drift.fields.includes('caBundle'))
        await restore(context, current, withCaBundle(current, caBundle));
    },
  };
}

async function restore(
  { cluster, metrics, signal }: RegistrationJobContext,
  current: object,
  webhooks: readonly object[],
): Promise<void> {
  const { resourceVersion } = toRecord(toRecord(current)['metadata']);
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(WRITE_TIMEOUT_MS)]);
  const body = { metadata: { resourceVersion }, webhooks };
  try {
    await cluster.client.write(
      { method: 'PATCH', path: `${COLLECTION}/${REGISTRATION_NAME}`, body },
      timeout,
    );
    metrics.observeWrite('webhook', 'written');
  } catch (error) {
    const status = error instanceof KubernetesApiError ? error.status : 0;
    const result = status === 409 ? 'conflict' : status === 404 ? 'gone' : 'failed';
    metrics.observeWrite('webhook', result);
    // What was newer, or is gone, comes by the watch.
    if (result === 'failed') throw error;
  }
}
