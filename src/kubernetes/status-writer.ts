// How do statuses reach the cluster without a storm? One write at a time, a few a second, for each object only the
// newest; what does not stay as written is tried ever less often. What is the cluster's goes first, then namespaces take turns.
// What a status says is left to the caller.
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { KubernetesWriter } from './client.ts';
import { KubernetesApiError } from './errors.ts';
import { toStatus, toStatusPatch, type DesiredStatus, type StoredCondition } from './status.ts';

/** Time between two writes, in milliseconds. */
export const STATUS_WRITE_INTERVAL_MS = 200;
const WRITE_TIMEOUT_MS = 10_000;
/** Writes of one status without delay; then they are a second apart, then two, and so on up to the last number. */
const FREE_ATTEMPTS = 3;
const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 300_000;
/** Namespaces whose turn is remembered. */
const MAX_REMEMBERED = 10_000;

/** An object as it was last seen, and what its status should say. */
export interface StatusTarget {
  /** `/apis/modelpolicy.dev/v1alpha1/trustroots/name`. */
  readonly path: string;
  readonly object: KubernetesObject;
  readonly desired: DesiredStatus;
}

/** Whom a writer works for. */
export interface StatusWriterOptions {
  readonly client: KubernetesWriter;
  /** Ends everything: nothing is begun after it. */
  readonly signal: AbortSignal;
  /** Told each write: `written`, `conflict` (a newer object follows), `gone` or `failed` (tried again). */
  readonly onWrite: (result: 'written' | 'conflict' | 'gone' | 'failed', error?: unknown) => void;
  readonly now?: () => Date;
  /** Default {@link STATUS_WRITE_INTERVAL_MS}. */
  readonly intervalMs?: number;
}

/** Writes statuses in the background. */
export interface StatusWriter {
  /** Replaces everything offered before by the whole world of now; returns at once. */
  offer(targets: readonly StatusTarget[]): void;
}

/** Creates a writer that knows nothing yet. */
export function createStatusWriter(options: StatusWriterOptions): StatusWriter {
  return new Writer(options);
}

/** What is remembered of one object. */
interface Memory {
  readonly uid: string | undefined;
  /** As we wrote them, or first found them to be right. */
  conditions?: readonly StoredCondition[];
  /** The version that our last successful write replaced: what is offered with it is old news. */
  replaced?: string | undefined;
  written: string;
  attempts: number;
  notBeforeMs: number;
}

class Writer implements StatusWriter {
  readonly #options: StatusWriterOptions;
  #targets = new Map<string, StatusTarget>();
  readonly #memory = new Map<string, Memory>();
  readonly #pending = new Set<string>();
  /** Namespaces in the order in which they were last written for. */
  readonly #served = new Set<string>();
  #isRunning = false;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  offer(targets: readonly StatusTarget[]): void {
    if (this.#options.signal.aborted) return;
    this.#targets = new Map(targets.map((target) => [target.path, target]));
    for (const path of this.#memory.keys()) if (!this.#targets.has(path)) this.#memory.delete(path);
    this.#pending.clear();
    for (const target of targets) if (this.#toPatch(target) !== undefined) this.#pending.add(target.path);
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    const { signal, intervalMs = STATUS_WRITE_INTERVAL_MS } = this.#options;
    this.#isRunning = true;
    while (this.#pending.size > 0 && !signal.aborted) {
      const path = this.#next();
      if (path !== undefined) await this.#write(path);
      await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
    }
    this.#isRunning = false;
  }

  #next(): string | undefined {
    const now = performance.now();
    const due = [...this.#pending].filter((path) => (this.#memory.get(path)?.notBeforeMs ?? 0) <= now);
    const owners = Map.groupBy(due, (path) => this.#targets.get(path)?.object.metadata?.namespace ?? '');
    const next = owners.has('')
      ? ''
      : ([...owners.keys()].find((owner) => !this.#served.has(owner)) ??
        [...this.#served].find((owner) => owners.has(owner)) ??
        '');
    this.#served.delete(next);
    this.#served.add(next);
    for (const owner of this.#served) if (this.#served.size > MAX_REMEMBERED) this.#served.delete(owner);
    return owners.get(next)?.[0];
  }

  /** The patch that is due, with what it makes; undefined when the status is right or our write is on its way. */
  #toPatch(
    target: StatusTarget,
  ): { patch: object; text: string; conditions: readonly StoredCondition[] } | undefined {
    const { object, desired } = target;
    const memory = this.#remember(target);
    if (memory.replaced !== undefined && memory.replaced === object.metadata?.resourceVersion)
      return undefined;
    const now = this.#options.now?.() ?? new Date();
    const status = toStatus(object, desired, { known: memory.conditions, now });
    const patch = toStatusPatch(object, status);
    if (patch !== undefined) return { patch, text: JSON.stringify(status), conditions: status.conditions };
    memory.conditions = status.conditions;
    return undefined;
  }

  #remember({ path, object }: StatusTarget): Memory {
    const uid = object.metadata?.uid;
    const known = this.#memory.get(path);
    // Another object of the same name has a history of its own.
    if (known !== undefined && known.uid === uid) return known;
    const memory: Memory = { uid, written: '', attempts: 0, notBeforeMs: 0 };
    this.#memory.set(path, memory);
    return memory;
  }

  async #write(path: string): Promise<void> {
    const { client, signal, onWrite } = this.#options;
    const target = this.#targets.get(path);
    const due = target === undefined ? undefined : this.#toPatch(target);
    this.#pending.delete(path);
    if (target === undefined || due === undefined) return;
    const memory = this.#remember(target);
    delay(memory, due.text);
    const resourceVersion = target.object.metadata?.resourceVersion;
    const body = { metadata: { resourceVersion }, status: due.patch };
    try {
      const timeout = AbortSignal.any([signal, AbortSignal.timeout(WRITE_TIMEOUT_MS)]);
      await client.write({ method: 'PATCH', path: `${path}/status`, body }, timeout);
      memory.conditions = due.conditions;
      memory.replaced = resourceVersion;
      onWrite('written');
    } catch (error) {
      if (signal.aborted) return;
      const status = error instanceof KubernetesApiError ? error.status : 0;
      // A conflict or a missing object is news that the watch brings: it is offered again with it.
      if (status === 409) onWrite('conflict');
      else if (status === 404) onWrite('gone');
      else {
        this.#pending.add(path);
        onWrite('failed', error);
      }
    }
  }
}

// The same status again: a write failed, somebody else writes too, or the API server keeps less than it was given.
function delay(memory: Memory, text: string): void {
  memory.attempts = memory.written === text ? memory.attempts + 1 : 1;
  memory.written = text;
  const surplus = memory.attempts - FREE_ATTEMPTS;
  const delayMs = surplus < 0 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** surplus);
  memory.notBeforeMs = performance.now() + delayMs;
}
