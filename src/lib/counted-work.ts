// How much work may something synchronous ask for that is counted where it is done? Whoever does it asks before; what is not
// counted against anything is always allowed.

/** What was made, and what it came to. */
export interface CountedWork<T> {
  readonly value: T;
  /** In the units that were taken. */
  readonly size: number;
  /** True when something was refused for being too much beside the rest. */
  readonly isExceeded: boolean;
}

let account: { readonly max: number; size: number; isExceeded: boolean } | undefined;

/** Runs something that may take so many units together. */
export function countWork<T>(max: number, run: () => T): CountedWork<T> {
  const outer = account;
  const own = { max, size: 0, isExceeded: false };
  account = own;
  try {
    const value = run();
    return { value, size: own.size, isExceeded: own.isExceeded };
  } finally {
    account = outer;
  }
}

/** Takes units; false when they are too much. Once something was too much, everything is. */
export function takeWork(units: number): boolean {
  if (account === undefined) return true;
  account.isExceeded ||= account.size + units > account.max;
  if (!account.isExceeded) account.size += units;
  return !account.isExceeded;
}
