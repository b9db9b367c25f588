// How much data does a comparison look at? Characters, each element as many as it costs, without recursion and up to a
// limit.
// Values can share structure, so what is small in memory can be endless to walk; counting costs what it counts.
import { CHARACTERS_PER_UNIT, ELEMENT_COST, MAX_EXPRESSION_COST } from './limits.ts';

// An element in characters: it is counted, and then it is compared.
const ELEMENT_SIZE = 2 * ELEMENT_COST * CHARACTERS_PER_UNIT;
// More than any budget pays for.
const MOST = (MAX_EXPRESSION_COST + 1) * CHARACTERS_PER_UNIT;
const FIRST_LIMIT = 64;

/** Size of a value in characters, counting shared parts each time; at least `limit` when it is larger. */
export function sizeOf(value: unknown, limit: number = MOST): number {
  let size = 0;
  const pending = [value];
  while (pending.length > 0 && size < limit) {
    const next = pending.pop();
    size += ELEMENT_SIZE;
    if (typeof next === 'string' || next instanceof Uint8Array) size += next.length;
    else if (Array.isArray(next)) size += ELEMENT_SIZE * pushUpTo(pending, next, limit);
    else if (next instanceof Map) size += 2 * ELEMENT_SIZE * pushUpTo(pending, next.values(), limit);
  }
  return size;
}

// Elements count when they are pushed and when they are looked at, which bounds the list of pending ones.
function pushUpTo(pending: unknown[], values: Iterable<unknown>, limit: number): number {
  let pushed = 0;
  for (const value of values) {
    if (pushed >= limit) break;
    pending.push(value);
    pushed += 1;
  }
  return pushed;
}

/** The most that an equality or order has to look at: it ends with the smaller operand. */
export function comparisonSize(left: unknown, right: unknown): number {
  if (typeof left === 'string' && typeof right === 'string') return Math.min(left.length, right.length);
  if (!isCollection(left) || !isCollection(right)) return 0;
  // A growing limit: counting a huge operand for nothing would be work that nobody pays for.
  for (let limit = FIRST_LIMIT; ; limit *= 4) {
    const size = Math.min(sizeOf(left, limit), sizeOf(right, limit));
    if (size < limit || limit >= MOST) return size;
  }
}

/** The cost in units of looking at a value of that size. */
export function costOfSize(size: number): number {
  return Math.ceil(size / CHARACTERS_PER_UNIT);
}

/** The most that looking for a value has to look at: a whole list, one entry of a map. */
export function membershipSize(collection: unknown): number {
  return collection instanceof Map ? 0 : sizeOf(collection);
}

function isCollection(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
