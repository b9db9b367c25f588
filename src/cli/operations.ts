// What does this process do for the cluster beside answering? Contends for the lease of the writers; whoever holds it
// writes statuses and events, renews certificates and keeps the registration in order. Everything runs beside the answers: no request waits for any of it.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { SERVICE_NAME } from '../admission/registration.ts';
import type { OptionValues } from '../config.ts';
import { createEventWriter } from '../kubernetes/event-writer.ts';
import { startLeaderElection } from '../kubernetes/leader.ts';
import { createStatusWriter } from '../kubernetes/status-writer.ts';
import { toErrorMessage } from '../lib/text.ts';
import type { PolicyStore } from '../policy/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { textOf, toAddress } from './arguments.ts';
import { createCertificateJob, toBundle } from './certificate-job.ts';
import type { CertificateStore } from './certificate-store.ts';
import type { ClusterView } from './cluster-source.ts';
import { createReconciler } from './reconcile.ts';
import { startRegistrationJob, type RegistrationMode } from './registration-job.ts';
import { toEventNotes, toStatusTargets } from './status-targets.ts';

/** Name of the Lease, in the controller's namespace. */
export const LEASE_NAME = 'model-policy-controller';
/** How often time alone may change a status, in milliseconds: exceptions end. */
const TICK_MS = 15_000;
/** How long changes are gathered before statuses are looked at, in milliseconds. */
const GATHER_MS = 300;

/** What operations work with. */
export interface OperationsContext {
  readonly cluster: ClusterView;
  readonly store: PolicyStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Undefined: certificates are not managed. */
  readonly managed: CertificateStore | undefined;
}

/** Running operations. */
export interface Operations {
  /** Looks at the world again; returns at once. */
  update(): void;
  /** Gives up leading; never rejects. */
  stop(): Promise<void>;
}

/** A job of the leader for one term. */
type Job = (term: AbortSignal) => () => void;

/** Starts what the options ask for; undefined when they ask for nothing. */
export function startOperations(values: OptionValues, context: OperationsContext): Operations | undefined {
  const identity = `${hostname()}_${randomBytes(4).toString('hex')}`;
  const jobs: Job[] = [];
  if (values['write-status'] === true) jobs.push((term) => startStatusJob(context, term, identity));
  const mode = textOf(values, 'webhook-config') as RegistrationMode;
  if (mode !== 'Off' || context.managed !== undefined)
    jobs.push((term) => startRegistrationJobs(values, context, { term, mode }));
  if (jobs.length === 0) return undefined;
  return lead(jobs, context, identity);
}

function lead(jobs: readonly Job[], context: OperationsContext, identity: string): Operations {
  const { cluster, logger, metrics } = context;
  let updates: (() => void)[] = [];
  const update = (): void => {
    for (const one of updates) one();
  };
  const note = createRepeatFilter();
  metrics.setLeading(false);
  const election = startLeaderElection({
    client: cluster.client,
    namespace: cluster.namespace,
    name: LEASE_NAME,
    identity,
    lead(term) {
      logger.info({ identity }, 'leading: this replica writes');
      metrics.setLeading(true);
      term.addEventListener('abort', () => {
        updates = [];
        metrics.setLeading(false);
        logger.info({ identity }, 'not leading any more');
      });
      updates = jobs.map((job) => job(term));
      update();
    },
    onError(error) {
      const message = toErrorMessage(error);
      if (note(message)) logger.warn({ error: message }, 'the lease of the writers was not read or renewed');
    },
  });
  const timer = setInterval(update, TICK_MS);
  timer.unref();
  return {
    update,
    async stop() {
      clearInterval(timer);
      await election.stop();
    },
  };
}

function startStatusJob(
  { cluster, store, logger, metrics }: OperationsContext,
  term: AbortSignal,
  identity: string,
): () => void {
  const note = createRepeatFilter();
  const onWrite =
    (what: 'status' | 'event') =>
    (result: string, error?: unknown): void => {
      metrics.observeWrite(what, result);
      const message = toErrorMessage(error);
      if (result === 'failed' && note(message)) logger.warn({ what, error: message }, 'not written');
    };
  const { client } = cluster;
  const statuses = createStatusWriter({ client, signal: term, onWrite: onWrite('status') });
  const events = createEventWriter({ client, identity, signal: term, onWrite: onWrite('event') });
  const look = (): void => {
    const snapshot = store.snapshot();
    if (snapshot === undefined || term.aborted) return;
    const targets = toStatusTargets(cluster, snapshot, new Date());
    statuses.offer(targets);
    for (const event of toEventNotes(targets)) events.tell(event);
  };
  // Each of our own writes comes back as a change: many are looked at together.
  let timer: NodeJS.Timeout | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      look();
    }, GATHER_MS);
    timer.unref();
  };
}

function startRegistrationJobs(
  values: OptionValues,
  context: OperationsContext,
  { term, mode }: { readonly term: AbortSignal; readonly mode: RegistrationMode },
): () => void {
  const { cluster, logger, metrics, managed } = context;
  // Each by itself: what cannot be written of one holds up nothing of the other.
  const keep = (reconcile: () => Promise<void>): (() => void) => {
    const note = createRepeatFilter();
    const onError = (error: unknown): void => {
      const message = toErrorMessage(error);
      if (note(message)) logger.warn({ error: message }, 'not written');
    };
    return createReconciler({ signal: term, reconcile, onError });
  };
  const registration =
    mode === 'Off'
      ? undefined
      : startRegistrationJob({
          cluster,
          logger,
          metrics,
          mode,
          managesAddress: values['kubeconfig'] === undefined,
          readCaBundle: () => {
            const stored = managed?.stored() ?? managed?.inUse();
            return stored === undefined ? undefined : toBundle(stored.authorities);
          },
          signal: term,
          onChange: () => look(),
        });
  const renew =
    managed === undefined
      ? undefined
      : createCertificateJob({
          cluster,
          store: managed,
          metrics,
          hosts: toHosts(values, cluster.namespace),
          readCaBundles: () => registration?.caBundles(),
          signal: term,
        });
  const lookAtSecret = renew === undefined ? undefined : keep(renew);
  const lookAtRegistration = registration === undefined ? undefined : keep(() => registration.reconcile());
  const look = (): void => {
    lookAtSecret?.();
    lookAtRegistration?.();
  };
  return look;
}

function toHosts(values: OptionValues, namespace: string): readonly string[] {
  const { host } = toAddress(textOf(values, 'listen') ?? '');
  const service = `${SERVICE_NAME}.${namespace}`;
  const own = ['0.0.0.0', '::'].includes(host) ? [] : [host];
  return [
    ...new Set([`${service}.svc`, `${service}.svc.cluster.local`, service, 'localhost', '127.0.0.1', ...own]),
  ];
}

// What fails fails again every few seconds: the log has it once, until something else happens.
function createRepeatFilter(): (message: string) => boolean {
  let last = '';
  return (message) => {
    const isNew = message !== last;
    last = message;
    return isNew;
  };
}
