// What is a Kubernetes quantity worth? Parsing, arithmetic and order as k8s.io/apimachinery/pkg/api/resource does them.
// Small values keep their scale and large ones do not, because that decides what counts as an integer there.
import { celError } from './errors.ts';

/** A quantity: `unscaled` times ten to the `scale`; `isSmall` where Kubernetes holds it as a scaled 64-bit integer. */
export class Quantity {
  readonly unscaled: bigint;
  readonly scale: number;
  readonly isSmall: boolean;

  constructor(unscaled: bigint, scale: number, isSmall: boolean) {
    this.unscaled = unscaled;
    this.scale = scale;
    this.isSmall = isSmall;
  }
}

const MAX_TEXT_LENGTH = 128;
const MAX_EXPONENT = 128;
const NANO_SCALE = -9;
const MOST_INT = 2n ** 63n - 1n;
// Digits that surely fit into a 64-bit integer, and those kept for the powers of two.
const DECIMAL_DIGITS = 18;
const BINARY_DIGITS = 14;
const PATTERN = /^([+-]?)0*(\d*)(?:\.(\d*))?([A-Za-z]*(?:(?<=[eE])[+-]?\d+)?)$/;
const DECIMAL_SCALES: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY_POWERS: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

interface Digits {
  readonly whole: string;
  readonly fraction: string;
  readonly isNegative: boolean;
}

/** Reads a quantity such as `1.5Gi`, `200M` or `1e3`, of at most 128 characters; throws an evaluation error. */
export function parseQuantity(text: string): Quantity {
  const match = text.length > 0 && text.length <= MAX_TEXT_LENGTH ? PATTERN.exec(text) : null;
  if (match === null) throw celError('invalid_quantity');
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  const digits = { whole: whole === '' ? '0' : whole, fraction, isNegative: sign === '-' };
  const power = Object.hasOwn(BINARY_POWERS, suffix) ? BINARY_POWERS[suffix] : undefined;
  return power === undefined ? toDecimal(digits, decimalScale(suffix)) : toBinary(digits, power);
}

function decimalScale(suffix: string): number {
  const scale = Object.hasOwn(DECIMAL_SCALES, suffix) ? DECIMAL_SCALES[suffix] : undefined;
  if (scale !== undefined) return scale;
  const exponent = /^[eE]([+-]?\d{1,4})$/.exec(suffix);
  const value = Number(exponent?.[1] ?? Infinity);
  if (Math.abs(value) > MAX_EXPONENT) throw celError('invalid_quantity');
  return value;
}

function toDecimal(digits: Digits, exponent: number): Quantity {
  const { whole, fraction } = digits;
  const scale = exponent - fraction.length;
  const isSmall = whole.length + fraction.length <= DECIMAL_DIGITS && scale >= NANO_SCALE;
  return isSmall ? new Quantity(unscaledOf(digits), scale, true) : round(unscaledOf(digits), scale);
}

function toBinary(digits: Digits, power: number): Quantity {
  const { whole, fraction } = digits;
  const unscaled = unscaledOf(digits) * 2n ** BigInt(power);
  const room = BINARY_DIGITS - whole.length - Math.floor((power * 3) / 10);
  if (fraction === '' && room >= 0) return new Quantity(unscaled, 0, true);
  const rounded = round(unscaled, -fraction.length);
  const most = new Quantity(digits.isNegative ? -MOST_INT : MOST_INT, 0, false);
  const size = digits.isNegative ? -compareQuantities(rounded, most) : compareQuantities(rounded, most);
  return size > 0 ? most : rounded;
}

function unscaledOf({ whole, fraction, isNegative }: Digits): bigint {
  const size = BigInt(whole + fraction);
  return isNegative ? -size : size;
}

// Kubernetes rounds away from zero at a billionth: who asks for a little gets a little.
function round(unscaled: bigint, scale: number): Quantity {
  if (scale >= NANO_SCALE) return new Quantity(unscaled, scale, false);
  const divisor = 10n ** BigInt(NANO_SCALE - scale);
  const rest = unscaled % divisor;
  const away = rest === 0n ? 0n : rest < 0n ? -1n : 1n;
  return new Quantity(unscaled / divisor + away, NANO_SCALE, false);
}

function isInt(value: bigint): boolean {
  return value === BigInt.asIntN(64, value);
}

/** A whole number as a quantity. */
export function quantityOfInteger(value: bigint): Quantity {
  return new Quantity(value, 0, true);
}

/** The sum; small when both were and the result fits. */
export function addQuantities(left: Quantity, right: Quantity): Quantity {
  const bothSmall = left.isSmall && right.isSmall;
  if (bothSmall && right.unscaled === 0n) return left;
  if (bothSmall && left.unscaled === 0n) return right;
  const [a, b, scale] = align(left, right);
  const isSmall = bothSmall && isInt(a) && isInt(b) && isInt(a + b);
  return new Quantity(a + b, scale, isSmall);
}

/** The additive inverse. */
export function negateQuantity({ unscaled, scale, isSmall }: Quantity): Quantity {
  return new Quantity(-unscaled, scale, isSmall);
}

/** -1, 0 or 1 by value. */
export function compareQuantities(left: Quantity, right: Quantity): number {
  const [a, b] = align(left, right);
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function align(left: Quantity, right: Quantity): readonly [bigint, bigint, number] {
  const scale = Math.min(left.scale, right.scale);
  return [left.unscaled * power(left.scale - scale), right.unscaled * power(right.scale - scale), scale];
}

function power(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

/** The value as a 64-bit integer, where Kubernetes can say it; undefined for fractions and what it holds as a decimal. */
export function integerOf({ unscaled, scale, isSmall }: Quantity): bigint | undefined {
  if (!isSmall || scale < 0) return undefined;
  const value = unscaled * power(scale);
  return isInt(value) ? value : undefined;
}

/** The nearest double, roughly. */
export function approximate({ unscaled, scale }: Quantity): number {
  return scale === 0 ? Number(unscaled) : Number(unscaled) * Number(`1e${scale}`);
}
