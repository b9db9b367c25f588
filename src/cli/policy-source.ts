// Where do policies come from? What file and cluster sources have in common.
import type { PullSecretReader } from '../kubernetes/pull-secret.ts';
import type { KnownNamespace, PolicyStore } from '../policy/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ClusterView } from './cluster-source.ts';

/** What a source feeds and tells. */
export interface PolicySourceOptions {
  readonly store: PolicyStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Called after every update of the store. */
  readonly onUpdate: () => void;
}

/** A source that has been started. */
export interface PolicySourceHandle {
  /** Resolves when the store holds a first world; stays pending until then. */
  readonly synced: Promise<void>;
  /** Why the service is not ready; undefined when it is. */
  findUnready(): string | undefined;
  readonly readNamespace?: (name: string, signal: AbortSignal) => Promise<KnownNamespace | undefined>;
  /** Undefined for files. */
  readonly cluster?: ClusterView;
  /** Reads what pods pull with. */
  readonly pullSecrets: PullSecretReader;
  stop(): void;
}
