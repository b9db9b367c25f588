// What does the log entry of a cosign v2 signature say? Reads the Rekor v1 response that cosign keeps in an annotation:
// the entry with its signed entry timestamp, and no inclusion proof. Whether the log signed it is verified elsewhere.
// Specification: cosign pkg/cosign/bundle/rekor.go; rekor pkg/types/hashedrekord.
import { MAX_ANNOTATION_CHARS } from '../evidence/evidence.ts';
import { decodeBase64 } from '../lib/base64.ts';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { isRecord, quote, toText } from '../lib/text.ts';
import type { LogEntry } from './bundle.ts';
import { SignatureError } from './error.ts';
import type { SignedEvidence } from './signed-evidence.ts';

const refuse = (message: string): SignatureError =>
  new SignatureError('TransparencyLogInvalid', `the log entry annotation ${message}`);

/** Reads `{SignedEntryTimestamp, Payload: {body, integratedTime, logIndex, logID}}`. @throws SignatureError */
export function readLogBundle(annotation: string): LogEntry {
  const { SignedEntryTimestamp: promise, Payload: payload } = readJson(Buffer.from(annotation, 'utf8'));
  if (!isRecord(payload)) throw refuse('has no payload');
  const body = bytes(payload['body'], 'body');
  const { kind, apiVersion } = readJson(body);
  return {
    kind: toText(kind) ?? '',
    version: toText(apiVersion) ?? '',
    logIndex: integer(payload['logIndex'], 'logIndex'),
    logId: logId(payload['logID']),
    integratedTime: integer(payload['integratedTime'], 'integratedTime'),
    signedEntryTimestamp: bytes(promise, 'SignedEntryTimestamp'),
    proof: undefined,
    body,
  };
}

function readJson(json: Buffer): Record<string, unknown> {
  try {
    const value = parseStrictJson(json, MAX_ANNOTATION_CHARS * 4);
    if (isRecord(value)) return value;
  } catch (error) {
    if (error instanceof StrictJsonError) throw refuse(`is invalid: ${error.message}`);
    throw error;
  }
  throw refuse('is no JSON object');
}

function bytes(value: unknown, where: string): Buffer {
  const decoded = typeof value === 'string' ? decodeBase64(value) : undefined;
  if (decoded === undefined || decoded.length === 0) throw refuse(`has no ${where} in canonical base64`);
  return decoded;
}

function logId(value: unknown): Buffer {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) throw refuse('has no logID in hexadecimal');
  return Buffer.from(value, 'hex');
}

function integer(value: unknown, where: string): string {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw refuse(`has no ${where}`);
  return String(value);
}

/**
 * Requires the one kind of entry that is about a plain message. An entry about an envelope proves nothing about a
 * message, whatever hashes it holds; DSSE content is left to the checks of bundles.
 * @throws SignatureError
 */
export function requireMessageEntries({ content, logEntries }: SignedEvidence): void {
  if (content.source.kind !== 'message') return;
  for (const { kind, version } of logEntries)
    if (kind !== 'hashedrekord' || version !== '0.0.1')
      throw new SignatureError(
        'UnsupportedFormat',
        `log entries of kind ${quote(`${kind}/${version}`, 64)} do not log simple signing signatures`,
      );
}
