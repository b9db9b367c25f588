// How much processor time may something take that nothing else bounds? Shared by several synchronous runs; who does the
// work asks whether the time is up, and says what that means.
import { processorTime } from './processor-time.ts';

/** What is left of a time, in microseconds of this thread's processor time; below zero when it was overdrawn. */
export interface Allowance {
  left: number;
}

let end: number | undefined;

/** Creates an allowance. */
export function createAllowance(milliseconds: number): Allowance {
  return { left: milliseconds * 1000 };
}

/** Runs a synchronous function on an allowance, whatever is left of it: {@link isTimeUp} says when it is used up. */
export function runOn<T>(allowance: Allowance, run: () => T): T {
  const outer = end;
  const start = processorTime();
  end = start + allowance.left;
  try {
    return run();
  } finally {
    end = outer;
    allowance.left -= processorTime() - start;
  }
}

/** Whether the allowance of the present run is used up; false where there is none. Costs about 1 µs. */
export function isTimeUp(): boolean {
  return end !== undefined && processorTime() >= end;
}
