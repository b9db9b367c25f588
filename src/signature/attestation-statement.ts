// What does an attestation say about itself? Reads type, predicate type and subjects of an in-toto statement in one
// pass that only skips the predicate: it can be megabytes, written by anyone, and is parsed once the signer is known.
// Specification: in-toto attestation spec v1, statement.md; v0.1 has the same members.
import {
  decodeJsonText,
  endOfString,
  MAX_JSON_NAMES,
  parseStrictJsonInSteps,
  parseStrictJsonText,
  StrictJsonError,
  type JsonLimits,
} from '../lib/strict-json.ts';
import { quote, toArray, toRecord, toText } from '../lib/text.ts';
import { SignatureError } from './error.ts';
import { MAX_SUBJECTS } from './statement.ts';

/** Most members and elements of one statement: parsing them takes some 50 ms (docs: limits). */
export const MAX_STATEMENT_VALUES = 500_000;
/** cosign still writes v0.1. */
const STATEMENT_LIMITS: JsonLimits = { maxValues: MAX_STATEMENT_VALUES, maxNames: MAX_JSON_NAMES };
const STATEMENT_TYPES = new Set(['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']);
/** Members beside the predicate: five are defined. */
const MAX_MEMBERS = 32;
/** Subjects with their names, in characters: room for 1,024 long ones. */
const MAX_SUBJECTS_CHARS = 1024 * 1024;
const MAX_TYPE_CHARS = 2048;

/** The outermost members of a statement that nobody has verified: where their values stand in `text`. */
export interface StatementHead {
  readonly predicateType: string;
  readonly members: ReadonlyMap<string, Span>;
  /** JSON text of the statement. */
  readonly text: string;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

const refuse = (message: string): SignatureError =>
  new SignatureError('SignatureInvalid', `the signed statement is invalid: ${message}`);

/** Reads the head of a payload; `predicateType` is `""` where there is none. @throws SignatureError `SignatureInvalid` */
export function readStatementHead(payload: Uint8Array, maxBytes: number): StatementHead {
  const text = readStrictly(() => decodeJsonText(payload, maxBytes));
  const members = readMembers(text);
  return { predicateType: readTypeText(members, text, 'predicateType'), members, text };
}

/**
 * The digests of each subject of an attestation, by algorithm. Everything else about subjects is left to rules.
 * @throws SignatureError `SignatureInvalid`, also for statements of another type
 */
export function readSubjectDigests({
  members,
  text,
  predicateType,
}: StatementHead): readonly Readonly<Record<string, unknown>>[] {
  const type = readTypeText(members, text, '_type');
  if (!STATEMENT_TYPES.has(type)) throw refuse(`its type is ${quote(type, 80)}`);
  if (predicateType === '') throw refuse('it has no predicate type');
  const span = members.get('subject');
  if (span === undefined) return [];
  if (span.end - span.start > MAX_SUBJECTS_CHARS)
    throw refuse(`its subjects are longer than ${MAX_SUBJECTS_CHARS} characters`);
  const subjects = toArray(readMember(text, span));
  if (subjects.length > MAX_SUBJECTS) throw refuse(`it has more than ${MAX_SUBJECTS} subjects`);
  return subjects.map((subject) => toRecord(toRecord(subject)['digest']));
}

/**
 * Checks all of a statement, a few milliseconds a step: the strict rules for JSON, predicate included.
 * @throws SignatureError `SignatureInvalid`
 */
export function* checkStatement({ text }: StatementHead): Generator<void, void, void> {
  try {
    yield* parseStrictJsonInSteps(text, STATEMENT_LIMITS);
  } catch (error) {
    if (error instanceof StrictJsonError) throw refuse(error.message);
    throw error;
  }
}

function readStrictly<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof StrictJsonError) throw refuse(error.message);
    throw error;
  }
}

function readMember(text: string, { start, end }: Span): unknown {
  return readStrictly(() => parseStrictJsonText(text.slice(start, end)));
}

function readTypeText(members: ReadonlyMap<string, Span>, text: string, name: string): string {
  const span = members.get(name);
  if (span === undefined) return '';
  if (span.end - span.start > MAX_TYPE_CHARS)
    throw refuse(`its ${name} is longer than ${MAX_TYPE_CHARS} characters`);
  return toText(readMember(text, span)) ?? '';
}

// The members of the outermost object with where their values stand. Twice the same name is refused at once: nobody
// may read another predicate type or subject than the one that is verified.
function readMembers(text: string): ReadonlyMap<string, Span> {
  const members = new Map<string, Span>();
  let index = skipSpace(text, 0);
  if (text[index] !== '{') throw refuse('it is no JSON object');
  index = skipSpace(text, index + 1);
  while (text[index] !== '}') {
    if (text[index] !== '"') throw refuse('JSON syntax error');
    const nameEnd = endOfString(text, index);
    const name = toText(readMember(text, { start: index, end: nameEnd })) ?? '';
    const colon = skipSpace(text, nameEnd);
    if (text[colon] !== ':') throw refuse('JSON syntax error');
    const start = skipSpace(text, colon + 1);
    const end = skipValue(text, start);
    if (members.has(name)) throw refuse(`JSON has the member ${quote(name, 64)} twice`);
    if (members.set(name, { start, end }).size > MAX_MEMBERS)
      throw refuse(`it has more than ${MAX_MEMBERS} members`);
    index = skipSpace(text, end);
    if (text[index] === ',') index = skipSpace(text, index + 1);
    else if (text[index] !== '}') throw refuse('JSON syntax error');
  }
  return members;
}

function skipSpace(text: string, from: number): number {
  let index = from;
  while (' \t\r\n'.includes(text[index] ?? 'x')) index += 1;
  return index;
}

const QUOTE = 0x22;
const NO_TOKEN = 2;
/** What brackets and quotes do to the depth, by character code; what is not here is no token. */
const WEIGHTS = new Int8Array(0x80).fill(NO_TOKEN);
for (const [token, weight] of Object.entries({ '"': 0, '[': 1, '{': 1, ']': -1, '}': -1 }))
  WEIGHTS[token.charCodeAt(0)] = weight;
/** A value has at most two of them, and a name. */
const MAX_TOKENS = 3 * MAX_STATEMENT_VALUES;

// Where the value ends: brackets are counted, and what is between them is checked by checkStatement.
function skipValue(text: string, start: number): number {
  if (text[start] === '"') return endOfString(text, start);
  if (text[start] !== '{' && text[start] !== '[') return skipScalar(text, start);
  let depth = 0;
  let tokens = 0;
  for (let index = start; index < text.length;) {
    const char = text.charCodeAt(index);
    index = char === QUOTE ? endOfString(text, index) : index + 1;
    const weight = WEIGHTS[char] ?? NO_TOKEN;
    if (weight === NO_TOKEN) continue;
    depth += weight;
    tokens += 1;
    if (depth === 0) return index;
    if (tokens > MAX_TOKENS) throw refuse(`it has more than ${MAX_STATEMENT_VALUES} values`);
  }
  throw refuse('JSON syntax error');
}

function skipScalar(text: string, start: number): number {
  let index = start;
  while (index < text.length && !',}'.includes(text[index] ?? '')) index += 1;
  return index;
}
