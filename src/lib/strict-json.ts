// Is this JSON safe to read? One linear pass refuses duplicate members, deep nesting, endless numbers and more values than
// can be read without keeping others waiting, before JSON.parse allocates anything. Two readers of one document must never disagree about what it says (RFC 8259 §4).
import { quote } from './text.ts';

/** Deepest nesting of objects and arrays (docs: limits). */
export const MAX_JSON_DEPTH = 64;
/** Longest run of digits in a number (docs: limits). */
export const MAX_NUMBER_DIGITS = 20;
/** Most values of one document, those in its objects and lists included (docs: limits). */
export const MAX_JSON_VALUES = 100_000;
/** Most different member names of one document: each costs as much as several values (docs: limits). */
export const MAX_JSON_NAMES = 20_000;

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
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses untrusted JSON bytes.
 * @param maxBytes cap in bytes, checked before anything else
 * @throws StrictJsonError for size, UTF-8, depth, duplicate members, numbers and syntax
 */
export function parseStrictJson(bytes: Uint8Array, maxBytes: number): unknown {
  if (bytes.length > maxBytes) throw new StrictJsonError(`JSON of ${bytes.length} bytes exceeds ${maxBytes}`);
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    throw new StrictJsonError('JSON is not valid UTF-8');
  }
  return parseStrictJsonText(text);
}

/** As {@link parseStrictJson}, for text that is already decoded and capped. */
export function parseStrictJsonText(text: string): unknown {
  checkStructure(text);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new StrictJsonError('JSON syntax error');
  }
}

interface Scan {
  readonly text: string;
  /** Members seen per open object; arrays push undefined. */
  readonly open: (Set<string> | undefined)[];
  readonly names: Set<string>;
  values: number;
  /** Where the next backslash is, or the end: looked for again once it is passed. */
  backslash: number;
}

// A string is a member name when a colon follows it.
function checkStructure(text: string): void {
  const scan: Scan = { text, open: [], names: new Set(), values: 0, backslash: -1 };
  let index = 0;
  while (index < text.length) {
    const char = text.charCodeAt(index);
    if (char === QUOTE) index = readString(scan, index);
    else if (isDigit(char)) index = readDigits(text, index);
    else {
      readPunctuation(scan, char, index);
      index += 1;
    }
  }
}

function readPunctuation(scan: Scan, char: number, index: number): void {
  if (char === COMMA) countValue(scan, index);
  else if (char === 0x7b || char === 0x5b) pushLevel(scan, char === 0x7b, index);
  else if (char === 0x7d || char === 0x5d) scan.open.pop();
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
  if (scan.values > MAX_JSON_VALUES)
    throw new StrictJsonError(`JSON of more than ${MAX_JSON_VALUES} values`, index);
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
  const found = text.indexOf('"', start + 1);
  const plainEnd = found === -1 ? text.length : found;
  if (scan.backslash <= start) scan.backslash = findBackslash(text, start + 1);
  const escaped = scan.backslash < plainEnd;
  const end = (escaped ? findEscapedEnd(text, start + 1) : plainEnd) + 1;
  if (members !== undefined && isMemberName(text, end))
    addMember(scan, members, decodeName(text.slice(start, end), escaped));
  return end;
}

function findBackslash(text: string, from: number): number {
  const found = text.indexOf('\\', from);
  return found === -1 ? text.length : found;
}

function findEscapedEnd(text: string, from: number): number {
  let end = from;
  while (end < text.length && text.charCodeAt(end) !== QUOTE)
    end += text.charCodeAt(end) === BACKSLASH ? 2 : 1;
  return end;
}

function isMemberName(text: string, end: number): boolean {
  let next = end;
  while (' \t\r\n'.includes(text[next] ?? 'x')) next += 1;
  return text[next] === ':';
}

function addMember({ names }: Scan, members: Set<string>, name: string): void {
  if (members.has(name)) throw new StrictJsonError(`JSON has the member ${quote(name, 64)} twice`);
  members.add(name);
  names.add(name);
  if (names.size > MAX_JSON_NAMES)
    throw new StrictJsonError(`JSON of more than ${MAX_JSON_NAMES} different member names`);
}

function decodeName(literal: string, escaped: boolean): string {
  return escaped ? decodeLiteral(literal) : literal.slice(1, -1);
}

function decodeLiteral(literal: string): string {
  try {
    return JSON.parse(literal) as string;
  } catch {
    throw new StrictJsonError('JSON syntax error in a member name');
  }
}
