// When is something done that many ask for? Once for all of them, as soon as the first who must not wait longer.

/** Something that will be done. */
export interface Delay {
  /** Does it once, no later than after that many milliseconds. */
  within(milliseconds: number): void;
  cancel(): void;
}

/** Creates a delay: of several calls the soonest counts, and it is done once for all of them. */
export function createDelay(run: () => void): Delay {
  let timer: NodeJS.Timeout | undefined;
  let dueMs = Infinity;
  function cancel(): void {
    clearTimeout(timer);
    dueMs = Infinity;
  }
  return {
    within(milliseconds) {
      const due = performance.now() + milliseconds;
      if (due >= dueMs) return;
      cancel();
      dueMs = due;
      timer = setTimeout(() => {
        dueMs = Infinity;
        run();
      }, milliseconds);
    },
    cancel,
  };
}
