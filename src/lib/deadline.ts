// Is there still time? One deadline per request, as an AbortSignal that every wait observes.

/** The request's own time is up: never a fault of what was being waited for. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Waits for a promise no longer than the signal allows; the work itself goes on for whoever else waits for it.
 * @throws DeadlineError when the signal fires first
 */
export function waitWithin<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new DeadlineError('deadline exceeded'));
    if (signal.aborted) {
      // Whoever started the work may have no other waiter: its failure must not become an unhandled rejection.
      promise.catch(() => undefined);
      stop();
      return;
    }
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
