// How are values converted between types? As cel-go does: nothing is guessed, everything is range-checked.
// The library reads an empty string as 0 and hexadecimal as a number.
import { UnsignedInt, type Duration } from 'cel-js/evaluator';
import { celError } from './errors.ts';
import type { CelFunction } from './cel-function.ts';
import {
  formatDuration,
  formatTimestamp,
  parseDuration,
  parseTimestamp,
  timestampOfSeconds,
} from './time.ts';

const TIMESTAMP = 'google.protobuf.Timestamp';
const DURATION = 'google.protobuf.Duration';
const MAX_UINT = 2n ** 64n - 1n;
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const SPECIAL = /^([+-]?)(inf|infinity|nan)$/i;
// No number needs more; also keeps conversion time linear.
const MAX_NUMBER_LENGTH = 128;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const same = <T>(value: T): T => value;

/** Conversions to and from int, uint, double, string, timestamp and duration. */
export const conversions: readonly CelFunction[] = [
  { signature: '__int(int): int', run: same },
  { signature: '__int(uint): int', run: (v: UnsignedInt) => toInt(v.value) },
  { signature: '__int(double): int', run: (v: number) => toInt(truncate(notLeast(v))) },
  { signature: '__int(string): int', run: (v: string) => toInt(parseInteger(v)), cost: 5 },
  { signature: `__int(${TIMESTAMP}): int`, run: (v: Date) => BigInt(Math.floor(v.getTime() / 1000)) },
  { signature: '__uint(uint): uint', run: same },
  { signature: '__uint(int): uint', run: toUint },
  { signature: '__uint(double): uint', run: (v: number) => toUint(truncate(v)) },
  { signature: '__uint(string): uint', run: (v: string) => toUint(parseInteger(v)) },
  { signature: '__double(double): double', run: same },
  { signature: '__double(int): double', run: Number },
  { signature: '__double(uint): double', run: (v: UnsignedInt) => Number(v.value) },
  { signature: '__double(string): double', cost: 10, run: parseDouble },
  { signature: '__string(string): string', run: same },
  { signature: '__string(bool): string', run: String },
  { signature: '__string(int): string', run: String },
  { signature: '__string(uint): string', run: (v: UnsignedInt) => v.value.toString() },
  { signature: '__string(double): string', cost: 10, run: formatDouble },
  { signature: '__string(bytes): string', run: decode },
  { signature: `__string(${TIMESTAMP}): string`, cost: 10, run: formatTimestamp },
  { signature: `__string(${DURATION}): string`, cost: 20, run: (v: Duration) => formatDuration(v) },
  { signature: `__timestamp(string): ${TIMESTAMP}`, cost: 20, run: parseTimestamp },
  { signature: `__timestamp(int): ${TIMESTAMP}`, run: timestampOfSeconds },
  { signature: `__timestamp(${TIMESTAMP}): ${TIMESTAMP}`, run: same },
  { signature: `__duration(string): ${DURATION}`, cost: 30, run: parseDuration },
  { signature: `__duration(${DURATION}): ${DURATION}`, run: same },
];

// cel-go refuses the least int as a double, because a double that is rounded to it may have been less.
function notLeast(value: number): number {
  if (value <= -(2 ** 63)) throw celError('numeric_overflow');
  return value;
}

function toInt(value: bigint): bigint {
  if (value !== BigInt.asIntN(64, value)) throw celError('numeric_overflow');
  return value;
}

function toUint(value: bigint): UnsignedInt {
  if (value < 0n || value > MAX_UINT) throw celError('numeric_overflow');
  return new UnsignedInt(value);
}

function truncate(value: number): bigint {
  if (!Number.isFinite(value)) throw celError('numeric_overflow');
  return BigInt(Math.trunc(value));
}

function parseInteger(text: string): bigint {
  if (text.length > MAX_NUMBER_LENGTH || !/^[+-]?\d+$/.test(text)) throw celError('invalid_conversion');
  return BigInt(text.replace(/^\+/, ''));
}

function parseDouble(text: string): number {
  if (text.length > MAX_NUMBER_LENGTH) throw celError('invalid_conversion');
  if (DECIMAL.test(text)) return Number(text);
  const special = SPECIAL.exec(text);
  if (special === null) throw celError('invalid_conversion');
  if (special[2]?.toLowerCase() === 'nan') return NaN;
  return special[1] === '-' ? -Infinity : Infinity;
}

function formatDouble(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw celError('invalid_conversion');
  }
}
