// How many at once? Everybody else waits, in the order of asking.

/** Runs something as soon as there is room for it. */
export type TakeTurn = <T>(run: () => Promise<T>) => Promise<T>;

/** Creates room for so many at once. */
export function createTurns(count: number): TakeTurn {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (run) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
