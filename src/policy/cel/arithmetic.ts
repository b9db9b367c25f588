// Which arithmetic does the library get wrong? Duration sums, integer negation and division at the limits, times.
// Everything else is left to it: `undefined` means "as the library does".
import { Duration } from 'cel-js/evaluator';
import { celError } from './errors.ts';
import { charge } from './meter.ts';
import { durationOfNanoseconds, inRange, nanosecondsOf } from './time.ts';

// Durations are counted in nanoseconds, beyond what a small integer holds.
const TIME_COST = 20;
const LEAST_INT = -(2n ** 63n);

/** The result of an operation the library computes wrongly, or undefined; throws evaluation errors. */
export function arithmetic(op: string, [left, right]: readonly unknown[]): unknown {
  if (op === '-_') return left === LEAST_INT ? overflow() : undefined;
  if (op === '/') return left === LEAST_INT && right === -1n ? overflow() : undefined;
  if (op === '+') return sum(left, right);
  return op === '-' ? difference(left, right) : undefined;
}

function overflow(): never {
  throw celError('numeric_overflow');
}

function sum(left: unknown, right: unknown): unknown {
  if (left instanceof Duration && right instanceof Duration) {
    charge(TIME_COST);
    return durationOfNanoseconds(nanosecondsOf(left) + nanosecondsOf(right));
  }
  if (left instanceof Date && right instanceof Duration) return shift(left, nanosecondsOf(right));
  if (left instanceof Duration && right instanceof Date) return shift(right, nanosecondsOf(left));
  return undefined;
}

function difference(left: unknown, right: unknown): unknown {
  if (left instanceof Duration && right instanceof Duration) {
    charge(TIME_COST);
    return durationOfNanoseconds(nanosecondsOf(left) - nanosecondsOf(right));
  }
  if (left instanceof Date && right instanceof Duration) return shift(left, -nanosecondsOf(right));
  if (left instanceof Date && right instanceof Date) {
    charge(TIME_COST);
    return durationOfNanoseconds(BigInt(left.getTime() - right.getTime()) * 1_000_000n);
  }
  return undefined;
}

function shift(date: Date, nanoseconds: bigint): Date {
  charge(TIME_COST);
  return inRange(new Date(date.getTime() + Math.floor(Number(nanoseconds) / 1_000_000)));
}
