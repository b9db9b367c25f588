// How long did each step take? Marks stages of one request, in milliseconds.

/** Collects durations; `durations` adds the total. */
export interface Stopwatch {
  /** Ends the stage that began at the last mark. */
  mark(stage: string): void;
  durations(): Readonly<Record<string, number>>;
}

/** Starts a stopwatch. */
export function createStopwatch(): Stopwatch {
  const start = performance.now();
  let last = start;
  const stages: Record<string, number> = {};
  const round = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1000;
  return {
    mark(stage) {
      const now = performance.now();
      stages[stage] = round(now - last);
      last = now;
    },
    durations: () => ({ ...stages, total: round(performance.now() - start) }),
  };
}
