// What stops an evaluation that takes too long in spite of its budget? Processor time of this thread, so that the same
// rules come to the same verdict on a busy machine; and, should a single step hang, a generous wall clock around it all.
// The only user of node:vm; its timeout stops loops and native code alike and costs about 0.15 ms a call.
import { createContext, Script } from 'node:vm';
import { processorTime } from '../../lib/processor-time.ts';
import { toRecord } from '../../lib/text.ts';

/** Thrown by withDeadline when the time is over. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}

/** Wall-clock time after which even a step that never asks for the time is stopped, in milliseconds. */
export const HARD_STOP_MS = 5000;

interface Allowance {
  /** Processor time of the thread at which it is spent, in microseconds. */
  readonly end: number;
  isSpent: boolean;
}

const sandbox: { run: (() => unknown) | undefined } = { run: undefined };
const context = createContext(sandbox);
const script = new Script('run()');
let allowance: Allowance | undefined;

/**
 * Runs a synchronous function for at most that many milliseconds of this thread's processor time; throws
 * DeadlineExceeded, or what it throws. The time is looked at by isOverdue, and after `hardStop` milliseconds of wall clock
 * the call is stopped wherever it is; an inner call has what is left of the outer.
 */
export function withDeadline<T>(milliseconds: number, run: () => T, hardStop: number = HARD_STOP_MS): T {
  if (allowance !== undefined) return run();
  const own: Allowance = { end: processorTime() + milliseconds * 1000, isSpent: false };
  allowance = own;
  try {
    const value = runWithHardStop(run, hardStop);
    if (own.isSpent) throw new DeadlineExceeded(`not done within ${milliseconds} ms of processor time`);
    return value;
  } finally {
    allowance = undefined;
  }
}

/** Whether the running call of withDeadline has used up its processor time; false outside of any. Costs about 1 µs. */
export function isOverdue(): boolean {
  if (allowance === undefined) return false;
  allowance.isSpent ||= processorTime() > allowance.end;
  return allowance.isSpent;
}

function runWithHardStop<T>(run: () => T, milliseconds: number): T {
  // A call that is stopped runs no finally of its own: what meter.ts sets for an evaluation is set back here.
  const { stackTraceLimit } = Error;
  sandbox.run = run;
  try {
    return script.runInContext(context, { timeout: milliseconds }) as T;
  } catch (error) {
    // It comes from the script's own realm, so it is no instance of our Error.
    if (toRecord(error)['code'] === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw new DeadlineExceeded(`not done within ${milliseconds} ms`);
    throw error;
  } finally {
    sandbox.run = undefined;
    Error.stackTraceLimit = stackTraceLimit;
  }
}
