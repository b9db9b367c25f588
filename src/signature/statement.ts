// What does the signed payload say? In-toto statements of the two predicates that count as signatures of a model.
// Only called on payloads; whether anyone signed them is decided elsewhere.
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { isRecord, quote, toArray, toRecord, toText } from '../lib/text.ts';
import { MAX_BUNDLE_BYTES } from '../evidence/evidence.ts';
import { SignatureError } from './error.ts';

export { COSIGN_SIGN_PREDICATE, MODEL_SIGNING_PREDICATE } from '../model/predicate-type.ts';

const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** Most subjects of one statement (docs: limits). */
export const MAX_SUBJECTS = 1024;

/** A subject with its digests by algorithm, hex. */
export interface Subject {
  readonly digest: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** An in-toto statement; `predicate` is left as it was parsed. */
export interface Statement {
  readonly type: string;
  readonly predicateType: string;
  readonly subjects: readonly Subject[];
  readonly predicate: unknown;
}

const refuse = (message: string): SignatureError =>
  new SignatureError('SignatureInvalid', `the signed statement is invalid: ${message}`);

/** Parses a statement. @throws SignatureError `SignatureInvalid` */
export function parseStatement(payload: Uint8Array): Statement {
  const body = readJson(payload);
  const subjects = toArray(body['subject']);
  if (subjects.length > MAX_SUBJECTS) throw refuse(`it has more than ${MAX_SUBJECTS} subjects`);
  return {
    type: toText(body['_type']) ?? '',
    predicateType: toText(body['predicateType']) ?? '',
    subjects: subjects.map(toSubject),
    predicate: body['predicate'],
  };
}

/** The one subject of a signature statement. @throws SignatureError when there are several or none, or another type */
export function requireSignatureSubject(statement: Statement): Subject {
  if (statement.type !== STATEMENT_TYPE) throw refuse(`its type is ${quote(statement.type, 80)}`);
  const [subject, ...others] = statement.subjects;
  if (subject === undefined || others.length > 0)
    throw refuse(`it has ${statement.subjects.length} subjects where a signature has one`);
  return subject;
}

function readJson(payload: Uint8Array): Record<string, unknown> {
  try {
    const body = parseStrictJson(payload, MAX_BUNDLE_BYTES);
    if (isRecord(body)) return body;
  } catch (error) {
    if (error instanceof StrictJsonError) throw refuse(error.message);
    throw error;
  }
  throw refuse('it is no JSON object');
}

function toSubject(value: unknown): Subject {
  const { digest, annotations } = toRecord(value);
  return { digest: toTextMap(digest, 'digest'), annotations: toTextMap(annotations, 'annotations') };
}

function toTextMap(value: unknown, where: string): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value) || !Object.values(value).every((text) => typeof text === 'string'))
    throw refuse(`a subject's ${where} is no map of strings`);
  return value as Record<string, string>;
}
