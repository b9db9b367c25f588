// Whose work on the event loop is next? Short synchronous pieces of work of many owners: at once while there is little of
// it, in turns where there is much, with pauses in which everything else gets on.
import { createFairQueue } from './fair-queue.ts';

/** Longest stretch of work without a pause, in milliseconds; a single piece is never interrupted. */
const MAX_STRETCH_MS = 5;

/** Runs pieces of synchronous work, one after the other. */
export interface FairTurns {
  /** What the work returns or throws, once it is its turn. */
  take<T>(owner: string, work: () => T): Promise<T>;
}

/** Creates turns. @param now milliseconds, monotonic */
export function createFairTurns(now: () => number = () => performance.now()): FairTurns {
  // As many as their owners may have under way: the limit is theirs who ask.
  const queue = createFairQueue<() => void>(Infinity);
  let spentMs = 0;
  let isPausing = false;

  function run(piece: () => void): void {
    const started = now();
    piece();
    spentMs += now() - started;
    if (isPausing) return;
    isPausing = true;
    setImmediate(goOn);
  }

  function goOn(): void {
    spentMs = 0;
    isPausing = false;
    while (queue.length > 0 && spentMs < MAX_STRETCH_MS) {
      const piece = queue.shift();
      if (piece !== undefined) run(piece);
    }
  }

  return {
    take(owner, work) {
      return new Promise((resolve, reject) => {
        const piece = (): void => {
          try {
            resolve(work());
          } catch (error) {
            reject(error);
          }
        };
        if (queue.length === 0 && spentMs < MAX_STRETCH_MS) run(piece);
        else queue.push(owner, piece);
      });
    },
  };
}
