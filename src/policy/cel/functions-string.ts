// What do string functions do where the library differs from Kubernetes? Code points, ASCII case, RE2, sizes.
// Each charges before it produces something larger than its operands.
import { celError } from './errors.ts';
import type { CelFunction } from './cel-function.ts';
import {
  CHARACTERS_PER_UNIT,
  FAST_MATCH,
  FAST_MATCH_COST,
  FIND_STEP_COST,
  LONG_STEP,
  MATCH_COST,
  SLOW_STEP_COST,
} from './limits.ts';
import { beginLongStep, charge } from './meter.ts';
import { compileRegularExpression, type RegularExpression } from './regular-expression.ts';

// Positions in texts with surrogates need the text as a list of code points.
const WIDE_COST = 0.3;
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
  { signature: 'string.__charAt(int): string', costPerCharacter: WIDE_COST, run: charAt },
  {
    signature: 'string.__substring(int): string',
    costPerCharacter: WIDE_COST,
    run: (s: string, from: bigint) => substring(s, from),
  },
  { signature: 'string.__substring(int, int): string', costPerCharacter: WIDE_COST, run: substring },
  {
    signature: 'string.__indexOf(string): int',
    costPerCharacter: WIDE_COST,
    run: (s: string, t: string) => indexOf(s, t, 0n),
  },
  { signature: 'string.__indexOf(string, int): int', costPerCharacter: WIDE_COST, run: indexOf },
  {
    signature: 'string.__lastIndexOf(string): int',
    costPerCharacter: WIDE_COST,
    run: (s: string, t: string) => lastIndexOf(s, t),
  },
  { signature: 'string.__lastIndexOf(string, int): int', costPerCharacter: WIDE_COST, run: lastIndexOf },
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

function compile(pattern: string): Compiled {
  const regex = compileRegularExpression(pattern);
  if (!regex.ok) throw celError('invalid_regular_expression');
  return regex;
}

// RE2 builds a deterministic automaton while it matches, and gives it up when it has too many states: only a long text
// and a program of some size lead there.
function matches(text: string, pattern: string): boolean {
  const regex = compile(pattern);
  const { characters, instructions } = FAST_MATCH;
  const isFast = text.length <= characters || regex.programSize <= instructions;
  charge(MATCH_COST + text.length * (isFast ? FAST_MATCH_COST : SLOW_STEP_COST * regex.programSize));
  if (text.length * regex.programSize <= LONG_STEP) return regex.find(text);
  // The first states of an automaton take longer than what they cost.
  beginLongStep();
  const isFound = regex.find(text);
  charge(0);
  return isFound;
}

// To say where a match is, RE2 follows every instruction; each further match may scan the rest of the text again.
function findAll(text: string, pattern: string, limit: number): string[] {
  const regex = compile(pattern);
  const costFrom = (start: number): number =>
    MATCH_COST + FIND_STEP_COST * (text.length - start) * regex.programSize;
  charge(costFrom(0));
  return regex.findAll(text, limit, (end) => charge(costFrom(end)));
}

function trim(text: string): string {
  let start = 0;
  let end = text.length;
  // There is no character before the first or behind the last.
  while (SPACE.test(text.charAt(start))) start += 1;
  while (SPACE.test(text.charAt(end - 1))) end -= 1;
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
  charge(Math.ceil((text.length + times * to.length) / CHARACTERS_PER_UNIT));
  const rest = pieces.slice(times).join(from);
  return times === 0 ? text : `${pieces.slice(0, times).join(to)}${to}${rest}`;
}
