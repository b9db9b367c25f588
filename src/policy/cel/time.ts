// How are times and durations read, written and taken apart? As RFC 3339 and Go do, not as JavaScript's Date does.
// Resolution is the millisecond for timestamps (the library's), the nanosecond for durations.
import { Duration } from 'cel-js/evaluator';
import { celError } from './errors.ts';

const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const FIRST_MILLISECOND = Date.UTC(2000, 0, 1) - 63_082_281_600_000; // 0001-01-01T00:00:00Z
const LAST_MILLISECOND = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const NANOSECONDS = 1_000_000_000n;
// A duration is a 64-bit number of nanoseconds in cel-go: 292 years.
const MAX_DURATION = 2n ** 63n - 1n;
const MAX_TEXT_LENGTH = 64;
const UNITS: Readonly<Record<string, bigint>> = {
  h: 3600n * NANOSECONDS,
  m: 60n * NANOSECONDS,
  s: NANOSECONDS,
  ms: 1_000_000n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ns: 1n,
};
const DURATION_PART = /(?<whole>\d*)\.?(?<fraction>(?<=\.)\d*)?(?<unit>ns|us|µs|μs|ms|s|m|h)/g;

/** Reads an RFC 3339 timestamp, truncated to milliseconds; throws an evaluation error. */
export function parseTimestamp(text: string): Date {
  const parts = text.length <= MAX_TEXT_LENGTH ? TIMESTAMP.exec(text) : null;
  if (parts === null) throw celError('invalid_timestamp');
  const [, year, month, day] = parts.map(Number);
  // Date accepts 30 February and means 2 March.
  const date = new Date(Date.UTC(2000, (month ?? 0) - 1, day));
  const isLeap = new Date(Date.UTC(2000 + ((year ?? 0) % 400), 1, 29)).getUTCDate() === 29;
  const isRealDay = date.getUTCDate() === day && !(month === 2 && day === 29 && !isLeap);
  if (!isRealDay) throw celError('invalid_timestamp');
  return inRange(new Date(text));
}

/** The timestamp that many seconds after 1970; throws an evaluation error outside the years 1 to 9999. */
export function timestampOfSeconds(seconds: bigint): Date {
  return inRange(new Date(Number(seconds) * 1000));
}

/** Checks that a timestamp lies in the years 1 to 9999. */
export function inRange(date: Date): Date {
  const time = date.getTime();
  if (time >= FIRST_MILLISECOND && time <= LAST_MILLISECOND) return date;
  throw celError('invalid_timestamp');
}

/** Writes a timestamp as RFC 3339 in UTC, without a fraction when it is zero. */
export function formatTimestamp(date: Date): string {
  return date
    .toISOString()
    .replace('.000Z', 'Z')
    .replace(/(\.\d*[1-9])0+Z$/, '$1Z');
}

/** Reads a duration as Go does, such as `1h30m` or `-1.5s`; throws an evaluation error. */
export function parseDuration(text: string): Duration {
  if (text.length > MAX_TEXT_LENGTH) throw celError('invalid_duration');
  const rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === '0') return durationOfNanoseconds(0n);
  let total = 0n;
  let read = 0;
  for (const part of rest.matchAll(DURATION_PART)) {
    read += part[0].length;
    total += partOf(part.groups ?? {});
  }
  // What stands between parts is read by none.
  if (read === 0 || read !== rest.length) throw celError('invalid_duration');
  return durationOfNanoseconds(text.startsWith('-') ? -total : total);
}

function partOf({ whole = '', fraction = '', unit = '' }: Record<string, string>): bigint {
  if (whole === '' && fraction === '') throw celError('invalid_duration');
  const size = UNITS[unit] ?? 0n;
  return BigInt(whole) * size + (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
}

/** Makes a duration whose seconds and nanoseconds have one sign; throws beyond 292 years. */
export function durationOfNanoseconds(total: bigint): Duration {
  if (total > MAX_DURATION || total < -MAX_DURATION) throw celError('invalid_duration');
  return new Duration(total / NANOSECONDS, Number(total % NANOSECONDS));
}

/** A duration's length in nanoseconds. */
export function nanosecondsOf(duration: Duration): bigint {
  return duration.seconds * NANOSECONDS + BigInt(duration.nanos);
}

/** Writes a duration as seconds, such as `1.5s`. */
export function formatDuration(duration: Duration): string {
  const total = nanosecondsOf(duration);
  const size = total < 0n ? -total : total;
  const fraction = (size % NANOSECONDS).toString().padStart(9, '0').replace(/0+$/, '');
  return `${total < 0n ? '-' : ''}${size / NANOSECONDS}${fraction && `.${fraction}`}s`;
}
