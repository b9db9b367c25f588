// Is this JSON safe to read? One linear pass refuses duplicate members, deep nesting and endless numbers before
// JSON.parse allocates anything. Two readers of one document must never disagree about what it says (RFC 8259 §4).
import { quote } from './text.ts';

/** Deepest nesting of objects and arrays (docs: limits). */
export const MAX_JSON_DEPTH = 64;
/** Longest run of digits in a number (docs: limits). */
export const MAX_NUMBER_DIGITS = 20;

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
const OPEN_ARRAY = 0x5b;
/** Tokens that are looked at in one step: up to a microsecond each. */
const TOKENS_PER_STEP = 10_000;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses untrusted JSON bytes.
 * @param maxBytes cap in bytes, checked before anything else
 * @throws StrictJsonError for size, UTF-8, depth, duplicate members, numbers and syntax
 */
export function parseStrictJson(bytes: Uint8Array, maxBytes: number): unknown {
  return parseStrictJsonText(decodeJsonText(bytes, maxBytes));
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
export function parseStrictJsonText(text: string): unknown {
  const steps = parseStrictJsonInSteps(text, Infinity);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * As {@link parseStrictJsonText}, a few milliseconds a step, the last of which is the parser's own.
 * @param maxValues most members and elements of all objects and arrays together, which bound that last step
 */
export function* parseStrictJsonInSteps(text: string, maxValues: number): Generator<void, unknown, void> {
  yield* checkStructure(text, maxValues);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new StrictJsonError('JSON syntax error');
  }
}

// Members seen per open object; arrays push undefined. A string is a member name when a colon follows it.
function* checkStructure(text: string, maxValues: number): Generator<void, void, void> {
  const open: (Set<string> | undefined)[] = [];
  let index = 0;
  let values = 0;
  for (let tokens = 1; index < text.length; tokens += 1) {
    const char = text.charCodeAt(index);
    if (char === QUOTE) index = readString(text, index, open.at(-1));
    else if (isDigit(char)) index = readDigits(text, index);
    else {
      values += readMark(char, index, open);
      index += 1;
    }
    if (values > maxValues) throw new StrictJsonError(`JSON of more than ${maxValues} values`);
    if (tokens % TOKENS_PER_STEP === 0) yield;
  }
}

// One more value behind every comma and opening bracket.
function readMark(char: number, index: number, open: (Set<string> | undefined)[]): 0 | 1 {
  if (char === COMMA) return 1;
  if (char === 0x7d || char === 0x5d) open.pop();
  if (char !== OPEN_OBJECT && char !== OPEN_ARRAY) return 0;
  pushLevel(open, char === OPEN_OBJECT, index);
  return 1;
}

function pushLevel(open: (Set<string> | undefined)[], isObject: boolean, index: number): void {
  if (open.length >= MAX_JSON_DEPTH)
    throw new StrictJsonError(`JSON nested deeper than ${MAX_JSON_DEPTH}`, index);
  open.push(isObject ? new Set() : undefined);
}

function isDigit(char: number): boolean {
  return char >= 0x30 && char <= 0x39;
}

function readDigits(text: string, start: number): number {
  let end = start;
  while (isDigit(text.charCodeAt(end))) end += 1;
  if (end - start > MAX_NUMBER_DIGITS)
    throw new StrictJsonError(`JSON number of more than ${MAX_NUMBER_DIGITS} digits`, start);
  return end;
}

function readString(text: string, start: number, members: Set<string> | undefined): number {
  const end = endOfString(text, start);
  if (members !== undefined && isMemberName(text, end)) addMember(members, text.slice(start, end));
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

function addMember(members: Set<string>, literal: string): void {
  const name = literal.includes('\\') ? decodeLiteral(literal) : literal.slice(1, -1);
  if (members.has(name)) throw new StrictJsonError(`JSON has the member ${quote(name, 64)} twice`);
  members.add(name);
}

function decodeLiteral(literal: string): string {
  try {
    return JSON.parse(literal) as string;
  } catch {
    throw new StrictJsonError('JSON syntax error in a member name');
  }
}
