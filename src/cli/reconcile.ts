// How is something kept as it should be? One look at a time, again after every hint that came meanwhile, with a pause
// between two and a growing one after failures. What is looked at is the caller's.
import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;

/** Creates a function that asks for a look and returns at once; nothing begins after the signal. */
export function createReconciler(options: {
  readonly signal: AbortSignal;
  readonly reconcile: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}): () => void {
  const { signal, reconcile, onError } = options;
  let isAsked = false;
  let isRunning = false;
  async function run(): Promise<void> {
    isRunning = true;
    let failures = 0;
    while (isAsked && !signal.aborted) {
      isAsked = false;
      try {
        await reconcile();
        failures = 0;
      } catch (error) {
        failures += 1;
        isAsked = true;
        if (!signal.aborted) onError(error);
      }
      const pauseMs = Math.min(MAX_PAUSE_MS, PAUSE_MS * 2 ** Math.min(failures, 10));
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
    isRunning = false;
  }
  return () => {
    isAsked = true;
    if (!isRunning) void run();
  };
}
