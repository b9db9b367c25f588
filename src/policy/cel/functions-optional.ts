// What do rules do with optional values? What cel-go's optional library has and the engine does not.
import { Optional } from 'cel-js';
import { Duration, UnsignedInt } from 'cel-js/evaluator';
import type { CelFunction } from './cel-function.ts';
import { celError } from './errors.ts';

/** optional.ofNonZeroValue, optional.unwrap, unwrapOpt, first and last. */
export const optionals: readonly CelFunction[] = [
  {
    signature: 'OptionalNamespace.__ofNonZeroValue(A): optional<A>',
    run: (_: unknown, value: unknown) => (isZero(value) ? Optional.none() : Optional.of(value)),
  },
  {
    signature: 'OptionalNamespace.__unwrap(list<optional<A>>): list<A>',
    run: (_: unknown, list: unknown[]) => unwrap(list),
  },
  { signature: 'list<optional<A>>.__unwrapOpt(): list<A>', run: unwrap },
  { signature: 'list<A>.__first(): optional<A>', run: (list: unknown[]) => Optional.of(list[0]) },
  { signature: 'list<A>.__last(): optional<A>', run: (list: unknown[]) => Optional.of(list.at(-1)) },
];

function unwrap(list: readonly unknown[]): unknown[] {
  return list.flatMap((item) => {
    if (!(item instanceof Optional)) throw celError('optional_expected');
    return item.hasValue() ? [item.value() as unknown] : [];
  });
}

function isZero(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return !value && !Number.isNaN(value);
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof Map) return value.size === 0;
  if (value instanceof Optional) return !value.hasValue();
  return isZeroOfTime(value) || (value instanceof UnsignedInt && value.valueOf() === 0n);
}

// A timestamp's zero is the year 1, as in Go; a duration's is no time.
function isZeroOfTime(value: object): boolean {
  if (value instanceof Date) return value.toISOString() === '0001-01-01T00:00:00.000Z';
  return value instanceof Duration && value.seconds === 0n && value.nanos === 0;
}
