// Where can a check be taken out of this source? Finds the guards of a file (conditions, their operands, throws, calls that
// only check) and writes one source that holds every mutant, switched on by number. A scanner over masked text, no parser.
import { stripTypeScriptTypes } from 'node:module';

/** What is done to a guard. */
export type Change = 'never' | 'negated' | 'dropped' | 'removed';

/** One way to break a file. */
export interface Mutant {
  /** From 1; 0 is the file as it is. */
  readonly id: number;
  readonly line: number;
  readonly change: Change;
  /** The guard as written, white space folded. */
  readonly text: string;
}

/** A source that asks `globalThis.__isMutant` by number, wherever it comes by, whether this is broken. */
export interface MutableSource {
  readonly source: string;
  readonly mutants: readonly Mutant[];
}

interface Range {
  readonly start: number;
  readonly end: number;
}

interface Site extends Range {
  readonly change: Change;
  readonly wrap: (id: number) => readonly [string, string];
}

const [OPEN, CLOSE] = ['([{', ')]}'];
const CHECKING_CALL = /(?<=[;{}]\s*)(?:require|check|verify|refuse|addName|attempt)\w*\(/g;
const CUT = /^(?:&&|\|\||\?\?)/;

/** Every mutant of a TypeScript source. */
export function toMutableSource(typescript: string): MutableSource {
  const code = stripTypeScriptTypes(typescript);
  const masked = mask(code);
  const sites = [
    ...findConditions(masked),
    ...findOperands(masked),
    ...findChoices(masked),
    ...findStatements(masked, /(?<=[;{}:]\s*)throw\b/g),
    ...findStatements(masked, CHECKING_CALL),
  ].toSorted((a, b) => a.start - b.start || b.end - a.end);
  const mutants = sites.map(({ start, end, change }, index) => ({
    id: index + 1,
    line: code.slice(0, start).split('\n').length,
    change,
    text: code.slice(start, end).replaceAll(/\s+/g, ' ').trim(),
  }));
  return { source: weave(code, sites), mutants };
}

// Wider ranges open first and close last, so that mutants nest.
function weave(code: string, sites: readonly Site[]): string {
  const before = new Map<number, string>();
  const after = new Map<number, string>();
  for (const [index, { start, end, wrap }] of sites.entries()) {
    const [prefix, suffix] = wrap(index + 1);
    before.set(start, (before.get(start) ?? '') + prefix);
    after.set(end, suffix + (after.get(end) ?? ''));
  }
  const places = [...new Set([...before.keys(), ...after.keys()])].toSorted((a, b) => a - b);
  let [woven, done] = ['', 0];
  for (const place of places) {
    woven += code.slice(done, place) + (after.get(place) ?? '') + (before.get(place) ?? '');
    done = place;
  }
  return woven + code.slice(done);
}

const off = (id: number): readonly [string, string] => [`(!globalThis.__isMutant(${id}) && (`, '))'];
const on = (id: number): readonly [string, string] => [`(globalThis.__isMutant(${id}) || (`, '))'];
const flipped = (id: number): readonly [string, string] => [`(globalThis.__isMutant(${id}) !== !!(`, '))'];
const skipped = (id: number): readonly [string, string] => [`if (!globalThis.__isMutant(${id})) { `, ' }'];

function findConditions(masked: string): readonly Site[] {
  return [...masked.matchAll(/\bif\s*\(/g)].flatMap(({ index, 0: head }) => {
    const start = index + head.length;
    const range = { start, end: findEnd(masked, start) };
    return [
      { ...range, change: 'never' as const, wrap: off },
      { ...range, change: 'negated' as const, wrap: flipped },
    ];
  });
}

// An operand of `&&` is dropped by making it true, one of `||` by making it false.
function findOperands(masked: string): readonly Site[] {
  const found = new Map<string, Site>();
  for (const { index, 0: operator } of masked.matchAll(/(?:&&|\|\|)(?!=)/g)) {
    const wrap = operator === '&&' ? on : off;
    for (const range of [
      { start: findStart(masked, index), end: index },
      { start: index + 2, end: findEnd(masked, index + 2) },
    ]) {
      const { start, end } = trim(masked, range);
      const key = `${start} ${end}`;
      if (!found.has(key)) found.set(key, { start, end, change: 'dropped', wrap });
    }
  }
  return [...found.values()];
}

// The condition of `a ? b : c`, with all its operands.
function findChoices(masked: string): readonly Site[] {
  return [...masked.matchAll(/\?/g)]
    .filter(({ index }) => isTernary(masked, index))
    .map(({ index }) => {
      const range = { start: findStart(masked, index, { isWhole: true }), end: index };
      return { ...trim(masked, range), change: 'negated' as const, wrap: flipped };
    });
}

function trim(text: string, { start, end }: Range): Range {
  const part = text.slice(start, end);
  return {
    start: start + part.length - part.trimStart().length,
    end: end - part.length + part.trimEnd().length,
  };
}

// A statement right after a condition is covered by the condition.
function findStatements(masked: string, pattern: RegExp): readonly Site[] {
  return [...masked.matchAll(pattern)].map(({ index }) => ({
    start: index,
    end: findSemicolon(masked, index) + 1,
    change: 'removed' as const,
    wrap: skipped,
  }));
}

function findSemicolon(masked: string, from: number): number {
  let depth = 0;
  for (let at = from; at < masked.length; at += 1) {
    const char = masked.charAt(at);
    if (OPEN.includes(char)) depth += 1;
    else if (CLOSE.includes(char)) depth -= 1;
    else if (char === ';' && depth === 0) return at;
  }
  return masked.length - 1;
}

// Forward to what ends an operand: a closing bracket, a separator or the next operator of the same level.
function findEnd(masked: string, from: number): number {
  let depth = 0;
  for (let at = from; at < masked.length; at += 1) {
    const char = masked.charAt(at);
    if (OPEN.includes(char)) depth += 1;
    else if (CLOSE.includes(char)) depth -= 1;
    if (depth < 0) return at;
    if (depth === 0 && isCut(masked, at, from)) return at;
  }
  return masked.length;
}

// A condition in parentheses goes to its closing one; anything else ends at the next operator.
function isCut(masked: string, at: number, from: number): boolean {
  const isCondition = /\bif\s*\($/.test(masked.slice(Math.max(0, from - 20), from));
  if (isCondition) return false;
  return ';,:'.includes(masked.charAt(at)) || CUT.test(masked.slice(at, at + 2)) || isTernary(masked, at);
}

function isTernary(masked: string, at: number): boolean {
  return masked.charAt(at) === '?' && !'?.'.includes(masked.charAt(at + 1)) && masked.charAt(at - 1) !== '?';
}

function findStart(masked: string, from: number, { isWhole = false } = {}): number {
  let depth = 0;
  for (let at = from - 1; at >= 0; at -= 1) {
    const char = masked.charAt(at);
    if (CLOSE.includes(char)) depth += 1;
    else if (OPEN.includes(char)) depth -= 1;
    if (depth < 0) return at + 1;
    if (depth === 0 && isStart(masked, at, isWhole)) return at + 1;
  }
  return 0;
}

function isStart(masked: string, at: number, isWhole: boolean): boolean {
  if (';,:'.includes(masked.charAt(at)) || isTernary(masked, at)) return true;
  if (!isWhole && CUT.test(masked.slice(at - 1, at + 1))) return true;
  if (/(?:=>|[^=!<>]=)$/.test(masked.slice(at - 1, at + 1)) && masked.charAt(at + 1) !== '=') return true;
  return (
    /\b(?:return|throw|await|case)$/.test(masked.slice(Math.max(0, at - 6), at + 1)) &&
    !/\w/.test(masked.charAt(at + 1))
  );
}

// Text, comments and patterns blanked out, so that brackets and operators are those of the program.
const LITERAL =
  /\/\/[^\n]*|\/\*[^]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|(?<=[(,=:[!&|?{};>]\s*|return\s+)\/(?![/*])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g;

function mask(code: string): string {
  return code.replaceAll(LITERAL, (literal) => literal.replaceAll(/[^\n]/g, '_'));
}
