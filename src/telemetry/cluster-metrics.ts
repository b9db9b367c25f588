// How is it with the cluster around us? Metrics of watches, of who leads, of what a leader writes, and of certificates.
import { Counter, Gauge, type Registry } from 'prom-client';

/** A watched collection; `ageMs` is Infinity before the first sign of life. */
export interface WatchReading {
  readonly collection: string;
  readonly ageMs: number;
}

/** What the side that faces the cluster reports. */
export interface ClusterMetrics {
  /** Says whom to ask, at every scrape, how old the watches are. */
  readWatches(read: () => readonly WatchReading[]): void;
  observeWatchFailure(collection: string, kind: string): void;
  setLeading(isLeading: boolean): void;
  observeWrite(what: 'status' | 'event' | 'certificate' | 'webhook', result: string): void;
  setCertificateExpiry(certificate: 'serving' | 'ca', expiresAt: Date): void;
  observeDrift(field: string): void;
  setRegistrationInOrder(isInOrder: boolean): void;
}

/** Registers the metrics of the cluster side. */
export function createClusterMetrics(registers: Registry[]): ClusterMetrics {
  let readWatches: () => readonly WatchReading[] = () => [];
  createWatchAge(registers, () => readWatches());
  const watchFailures = new Counter({
    name: 'model_policy_watch_failures_total',
    help: 'Lists and watches that failed, by collection and kind; each is tried again.',
    labelNames: ['collection', 'kind'],
    registers,
  });
  const leading = new Gauge({
    name: 'model_policy_leader',
    help: '1 in the replica that writes, else 0.',
    registers,
  });
  const writes = new Counter({
    name: 'model_policy_writes_total',
    help: 'Writes to the cluster by what (status, event, certificate, webhook) and result.',
    labelNames: ['what', 'result'],
    registers,
  });
  const expiry = new Gauge({
    name: 'model_policy_certificate_expiry_timestamp_seconds',
    help: 'When the serving certificate of this replica, or the CA under it that we manage, expires, in Unix time.',
    labelNames: ['certificate'],
    registers,
  });
  const drift = new Counter({
    name: 'model_policy_webhook_drift_total',
    help: 'Fields of the webhook configuration that were found changed, by field; object when it is missing.',
    labelNames: ['field'],
    registers,
  });
  const inOrder = new Gauge({
    name: 'model_policy_webhook_in_order',
    help: '1 while the webhook configuration is as shipped, 0 when it differs, is missing, or nobody looked.',
    registers,
  });
  return {
    readWatches(read) {
      readWatches = read;
    },
    observeWatchFailure: (collection, kind) => watchFailures.inc({ collection, kind }),
    setLeading: (isLeading) => leading.set(isLeading ? 1 : 0),
    observeWrite: (what, result) => writes.inc({ what, result }),
    setCertificateExpiry: (certificate, expiresAt) => expiry.set({ certificate }, expiresAt.getTime() / 1000),
    observeDrift: (field) => drift.inc({ field }),
    setRegistrationInOrder: (isInOrder) => inOrder.set(isInOrder ? 1 : 0),
  };
}

function createWatchAge(registers: Registry[], read: () => readonly WatchReading[]): Gauge {
  return new Gauge({
    name: 'model_policy_watch_age_seconds',
    help: 'Time since the API server last gave a sign of life about a watched collection; it gives one a minute.',
    labelNames: ['collection'],
    registers,
    collect() {
      this.reset();
      for (const { collection, ageMs } of read()) this.set({ collection }, ageMs / 1000);
    },
  });
}
