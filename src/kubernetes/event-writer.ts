// How do events reach the cluster without a storm? The same one once an hour, one a second, from a short queue in which
// namespaces take turns and that drops what does not fit: an event is a courtesy. What is worth one is left to the caller.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesObject } from '@kubernetes/client-node';
import { createFairQueue } from '../lib/fair-queue.ts';
import type { KubernetesWriter, WriteRequest } from './client.ts';

/** Events of cluster-wide objects stand here: the API server takes them nowhere else. Those of others stand beside them. */
const CLUSTER_WIDE_NAMESPACE = 'default';
const EVENT_INTERVAL_MS = 1000;
/** As long as the API server keeps an event by default: what is still true is told again then. */
const REPEAT_MS = 3_600_000;
const MAX_QUEUED = 64;
const MAX_REMEMBERED = 4096;
/** Source: validation of events.k8s.io/v1. */
const MAX_NOTE_CHARS = 1024;
const WRITE_TIMEOUT_MS = 10_000;

/** Something worth telling about an object. */
export interface EventNote {
  readonly object: KubernetesObject;
  readonly type: 'Normal' | 'Warning';
  /** PascalCase. */
  readonly reason: string;
  readonly note: string;
}

/** Whom a writer works for. `identity`: which process tells. */
export interface EventWriterOptions {
  readonly client: KubernetesWriter;
  readonly identity: string;
  /** Ends everything; what is queued then is dropped. */
  readonly signal: AbortSignal;
  readonly onWrite: (result: 'written' | 'failed' | 'dropped', error?: unknown) => void;
  readonly now?: () => Date;
  /** Time between two events, in milliseconds; default 1 s. */
  readonly intervalMs?: number;
}

/** Tells events in the background. */
export interface EventWriter {
  /** Returns at once. What was told within the hour is not told again; what was dropped is when it is offered again. */
  tell(note: EventNote): void;
}

/** Creates a writer. */
export function createEventWriter(options: EventWriterOptions): EventWriter {
  const { client, signal, onWrite, intervalMs = EVENT_INTERVAL_MS } = options;
  const now = (): Date => options.now?.() ?? new Date();
  const told = new Map<string, number>();
  const queue = createFairQueue<EventNote>(MAX_QUEUED);
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    for (let note = queue.shift(); note !== undefined && !signal.aborted; note = queue.shift()) {
      try {
        const timeout = AbortSignal.any([signal, AbortSignal.timeout(WRITE_TIMEOUT_MS)]);
        await client.write(toRequest(note, options.identity, now()), timeout);
        onWrite('written');
      } catch (error) {
        onWrite('failed', error);
      }
      await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
    }
    isRunning = false;
  }

  function remember(key: string, nowMs: number): void {
    told.delete(key);
    told.set(key, nowMs);
    for (const oldest of told.keys()) if (told.size > MAX_REMEMBERED) told.delete(oldest);
  }

  return {
    tell(note) {
      const key = JSON.stringify([note.object.metadata?.uid, note.reason, note.note]);
      const nowMs = now().getTime();
      const lastMs = told.get(key) ?? -Infinity;
      if (signal.aborted || nowMs - lastMs < REPEAT_MS) return;
      if (!queue.push(note.object.metadata?.namespace ?? '', note)) {
        onWrite('dropped');
        return;
      }
      remember(key, nowMs);
      if (!isRunning) void run();
    },
  };
}

function toRequest({ object, type, reason, note }: EventNote, identity: string, now: Date): WriteRequest {
  const { name = '', uid, namespace: own } = object.metadata ?? {};
  const namespace = own ?? CLUSTER_WIDE_NAMESPACE;
  const { apiVersion, kind } = object;
  const body = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: `${name.slice(0, 200)}.${randomUUID().slice(0, 13)}`, namespace },
    eventTime: now.toISOString().replace('Z', '000Z'),
    reportingController: 'modelpolicy.dev/controller',
    reportingInstance: identity.slice(0, 128),
    action: 'Compile',
    type,
    reason,
    note: note.length > MAX_NOTE_CHARS ? `${note.slice(0, MAX_NOTE_CHARS - 1)}…` : note,
    regarding: { apiVersion, kind, ...(own === undefined ? {} : { namespace: own }), name, uid },
  };
  return {
    method: 'POST',
    path: `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`,
    body,
  };
}
