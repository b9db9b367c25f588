// How much may an evaluation do? A deterministic count of work, stopped at once when it is spent.
// Evaluation is synchronous, so the expression being evaluated is a module-level state set per evaluation.
import { isOverdue } from './deadline.ts';
import {
  ABSORBED_ERROR_COST,
  ERROR_SOURCE_PER_UNIT,
  MAX_EXPRESSION_COST,
  MAX_REQUEST_COST,
  UNITS_PER_CLOCK_CHECK,
} from './limits.ts';

/** The budget of one request in cost units; the engine draws each evaluation's cost from it. */
export interface CelMeter {
  /** Cost units left for this request. */
  readonly remaining: number;
  /** Takes units out of the budget; never below zero. */
  spend(units: number): void;
}

/** What an evaluation came to: its value, or that it (or its request) ran out of budget. */
export type Metered<T> = { readonly within: true; readonly value: T } | { readonly within: false };

interface Account {
  left: number;
  exceeded: boolean;
  /** What is left when the clock is looked at next. */
  nextCheck: number;
  readonly errorCost: number;
}

/** Creates the meter of one request; the default budget is MAX_REQUEST_COST units. */
export function createCelMeter(requestBudget: number = MAX_REQUEST_COST): CelMeter {
  let remaining = Number.isFinite(requestBudget) ? Math.max(0, requestBudget) : 0;
  return {
    get remaining() {
      return remaining;
    },
    spend(units) {
      remaining = Math.max(0, remaining - units);
    },
  };
}

const CLOSED: Account = { left: -1, exceeded: true, nextCheck: -1, errorCost: 0 };
// One instance: creating an error captures a stack, and a spent budget throws often while it unwinds.
const BUDGET_SPENT = new Error('CEL cost budget is spent');
let account: Account = CLOSED;

interface Trial {
  left: number;
  isSpent: boolean;
}

let trial: Trial | undefined;

/** Runs a synchronous function whose evaluations may use so many units together, whatever their meters have left. */
export function tryWithin<T>(units: number, run: () => T): Metered<T> {
  const own: Trial = { left: units, isSpent: false };
  trial = own;
  try {
    const value = run();
    return own.isSpent ? { within: false } : { within: true, value };
  } catch (error) {
    if (own.isSpent) return { within: false };
    throw error;
  } finally {
    trial = undefined;
  }
}

/** Runs one evaluation within what the meter has left, MAX_EXPRESSION_COST at most; rethrows its other errors. */
export function runMetered<T>(meter: CelMeter, sourceLength: number, run: () => T): Metered<T> {
  const allowance = Math.min(MAX_EXPRESSION_COST, meter.remaining);
  if (!(allowance > 0)) return { within: false };
  const own: Account = {
    left: allowance,
    exceeded: isOverdue() || trial?.isSpent === true,
    nextCheck: allowance - UNITS_PER_CLOCK_CHECK,
    errorCost: ABSORBED_ERROR_COST + Math.floor(sourceLength / ERROR_SOURCE_PER_UNIT),
  };
  account = own;
  // Nobody sees the stack of an evaluation error, and capturing it is most of what one costs.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const value = run();
    return own.exceeded ? { within: false } : { within: true, value };
  } catch (error) {
    if (own.exceeded) return { within: false };
    throw error;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    account = CLOSED;
    meter.spend(allowance - Math.max(0, own.left));
  }
}

/** Charges units to the running evaluation; throws when the budget is spent. */
export function charge(units: number): void {
  if (!take(units)) throw BUDGET_SPENT;
}

/** Before what may take longer than it costs: a trial ends here, and the next charge looks at the time. */
export function beginLongStep(): void {
  if (trial !== undefined) charge(trial.left + 1);
  account.nextCheck = account.left;
}

/** Charges an error that the running evaluation absorbs; never throws, because its caller returns the error. */
export function chargeAbsorbedError(): void {
  take(account.errorCost);
}

/** Whether the running evaluation has spent its budget and must stop. */
export function isExhausted(): boolean {
  return account.exceeded;
}

function take(units: number): boolean {
  if (account.exceeded) return false;
  account.left -= units;
  // Written so that NaN counts as spent.
  account.exceeded = !(account.left >= 0) || isTrialSpent(units) || isLate();
  return !account.exceeded;
}

function isTrialSpent(units: number): boolean {
  if (trial === undefined) return false;
  trial.left -= units;
  trial.isSpent ||= !(trial.left >= 0);
  return trial.isSpent;
}

// Processor time is a last resort: the budget is meant to be spent long before it.
function isLate(): boolean {
  if (account.left > account.nextCheck) return false;
  account.nextCheck = account.left - UNITS_PER_CLOCK_CHECK;
  return isOverdue();
}
