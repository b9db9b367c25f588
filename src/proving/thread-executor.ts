// Who proves while the event loop answers? A few threads, one job each at a time, a bounded queue before them in which
// owners take turns; a thread that ends is replaced.
import { setTimeout as sleep } from 'node:timers/promises';
import { createFairQueue } from '../lib/fair-queue.ts';
import type { VerifyOptions } from '../signature/facts.ts';
import type { ItemOutcome } from '../verdict/prove-item.ts';
import type { ProofJob } from '../verdict/prove.ts';
import { OverloadedError, type Executor } from './executor.ts';
import { startProofThread, type ProofThread } from './thread.ts';

/** Jobs that may wait, an owner's at most as many as are left: at a few milliseconds each what one deadline has room for. */
export const MAX_WAITING_JOBS = 4096;
/** How long a job may wait, in milliseconds: by then whoever asked has been answered, and others are waiting. */
export const MAX_WAIT_MS = 10_000;
const FIRST_RESTART_DELAY_MS = 50;
const MAX_RESTART_DELAY_MS = 5000;

/** Told what threads do, for metrics. */
export interface ThreadObserver {
  /** A thread ended and is replaced. */
  restarted(): void;
  /** How many jobs wait for a thread. */
  waiting(count: number): void;
}

interface Waiting {
  readonly job: ProofJob;
  readonly options: VerifyOptions;
  readonly resolve: (outcome: ItemOutcome) => void;
  readonly reject: (error: unknown) => void;
  /** On the executor's clock. */
  readonly since: number;
}

const tooMuch = (): OverloadedError => new OverloadedError('too many signatures are waiting to be verified');

/**
 * Starts threads and waits until each has verified its own bundle.
 * @param now milliseconds, monotonic
 * @throws Error when a thread cannot
 */
export async function createThreadExecutor(
  count: number,
  observer: ThreadObserver,
  start: () => Promise<ProofThread> = startProofThread,
  now: () => number = () => performance.now(),
): Promise<Executor> {
  const queue = createFairQueue<Waiting>(MAX_WAITING_JOBS);
  const idle: ProofThread[] = [];
  const all = new Set<ProofThread>();
  const closing = new AbortController();

  function dropStale(): void {
    for (const { reject } of queue.removeFirst(({ since }) => now() - since > MAX_WAIT_MS)) reject(tooMuch());
  }

  function pump(): void {
    dropStale();
    observer.waiting(queue.length);
    while (queue.length > 0) {
      const thread = idle.pop();
      const next = thread === undefined ? undefined : queue.shift();
      if (thread === undefined || next === undefined) return;
      void serve(thread, next);
    }
  }

  async function serve(thread: ProofThread, { job, options, resolve, reject }: Waiting): Promise<void> {
    try {
      resolve(await thread.run(job, options));
    } catch (error) {
      reject(error);
    }
    if (all.has(thread)) idle.push(thread);
    pump();
  }

  async function keep(thread: ProofThread): Promise<void> {
    for (let current = thread; ;) {
      all.add(current);
      idle.push(current);
      pump();
      await current.ended;
      all.delete(current);
      const index = idle.indexOf(current);
      if (index !== -1) idle.splice(index, 1);
      if (closing.signal.aborted) return;
      observer.restarted();
      const next = await startAgain(start, closing.signal);
      if (next === undefined) return;
      current = next;
    }
  }

  const threads = await Promise.all(Array.from({ length: count }, () => start()));
  for (const thread of threads) void keep(thread);
  return {
    run(job, options, owner) {
      dropStale();
      return new Promise((resolve, reject) => {
        if (queue.push(owner, { job, options, resolve, reject, since: now() })) pump();
        else reject(tooMuch());
      });
    },
    async close() {
      closing.abort();
      for (const { reject } of queue.clear()) reject(new Error('the executor was closed'));
      await Promise.all([...all].map((thread) => thread.close()));
    },
  };
}

async function startAgain(
  start: () => Promise<ProofThread>,
  signal: AbortSignal,
): Promise<ProofThread | undefined> {
  for (let delayMs = FIRST_RESTART_DELAY_MS; ; delayMs = Math.min(delayMs * 2, MAX_RESTART_DELAY_MS)) {
    try {
      await sleep(delayMs, undefined, { signal });
      const thread = await start();
      if (!signal.aborted) return thread;
      await thread.close();
      return undefined;
    } catch {
      if (signal.aborted) return undefined;
    }
  }
}
