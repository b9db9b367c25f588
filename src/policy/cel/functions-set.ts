// How do lists compare as sets? cel-go's sets library, which compares every element with every other.
import type { CelFunction } from './cel-function.ts';
import { includes } from './equality.ts';
import { charge } from './meter.ts';
import { costOfSize, sizeOf } from './size.ts';

const NAMESPACE = 'SetsNamespace';

/** sets.contains, sets.equivalent and sets.intersects. */
export const sets: readonly CelFunction[] = [
  {
    signature: `${NAMESPACE}.__contains(list<T>, list<T>): bool`,
    run: (_: unknown, a: unknown[], b: unknown[]) => contains(a, b),
  },
  {
    signature: `${NAMESPACE}.__equivalent(list<T>, list<T>): bool`,
    run: (_: unknown, a: unknown[], b: unknown[]) => contains(a, b) && contains(b, a),
  },
  {
    signature: `${NAMESPACE}.__intersects(list<T>, list<T>): bool`,
    run: (_: unknown, a: unknown[], b: unknown[]) => some(a, b),
  },
];

function contains(list: readonly unknown[], part: readonly unknown[]): boolean {
  const size = sizeOf(list);
  return part.every((item) => {
    charge(1 + costOfSize(size));
    return includes(list, item);
  });
}

function some(list: readonly unknown[], other: readonly unknown[]): boolean {
  const size = sizeOf(other);
  return list.some((item) => {
    charge(1 + costOfSize(size));
    return includes(other, item);
  });
}
