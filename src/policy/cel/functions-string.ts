// What do string functions do where the library differs from Kubernetes? Code points, ASCII case, RE2, sizes.
// Each charges before it produces something larger than its operands.
import { celError } from './errors.ts';
import type { CelFunction } from './cel-function.ts';
import { ELEMENTS_PER_UNIT, REGEX_STEPS_PER_UNIT } from './limits.ts';
import { charge } from './meter.ts';
import { compileRegularExpression, type RegularExpression } from './regular-expression.ts';

const SURROGATE = /[\ud800-\udfff]/;
const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** String functions, including regular expressions. */
export const strings: readonly CelFunction[] = [
  { signature: 'string.__matches(string): bool', run: matches },
  { signature: '__matches(string, string): bool', run: matches },
  { signature: 'string.__find(string): string', run: (s: string, p: string) => findAll(s, p, 1)[0] ?? '' },
  {
    signature: 'string.__findAll(string): list<string>',
    run: (s: string, p: string) => findAll(s, p, s.length + 1),
  },
  {
    signature: 'string.__findAll(string, int): list<string>',
    run: (s: string, p: string, n: bigint) => findAll(s, p, n < 0n ? s.length + 1 : Number(n)),
  },
  {
    signature: 'string.__lowerAscii(): string',
    run: (s: string) => s.replace(/[A-Z]+/g, (x) => x.toLowerCase()),
  },
  {
    signature: 'string.__upperAscii(): string',
    run: (s: string) => s.replace(/[a-z]+/g, (x) => x.toUpperCase()),
  },
  { signature: 'string.__trim(): string', run: trim },
  { signature: 'string.__charAt(int): string', run: charAt },
  { signature: 'string.__substring(int): string', run: (s: string, from: bigint) => substring(s, from) },
  { signature: 'string.__substring(int, int): string', run: substring },
  { signature: 'string.__indexOf(string): int', run: (s: string, t: string) => indexOf(s, t, 0n) },
  { signature: 'string.__indexOf(string, int): int', run: indexOf },
  { signature: 'string.__lastIndexOf(string): int', run: (s: string, t: string) => lastIndexOf(s, t) },
  { signature: 'string.__lastIndexOf(string, int): int', run: lastIndexOf },
  {
    signature: 'string.__replace(string, string): string',
    run: (s: string, from: string, to: string) => replace(s, { from, to }, -1n),
  },
  {
    signature: 'string.__replace(string, string, int): string',
    run: (s: string, from: string, to: string, n: bigint) => replace(s, { from, to }, n),
  },
];

type Compiled = Extract<RegularExpression, { ok: true }>;

// Charged by text and program, because that is what RE2's worst case is proportional to.
function prepare(text: string, pattern: string): Compiled {
  const regex = compileRegularExpression(pattern);
  if (!regex.ok) throw celError('invalid_regular_expression');
  charge(stepCost(text.length, regex));
  return regex;
}

function stepCost(length: number, { programSize }: Compiled): number {
  return 1 + Math.ceil((length * programSize) / REGEX_STEPS_PER_UNIT);
}

function matches(text: string, pattern: string): boolean {
  return prepare(text, pattern).find(text);
}

function findAll(text: string, pattern: string, limit: number): string[] {
  const regex = prepare(text, pattern);
  // Each further match may scan the rest of the text again.
  return regex.findAll(text, limit, (end) => charge(stepCost(text.length - end, regex)));
}

function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.test(text.charAt(start))) start += 1;
  while (end > start && SPACE.test(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

// Positions count code points as in cel-go; without surrogates those are JavaScript's positions.
function lengthOf(text: string): number {
  return SURROGATE.test(text) ? Array.from(text).length : text.length;
}

function slice(text: string, start: number, end: number): string {
  return SURROGATE.test(text) ? Array.from(text).slice(start, end).join('') : text.slice(start, end);
}

function position(index: bigint, most: number): number {
  if (index < 0n || index > BigInt(most)) throw celError('index_out_of_range');
  return Number(index);
}

function charAt(text: string, index: bigint): string {
  const at = position(index, lengthOf(text));
  return slice(text, at, at + 1);
}

function substring(text: string, from: bigint, to?: bigint): string {
  const length = lengthOf(text);
  const end = to === undefined ? length : position(to, length);
  return slice(text, position(from, end), end);
}

function indexOf(text: string, part: string, from: bigint): bigint {
  const start = position(from, lengthOf(text));
  const at = slice(text, start, text.length).indexOf(part);
  if (at < 0) return -1n;
  return BigInt(start + lengthOf(slice(text, start, text.length).slice(0, at)));
}

function lastIndexOf(text: string, part: string, from?: bigint): bigint {
  const last = from === undefined ? text.length : position(from, lengthOf(text));
  const at = text.lastIndexOf(part, slice(text, 0, last).length);
  return at < 0 ? -1n : BigInt(lengthOf(text.slice(0, at)));
}

function replace(text: string, { from, to }: { from: string; to: string }, limit: bigint): string {
  const pieces = from === '' ? ['', ...Array.from(text), ''] : text.split(from);
  const times = Math.min(pieces.length - 1, limit < 0n ? Infinity : Number(limit));
  charge(Math.ceil((text.length + times * to.length) / ELEMENTS_PER_UNIT));
  const rest = pieces.slice(times).join(from);
  return times === 0 ? text : `${pieces.slice(0, times).join(to)}${to}${rest}`;
}
