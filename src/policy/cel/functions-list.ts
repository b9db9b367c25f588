// What do list functions do? Kubernetes' list library and cel-go's, and join with its size charged before it is built.
// Elements are ordered only when they are of one simple type; everything else is an error.
import { Duration, UnsignedInt } from 'cel-js/evaluator';
import { celError } from './errors.ts';
import type { CelFunction } from './cel-function.ts';
import { isEqual, includes } from './equality.ts';
import { CHARACTERS_PER_UNIT } from './limits.ts';
import { charge } from './meter.ts';
import { costOfSize, sizeOf } from './size.ts';
import { compareTexts } from './text-order.ts';
import { durationOfNanoseconds, nanosecondsOf } from './time.ts';

type Ordered = string | bigint | number | boolean | Date | Duration | UnsignedInt | Uint8Array;

/** List functions. */
export const lists: readonly CelFunction[] = [
  { signature: 'list<string>.__join(): string', run: (list: unknown[]) => join(list, '') },
  { signature: 'list<string>.__join(string): string', run: join },
  { signature: 'list<int>.__sum(): int', run: sumOfIntegers },
  { signature: 'list<uint>.__sum(): uint', run: sumOfUnsigned },
  { signature: 'list<double>.__sum(): double', run: sumOfDoubles },
  { signature: 'list<google.protobuf.Duration>.__sum(): google.protobuf.Duration', run: sumOfDurations },
  { signature: 'list<V>.__min(): V', run: (list: unknown[]) => extreme(list, -1) },
  { signature: 'list<V>.__max(): V', run: (list: unknown[]) => extreme(list, 1) },
  { signature: 'list<V>.__isSorted(): bool', run: isSorted },
  {
    signature: 'list<V>.__indexOf(V): int',
    run: (list: unknown[], item: unknown) => find(list, item, 'findIndex'),
  },
  {
    signature: 'list<V>.__lastIndexOf(V): int',
    run: (list: unknown[], item: unknown) => find(list, item, 'findLastIndex'),
  },
  { signature: 'list<V>.__sort(): list<V>', run: sort },
  { signature: 'list<V>.__reverse(): list<V>', run: (list: unknown[]) => list.toReversed() },
  { signature: 'list<V>.__distinct(): list<V>', run: distinct },
  { signature: 'list<V>.__slice(int, int): list<V>', run: slice },
  { signature: 'list.__flatten(): list<dyn>', run: (list: unknown[]) => flatten(list, 1n) },
  { signature: 'list.__flatten(int): list<dyn>', run: flatten },
  { signature: 'ListsNamespace.__range(int): list<int>', run: (_: unknown, count: bigint) => range(count) },
];

function elements<T>(list: unknown[], isElement: (item: unknown) => item is T): T[] {
  if (list.every(isElement)) return list;
  throw celError('invalid_list_element_type');
}

function join(list: unknown[], separator: string): string {
  const texts = elements(list, (item) => typeof item === 'string');
  const length = texts.reduce((sum, text) => sum + text.length + separator.length, 0);
  charge(Math.ceil(length / CHARACTERS_PER_UNIT));
  return texts.join(separator);
}

function sumOfIntegers(list: unknown[]): bigint {
  const sum = elements(list, (item) => typeof item === 'bigint').reduce((a, b) => a + b, 0n);
  if (sum !== BigInt.asIntN(64, sum)) throw celError('numeric_overflow');
  return sum;
}

function sumOfUnsigned(list: unknown[]): UnsignedInt {
  const sum = elements(list, (item) => item instanceof UnsignedInt).reduce((a, b) => a + b.valueOf(), 0n);
  if (sum !== BigInt.asUintN(64, sum)) throw celError('numeric_overflow');
  return new UnsignedInt(sum);
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
    item instanceof UnsignedInt ||
    item instanceof Uint8Array ||
    ['string', 'bigint', 'number', 'boolean'].includes(typeof item)
  );
}

function ordered(list: unknown[]): Ordered[] {
  const items = elements(list, isOrdered);
  const [first] = items;
  const isUniform = items.every((item) => item.constructor === first?.constructor);
  if (!isUniform) throw celError('invalid_list_element_type');
  return items;
}

function compare(a: Ordered, b: Ordered): number {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
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
  return items.every((item, at) => compare(items[at - 1] ?? item, item) <= 0);
}

function sort(list: unknown[]): Ordered[] {
  charge(Math.ceil(2 * list.length * Math.log2(list.length + 1)));
  return [...ordered(list)].sort(compare);
}

function distinct(list: unknown[]): unknown[] {
  const kept: unknown[] = [];
  for (const item of list) {
    charge(1 + kept.length * costOfSize(sizeOf(item)));
    if (!includes(kept, item)) kept.push(item);
  }
  return kept;
}

function slice(list: unknown[], start: bigint, end: bigint): unknown[] {
  if (start < 0n || end < start || end > BigInt(list.length)) throw celError('index_out_of_range');
  return list.slice(Number(start), Number(end));
}

function flatten(list: unknown[], depth: bigint): unknown[] {
  if (depth < 0n) throw celError('index_out_of_range');
  const flat: unknown[] = [];
  for (const item of list) {
    charge(1);
    if (Array.isArray(item) && depth > 0n) flat.push(...flatten(item, depth - 1n));
    else flat.push(item);
  }
  return flat;
}

function range(count: bigint): bigint[] {
  const length = count < 0n ? 0 : Number(count);
  charge(length);
  return Array.from({ length }, (_, at) => BigInt(at));
}

function find(list: unknown[], item: unknown, from: 'findIndex' | 'findLastIndex'): bigint {
  charge(costOfSize(sizeOf(list)));
  return BigInt(list[from]((other) => isEqual(other, item)));
}
