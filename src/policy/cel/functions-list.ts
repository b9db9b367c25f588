// What do list functions do? Kubernetes' list library, and join with its size charged before it is built.
// Elements are compared only when they are of one simple type; everything else is an error.
import { Duration } from 'cel-js/evaluator';
import { celError } from './errors.ts';
import type { CelFunction } from './cel-function.ts';
import { ELEMENTS_PER_UNIT } from './limits.ts';
import { charge } from './meter.ts';
import { durationOfNanoseconds, nanosecondsOf } from './time.ts';

type Ordered = string | bigint | number | boolean | Date | Duration;

/** List functions. */
export const lists: readonly CelFunction[] = [
  { signature: 'list<string>.__join(): string', run: (list: unknown[]) => join(list, '') },
  { signature: 'list<string>.__join(string): string', run: join },
  { signature: 'list<int>.__sum(): int', run: sumOfIntegers },
  { signature: 'list<double>.__sum(): double', run: sumOfDoubles },
  { signature: 'list<google.protobuf.Duration>.__sum(): google.protobuf.Duration', run: sumOfDurations },
  { signature: 'list<V>.__min(): V', run: (list: unknown[]) => extreme(list, -1) },
  { signature: 'list<V>.__max(): V', run: (list: unknown[]) => extreme(list, 1) },
  { signature: 'list<V>.__isSorted(): bool', run: isSorted },
  { signature: 'list<V>.__indexOf(V): int', run: (list: unknown[], item: unknown) => indexOf(list, item) },
  { signature: 'list<V>.__lastIndexOf(V): int', run: lastIndexOf },
];

function elements<T>(list: unknown[], isElement: (item: unknown) => item is T): T[] {
  if (list.every(isElement)) return list;
  throw celError('invalid_list_element_type');
}

function join(list: unknown[], separator: string): string {
  const texts = elements(list, (item) => typeof item === 'string');
  const length = texts.reduce((sum, text) => sum + text.length + separator.length, 0);
  charge(Math.ceil(length / ELEMENTS_PER_UNIT));
  return texts.join(separator);
}

function sumOfIntegers(list: unknown[]): bigint {
  const sum = elements(list, (item) => typeof item === 'bigint').reduce((a, b) => a + b, 0n);
  if (sum !== BigInt.asIntN(64, sum)) throw celError('numeric_overflow');
  return sum;
}

function sumOfDoubles(list: unknown[]): number {
  return elements(list, (item) => typeof item === 'number').reduce((a, b) => a + b, 0);
}

function sumOfDurations(list: unknown[]): Duration {
  const durations = elements(list, (item) => item instanceof Duration);
  return durationOfNanoseconds(durations.reduce((sum, item) => sum + nanosecondsOf(item), 0n));
}

function isOrdered(item: unknown): item is Ordered {
  return (
    item instanceof Date ||
    item instanceof Duration ||
    ['string', 'bigint', 'number', 'boolean'].includes(typeof item)
  );
}

function ordered(list: unknown[]): Ordered[] {
  const items = elements(list, isOrdered);
  const [first] = items;
  const isUniform = items.every(
    (item) => typeof item === typeof first && item.constructor === first?.constructor,
  );
  if (!isUniform) throw celError('invalid_list_element_type');
  return items;
}

function compare(a: Ordered, b: Ordered): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

function extreme(list: unknown[], sign: number): Ordered {
  const [first, ...rest] = ordered(list);
  if (first === undefined) throw celError('empty_list');
  return rest.reduce((best, item) => (compare(item, best) === sign ? item : best), first);
}

function isSorted(list: unknown[]): boolean {
  const items = ordered(list);
  return items.every((item, at) => at === 0 || compare(items[at - 1] ?? item, item) <= 0);
}

// Timestamps and durations are objects: they are the same value when neither comes before the other.
function isSame(a: unknown, b: unknown): boolean {
  if (!isOrdered(a) || !isOrdered(b)) throw celError('invalid_list_element_type');
  return a === b || (typeof a === 'object' && a.constructor === b.constructor && compare(a, b) === 0);
}

function indexOf(list: unknown[], item: unknown): bigint {
  return BigInt(list.findIndex((other) => isSame(other, item)));
}

function lastIndexOf(list: unknown[], item: unknown): bigint {
  return BigInt(list.findLastIndex((other) => isSame(other, item)));
}
