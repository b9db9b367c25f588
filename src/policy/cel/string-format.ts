// What does a format string make of its arguments? The clauses of cel-spec's string.format: %s %d %f %e %b %x %X %o.
// Length is charged while it grows, because an argument can be used often and values can share structure.
import { Duration, UnsignedInt } from 'cel-js/evaluator';
import { typeNameOf } from './type-name.ts';
import { celError } from './errors.ts';
import { CHARACTERS_PER_UNIT } from './limits.ts';
import { charge } from './meter.ts';
import { formatTimestamp, nanosecondsOf } from './time.ts';

const CLAUSE = /%(?:%|(?:\.(\d{1,4}))?([a-zA-Z]))|%/g;
const DEFAULT_PRECISION = 6;
// JavaScript's own limit of toFixed and toExponential.
const MAX_PRECISION = 100;
const EXACT_DIGITS = 100;
const MAX_DEPTH = 64;

/** Formats; throws an evaluation error for unknown clauses, missing arguments and arguments of the wrong type. */
export function formatString(pattern: string, values: readonly unknown[]): string {
  let next = 0;
  return pattern.replace(CLAUSE, (clause: string, precision?: string, letter?: string) => {
    if (clause === '%%') return '%';
    const format = letter === undefined || !Object.hasOwn(CLAUSES, letter) ? undefined : CLAUSES[letter];
    if (format === undefined || next >= values.length) throw celError('invalid_format');
    const digits = Number(precision ?? DEFAULT_PRECISION);
    if (digits > MAX_PRECISION) throw celError('invalid_format');
    const text = format(values[next], digits);
    next += 1;
    charge(20 + Math.ceil(text.length / CHARACTERS_PER_UNIT));
    return text;
  });
}

type Clause = (value: unknown, precision: number) => string;

const CLAUSES: Readonly<Record<string, Clause>> = {
  s: (value) => textOf(value, MAX_DEPTH),
  d: (value) => (typeof value === 'number' ? decimal(value) : integer(value).toString()),
  f: (value, precision) => special(double(value)) ?? fixed(double(value), precision),
  e: (value, precision) => special(double(value)) ?? exponential(double(value), precision),
  b: (value) => (typeof value === 'boolean' ? String(Number(value)) : integer(value).toString(2)),
  o: (value) => integer(value).toString(8),
  x: hexadecimal,
  X: (value) => hexadecimal(value).toUpperCase(),
};

function integer(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (value instanceof UnsignedInt) return value.valueOf();
  throw celError('invalid_format');
}

function double(value: unknown): number {
  return typeof value === 'number' ? value : Number(integer(value));
}

function special(value: number): string | undefined {
  return Number.isFinite(value) ? undefined : String(value);
}

// Doubles as Go's 'f' with the fewest digits: never an exponent.
function decimal(value: number): string {
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return Object.is(value, -0) ? '-0' : text;
  const [, sign = '', first = '', rest = '', exponent] = match;
  const point = 1 + Number(exponent);
  const digits = first + rest;
  return point > 0 ? `${sign}${digits.padEnd(point, '0')}` : `${sign}0.${'0'.repeat(-point)}${digits}`;
}

// toFixed writes large numbers with an exponent.
function fixed(value: number, precision: number): string {
  if (Math.abs(value) >= 1e21)
    return BigInt(value).toString() + (precision > 0 ? `.${'0'.repeat(precision)}` : '');
  const size = Math.abs(value);
  const isNegative = value < 0 || Object.is(value, -0);
  const text = tieToEven(size.toFixed(precision), size.toFixed(EXACT_DIGITS), precision);
  return isNegative ? `-${text}` : text;
}

function exponential(value: number, precision: number): string {
  const [rounded = '', exponent = ''] = value.toExponential(precision).split('e');
  const [exact = '', exactExponent = ''] = value.toExponential(EXACT_DIGITS).split('e');
  const mantissa = tieToEven(rounded, exact, precision);
  const power = mantissa === rounded ? exponent : exactExponent;
  return `${mantissa}e${power.replace(/^([+-])(\d)$/, '$10$2')}`;
}

// JavaScript rounds halves up and Go to the even digit; a hundred digits show every half that matters.
function tieToEven(rounded: string, exact: string, precision: number): string {
  const point = exact.indexOf('.');
  const rest = exact.slice(point + 1 + precision);
  if (!/^50*$/.test(rest)) return rounded;
  const lower = precision === 0 ? exact.slice(0, point) : exact.slice(0, point + 1 + precision);
  return /[02468]$/.test(lower) ? lower : rounded;
}

function hexadecimal(value: unknown): string {
  if (typeof value === 'string' || value instanceof Uint8Array) return hexOf(value);
  return integer(value).toString(16);
}

function hexOf(value: string | Uint8Array): string {
  charge(Math.ceil((4 * value.length) / CHARACTERS_PER_UNIT));
  return Buffer.from(value as string).toString('hex');
}

function textOf(value: unknown, depth: number): string {
  charge(6);
  if (depth === 0) throw celError('invalid_format');
  if (typeof value === 'string') return counted(value);
  if (typeof value === 'number') return special(value) ?? decimal(value);
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return counted(`[${value.map((item) => textOf(item, depth - 1)).join(', ')}]`);
  if (value instanceof Map) return counted(mapText(value as Map<unknown, unknown>, depth));
  return objectText(value);
}

function mapText(map: ReadonlyMap<unknown, unknown>, depth: number): string {
  const entries = Array.from(
    map,
    ([key, value]) => [textOf(key, depth - 1), textOf(value, depth - 1)] as const,
  );
  charge(entries.length * Math.ceil(Math.log2(entries.length + 1)));
  entries.sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  return `{${entries.map(([key, value]) => `${key}: ${value}`).join(', ')}}`;
}

function objectText(value: unknown): string {
  if (value instanceof UnsignedInt) return value.valueOf().toString();
  if (value instanceof Date) return formatTimestamp(value);
  if (value instanceof Duration) return `${decimal(Number(nanosecondsOf(value)) / 1e9)}s`;
  if (value instanceof Uint8Array) return counted(Buffer.from(value).toString());
  const name = typeNameOf(value);
  if (name === undefined) throw celError('invalid_format');
  return name;
}

function counted(text: string): string {
  charge(Math.ceil(text.length / CHARACTERS_PER_UNIT));
  return text;
}
