// When are two values the same? CEL's equality: numbers by value across types, everything else only within its type.
// Used by ==, != and in, in place of the library's, and by the list and set functions.
import { Optional } from 'cel-js';
import { Duration, UnsignedInt } from 'cel-js/evaluator';
import { celError } from './errors.ts';
import { CHARACTERS_PER_UNIT } from './limits.ts';
import { charge } from './meter.ts';
import { compareQuantities, Quantity } from './quantity.ts';
import { Cidr, IpAddress } from './ip-address.ts';
import { compareSemvers, Semver } from './semver.ts';
import { Url } from './url.ts';
import { Unreadable } from './value.ts';

// Beside what size.ts counts: quantities are brought to one scale, versions taken apart.
const OBJECT_COST = 10;

/** Whether two values are equal; throws an evaluation error when one cannot be read. */
export function isEqual(left: unknown, right: unknown): boolean {
  if (isNumeric(left) && isNumeric(right)) return compareNumbers(left.valueOf(), right.valueOf()) === 0;
  requireReadable(left);
  requireReadable(right);
  if (Array.isArray(left)) return Array.isArray(right) && areListsEqual(left, right);
  if (left instanceof Map) return right instanceof Map && areMapsEqual(left, right);
  return areSimplyEqual(left, right);
}

/** -1, 0 or 1 by value, NaN when one is not a number; whole numbers are rounded to compare with a double, as in cel-go. */
export function compareNumbers(left: bigint | number, right: bigint | number): number {
  if (typeof left !== typeof right) return compareNumbers(Number(left), Number(right));
  if (left === right) return 0;
  if (left < right) return -1;
  return left > right ? 1 : Number.NaN;
}

function requireReadable(value: unknown): void {
  if (value instanceof Unreadable) throw celError('unsupported_type');
}

/** Whether a value is a number of any type. */
export function isNumeric(value: unknown): value is bigint | number | UnsignedInt {
  return typeof value === 'bigint' || typeof value === 'number' || value instanceof UnsignedInt;
}

function areListsEqual(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((item, at) => isEqual(item, right[at]));
}

function areMapsEqual(left: ReadonlyMap<unknown, unknown>, right: ReadonlyMap<unknown, unknown>): boolean {
  if (left.size !== right.size) return false;
  for (const [key, value] of left) {
    if (!isEqual(value, right.get(key))) return false;
  }
  return true;
}

type Comparison = (left: never, right: never) => boolean;

const COMPARISONS: readonly (readonly [new (...args: never[]) => object, Comparison])[] = [
  [Date, (a: Date, b: Date) => a.getTime() === b.getTime()],
  [Duration, (a: Duration, b: Duration) => a.seconds === b.seconds && a.nanos === b.nanos],
  [Uint8Array, (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0],
  [Optional, areOptionalsEqual],
  [Quantity, (a: Quantity, b: Quantity) => compareQuantities(a, b) === 0],
  [Semver, (a: Semver, b: Semver) => compareSemvers(a, b) === 0],
  [IpAddress, (a: IpAddress, b: IpAddress) => a.family === b.family && a.value === b.value],
  [Cidr, (a: Cidr, b: Cidr) => a.prefixLength === b.prefixLength && isEqual(a.address, b.address)],
  [Url, areUrlsEqual],
];

function areSimplyEqual(left: unknown, right: unknown): boolean {
  const found = COMPARISONS.find(([type]) => left instanceof type);
  // What has no comparison is a text, true, false or null; types, formats and typed facts exist once for each value.
  if (found === undefined) return left === right;
  const [type, compare] = found;
  charge(OBJECT_COST);
  return right instanceof type && compare(left as never, right as never);
}

function areUrlsEqual(left: Url, right: Url): boolean {
  charge(Math.ceil(Math.min(left.text.length, right.text.length) / CHARACTERS_PER_UNIT));
  return left.text === right.text;
}

function areOptionalsEqual(left: Optional, right: Optional): boolean {
  if (!left.hasValue() || !right.hasValue()) return left.hasValue() === right.hasValue();
  return isEqual(left.value(), right.value());
}

/** Whether a list holds a value, or a map a key. */
export function includes(collection: unknown, value: unknown): boolean {
  if (collection instanceof Map) return collection.has(toKey(value));
  if (Array.isArray(collection)) return collection.some((item) => isEqual(item, value));
  throw celError('no_such_overload');
}

/** The form in which a value is a key of a map: whole numbers of any type are one key. */
export function toKey(value: unknown): unknown {
  if (value instanceof UnsignedInt) return value.valueOf();
  return Number.isInteger(value) ? BigInt(value as number) : value;
}
