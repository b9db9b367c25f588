// Is this JSON safe to read? One linear pass refuses duplicate members, deep nesting, endless numbers and more values
// than can be read without keeping others waiting, before JSON.parse allocates anything. Two readers of one document must never disagree about what it says (RFC 8259 §4).
import { quote } from './text.ts';

/** Deepest nesting of objects and arrays (docs: limits). */
export const MAX_JSON_DEPTH = 64;
/** Longest run of digits in a number (docs: limits). */
export const MAX_NUMBER_DIGITS = 20;

/** Most values of one document, those in its objects and lists included (docs: limits). */
export const MAX_JSON_VALUES = 100_000;
/** Most different member names of one document: each costs as much as several values (docs: limits). */
export const MAX_JSON_NAMES = 20_000;

/** How much one document may hold. */
export interface JsonLimits {
  readonly maxValues: number;
  readonly maxNames: number;
}

const DEFAULT_LIMITS: JsonLimits = { maxValues: MAX_JSON_VALUES, maxNames: MAX_JSON_NAMES };

/** The only error of this module; `offset` is in UTF-16 units of the decoded text. */
export class StrictJsonError extends Error {
  override readonly name = 'StrictJsonError';
  readonly offset: number | undefined;
  constructor(message: string, offset?: number) {
    super(offset === undefined ? message : `${message} at offset ${offset}`);
    this.offset = offset;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
/** Tokens that are looked at in one step: up to a microsecond each. */
const TOKENS_PER_STEP = 10_000;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses untrusted JSON bytes.
 * @param maxBytes cap in bytes, checked before anything else
 * @throws StrictJsonError for size, UTF-8, depth, duplicate members, numbers, values and syntax
 */
export function parseStrictJson(
  bytes: Uint8Array,
  maxBytes: number,
  limits: JsonLimits = DEFAULT_LIMITS,
): unknown {
  return parseStrictJsonText(decodeJsonText(bytes, maxBytes), limits);
}

/** The text of untrusted JSON bytes. @throws StrictJsonError for size and UTF-8 */
export function decodeJsonText(bytes: Uint8Array, maxBytes: number): string {
  if (bytes.length > maxBytes) throw new StrictJsonError(`JSON of ${bytes.length} bytes exceeds ${maxBytes}`);
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new StrictJsonError('JSON is not valid UTF-8');
  }
}

/** As {@link parseStrictJson}, for text that is already decoded and capped. */
export function parseStrictJsonText(text: string, limits: JsonLimits = DEFAULT_LIMITS): unknown {
  const steps = parseStrictJsonInSteps(text, limits);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * As {@link parseStrictJsonText}, a few milliseconds a step, the last of which is the parser's own.
 * @param limits what bounds that last step
 */
export function* parseStrictJsonInSteps(text: string, limits: JsonLimits): Generator<void, unknown, void> {
  yield* checkStructure(text, limits);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new StrictJsonError('JSON syntax error');
  }
}

interface Scan {
  readonly text: string;
  readonly limits: JsonLimits;
  /** Members seen per open object; arrays push undefined. */
  readonly open: (Set<string> | undefined)[];
  readonly names: Set<string>;
  values: number;
}

// A string is a member name when a colon follows it.
function* checkStructure(text: string, limits: JsonLimits): Generator<void, void, void> {
  const scan: Scan = { text, limits, open: [], names: new Set(), values: 0 };
  let index = 0;
  for (let tokens = 1; index < text.length; tokens += 1) {
    const char = text.charCodeAt(index);
    if (char === QUOTE) index = readString(scan, index);
    else if (isDigit(char)) index = readDigits(text, index);
    else {
      readPunctuation(scan, char, index);
      index += 1;
    }
    if (tokens % TOKENS_PER_STEP === 0) yield;
  }
}

function readPunctuation(scan: Scan, char: number, index: number): void {
  if (char === COMMA) countValue(scan, index);
  else if (char === OPEN_OBJECT || char === OPEN_ARRAY) pushLevel(scan, char === OPEN_OBJECT, index);
  else if (char === CLOSE_OBJECT || char === CLOSE_ARRAY) scan.open.pop();
}

function pushLevel(scan: Scan, isObject: boolean, index: number): void {
  if (scan.open.length >= MAX_JSON_DEPTH)
    throw new StrictJsonError(`JSON nested deeper than ${MAX_JSON_DEPTH}`, index);
  scan.open.push(isObject ? new Set() : undefined);
  countValue(scan, index);
}

// The first value inside an object or list has no comma of its own: its parent is counted in its place.
function countValue(scan: Scan, index: number): void {
  scan.values += 1;
  if (scan.values > scan.limits.maxValues)
    throw new StrictJsonError(`JSON of more than ${scan.limits.maxValues} values`, index);
}

function isDigit(char: number): boolean {
  return char >= 0x30 && char <= 0x39;
}

function readDigits(text: string, start: number): number {
  let end = start;
  // A digit too many is enough: nobody waits for the other millions.
  while (end - start <= MAX_NUMBER_DIGITS && isDigit(text.charCodeAt(end))) end += 1;
  if (end - start > MAX_NUMBER_DIGITS)
    throw new StrictJsonError(`JSON number of more than ${MAX_NUMBER_DIGITS} digits`, start);
  return end;
}

function readString(scan: Scan, start: number): number {
  const { text } = scan;
  const members = scan.open.at(-1);
  const end = endOfString(text, start);
  if (members !== undefined && isMemberName(text, end)) addMember(scan, members, text.slice(start, end));
  return end;
}

/** Where the string literal that begins at `start` ends: behind its closing quote, or behind the text. */
export function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, start, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end + 1;
}

// An odd number of backslashes before it.
function isEscaped(text: string, start: number, at: number): boolean {
  let first = at;
  while (first - 1 > start && text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (at - first) % 2 === 1;
}

function isMemberName(text: string, end: number): boolean {
  let next = end;
  while (' \t\r\n'.includes(text[next] ?? 'x')) next += 1;
  return text[next] === ':';
}

function addMember({ names, limits }: Scan, members: Set<string>, literal: string): void {
  const name = literal.includes('\\') ? decodeLiteral(literal) : literal.slice(1, -1);
  if (members.has(name)) throw new StrictJsonError(`JSON has the member ${quote(name, 64)} twice`);
  members.add(name);
  names.add(name);
  if (names.size > limits.maxNames)
    throw new StrictJsonError(`JSON of more than ${limits.maxNames} different member names`);
}

function decodeLiteral(literal: string): string {
  try {
    return JSON.parse(literal) as string;
  } catch {
    throw new StrictJsonError('JSON syntax error in a member name');
  }
}
