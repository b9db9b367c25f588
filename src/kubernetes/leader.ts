// Who writes? One process at a time, by a Lease that it renews. How old a renewal is, is measured on our own clock from
// when we saw it change, as client-go does: clocks of other machines are believed nothing. What a leader does is left to `lead`.
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesWriter } from './client.ts';
import { KubernetesApiError } from './errors.ts';

/** Times in milliseconds; defaults as client-go's. */
export interface LeaderTiming {
  /** A lease that nobody renewed for this long is anybody's; stored in whole seconds. */
  readonly leaseMs: number;
  /** A leader that could not renew for this long stops leading; less than `leaseMs`. */
  readonly renewDeadlineMs: number;
  /** Time between two tries; whoever does not lead adds up to 1.2 times as much, by chance. */
  readonly retryMs: number;
}

const DEFAULT_TIMING: LeaderTiming = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2000 };
const JITTER = 1.2;
const RELEASE_TIMEOUT_MS = 3000;
/** Whatever a Lease says of itself, it ends: a mistaken edit must not leave the cluster without a leader. */
const MAX_FOREIGN_LEASE_MS = 60_000;
/** What the type holds: one more would be refused, and nobody could lead ever again. */
const MAX_TRANSITIONS = 2 ** 31 - 1;

/** What is contended for, and by whom. */
export interface LeaderOptions {
  readonly client: KubernetesWriter;
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Different for every process that contends. */
  readonly identity: string;
  /** Called at the start of every term; the signal ends it. Must not throw. */
  readonly lead: (term: AbortSignal) => void;
  /** Each try that failed; another one follows. */
  readonly onError: (error: unknown) => void;
  readonly timing?: LeaderTiming;
}

/** A candidate. */
export interface LeaderElection {
  readonly isLeader: boolean;
  /** Ends the term, then releases the lease so that another one need not wait for its end; never rejects. */
  stop(): Promise<void>;
}

/** Starts to contend, until stopped. */
export function startLeaderElection(options: LeaderOptions): LeaderElection {
  return new Candidate(options);
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

interface Lease {
  readonly metadata: { readonly resourceVersion?: string };
  readonly spec?: LeaseSpec;
}

class Candidate implements LeaderElection {
  readonly #options: LeaderOptions;
  readonly #timing: LeaderTiming;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  readonly #collection: string;
  #term: AbortController | undefined;
  /** When the request that last renewed was sent, on our clock. */
  #renewedMs = -Infinity;
  #observed = '';
  #observedMs = 0;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#timing = options.timing ?? DEFAULT_TIMING;
    const namespace = encodeURIComponent(options.namespace);
    this.#collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
    this.#ended = this.#run();
  }

  get isLeader(): boolean {
    return this.#term !== undefined && this.#leftMs() > 0;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    if (this.#term === undefined) return;
    this.#endTerm();
    try {
      const signal = AbortSignal.timeout(RELEASE_TIMEOUT_MS);
      const lease = await this.#read(signal);
      if (lease?.spec?.holderIdentity !== this.#options.identity) return;
      const now = toMicroTime(new Date());
      const { leaseTransitions = 0 } = lease.spec;
      const spec = {
        holderIdentity: '',
        leaseDurationSeconds: 1,
        acquireTime: now,
        renewTime: now,
        leaseTransitions,
      };
      await this.#replace(lease, spec, signal);
    } catch (error) {
      // The lease ends by itself.
      this.#options.onError(error);
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#turn();
      const { retryMs } = this.#timing;
      const delayMs = this.#term === undefined ? retryMs * (1 + JITTER * Math.random()) : retryMs;
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #turn(): Promise<void> {
    const sentMs = performance.now();
    // Whoever leads gives up waiting for an answer when the time to renew is over.
    const boundMs = this.#term === undefined ? this.#timing.renewDeadlineMs : Math.max(1, this.#leftMs());
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(Math.ceil(boundMs))]);
    try {
      if (await this.#tryHold(signal)) {
        this.#renewedMs = sentMs;
        this.#beginTerm();
      } else this.#endTerm();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      // Somebody was faster, or edited the lease: the next look says who holds it.
      if (!isOvertaken(error)) this.#options.onError(error);
      if (this.#leftMs() <= 0) this.#endTerm();
    }
  }

  /** Takes or renews the lease. @returns false when another one holds it */
  async #tryHold(signal: AbortSignal): Promise<boolean> {
    const { client, identity, name } = this.#options;
    const lease = await this.#read(signal);
    const now = toMicroTime(new Date());
    if (lease === undefined) {
      const metadata = { name, namespace: this.#options.namespace };
      const spec = { ...this.#toSpec(now), acquireTime: now, leaseTransitions: 0 };
      const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
      await client.write({ method: 'POST', path: this.#collection, body }, signal);
      return true;
    }
    const spec = lease.spec ?? {};
    if (this.#isHeldByAnother(spec)) return false;
    const isOurs = spec.holderIdentity === identity;
    const transitions = spec.leaseTransitions ?? 0;
    await this.#replace(
      lease,
      {
        ...this.#toSpec(now),
        acquireTime: isOurs ? (spec.acquireTime ?? now) : now,
        leaseTransitions: isOurs ? transitions : transitions < MAX_TRANSITIONS ? transitions + 1 : 0,
      },
      signal,
    );
    return true;
  }

  #isHeldByAnother(spec: LeaseSpec): boolean {
    const record = JSON.stringify(spec);
    if (record !== this.#observed) {
      this.#observed = record;
      this.#observedMs = performance.now();
    }
    const { holderIdentity = '', leaseDurationSeconds = 0 } = spec;
    if (holderIdentity === '' || holderIdentity === this.#options.identity) return false;
    const saidMs = leaseDurationSeconds > 0 ? leaseDurationSeconds * 1000 : this.#timing.leaseMs;
    return performance.now() - this.#observedMs < Math.min(saidMs, MAX_FOREIGN_LEASE_MS);
  }

  #toSpec(now: string): LeaseSpec {
    const leaseDurationSeconds = Math.max(1, Math.ceil(this.#timing.leaseMs / 1000));
    return { holderIdentity: this.#options.identity, leaseDurationSeconds, renewTime: now };
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    try {
      return (await this.#options.client.get(this.#toPath(), signal)) as Lease;
    } catch (error) {
      if (error instanceof KubernetesApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  // With the resource version that was read: of two that write, one gets 409.
  async #replace(lease: Lease, spec: LeaseSpec, signal: AbortSignal): Promise<void> {
    const path = this.#toPath();
    await this.#options.client.write({ method: 'PUT', path, body: { ...lease, spec } }, signal);
  }

  #toPath(): string {
    return `${this.#collection}/${encodeURIComponent(this.#options.name)}`;
  }

  #leftMs(): number {
    return this.#renewedMs + this.#timing.renewDeadlineMs - performance.now();
  }

  #beginTerm(): void {
    if (this.#term !== undefined) return;
    this.#term = new AbortController();
    this.#options.lead(this.#term.signal);
  }

  #endTerm(): void {
    this.#term?.abort();
    this.#term = undefined;
  }
}

function isOvertaken(error: unknown): boolean {
  return error instanceof KubernetesApiError && error.status === 409;
}

// The type of a Lease's times has six digits after the point.
function toMicroTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
