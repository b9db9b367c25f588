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

// Members seen per open object; arrays push undefined. A string is a member name when a colon follows it.
function checkStructure(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  let index = 0;
  while (index < text.length) {
    const char = text.charCodeAt(index);
    if (char === QUOTE) index = readString(text, index, open.at(-1));
    else if (isDigit(char)) index = readDigits(text, index);
    else {
      if (char === 0x7b || char === 0x5b) pushLevel(open, char === 0x7b, index);
      else if (char === 0x7d || char === 0x5d) open.pop();
      index += 1;
    }
  }
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
  let end = start + 1;
  let escaped = false;
  while (end < text.length && text.charCodeAt(end) !== QUOTE) {
    if (text.charCodeAt(end) === BACKSLASH) {
      escaped = true;
      end += 1;
    }
    end += 1;
  }
  end += 1;
  if (members !== undefined && isMemberName(text, end)) addMember(members, text.slice(start, end), escaped);
  return end;
}

function isMemberName(text: string, end: number): boolean {
  let next = end;
  while (' \t\r\n'.includes(text[next] ?? 'x')) next += 1;
  return text[next] === ':';
}

function addMember(members: Set<string>, literal: string, escaped: boolean): void {
  const name = escaped ? decodeLiteral(literal) : literal.slice(1, -1);
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
