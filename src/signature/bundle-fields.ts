// How is a field of an untrusted bundle read? Strictly: canonical base64, bounded text, integers and lists, null as
// absent. Which fields there are is decided by the files that use these readers.
import { MAX_BUNDLE_BYTES } from '../evidence/evidence.ts';
import { decodeBase64 } from '../lib/base64.ts';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { isRecord, toText } from '../lib/text.ts';
import { SignatureError } from './error.ts';

/** The error of a bundle that cannot be read. */
export const refuse = (message: string): SignatureError =>
  new SignatureError('SignatureInvalid', `the bundle is invalid: ${message}`);

/** The JSON object of a bundle. @param maxBytes default {@link MAX_BUNDLE_BYTES} @throws SignatureError `SignatureInvalid` */
export function readJson(bytes: Uint8Array, maxBytes: number = MAX_BUNDLE_BYTES): Record<string, unknown> {
  try {
    const body = parseStrictJson(bytes, maxBytes);
    if (isRecord(body)) return body;
  } catch (error) {
    if (error instanceof StrictJsonError) throw refuse(error.message);
    throw error;
  }
  throw refuse('it is no JSON object');
}

/** Proto JSON treats null as absent. */
export function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** An object. @throws SignatureError */
export function record(value: unknown, where: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw refuse(`${where} is no object`);
}

/** A list of at most `max` entries; absent is empty. @throws SignatureError */
export function list(value: unknown, where: string, max: number): readonly unknown[] {
  if (!isPresent(value)) return [];
  if (!Array.isArray(value)) throw refuse(`${where} is no list`);
  if (value.length > max) throw refuse(`${where} has more than ${max} entries`);
  return value as unknown[];
}

/** Canonical base64 of at least one byte. @throws SignatureError */
export function base64(value: unknown, where: string): Buffer {
  const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
  if (bytes === undefined || bytes.length === 0) throw refuse(`${where} is no canonical base64`);
  return bytes;
}

/** A non-negative integer as decimal text: proto JSON leaves zeros out and writes text, some writers numbers. @throws SignatureError */
export function integer(value: unknown, where: string): string {
  if (!isPresent(value)) return '0';
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || !/^(?:0|[1-9]\d{0,15})$/.test(text)) throw refuse(`${where} is no integer`);
  return text;
}

/** Text of at most `maxChars` UTF-16 units. @throws SignatureError */
export function text(value: unknown, where: string, maxChars: number): string {
  if (typeof value !== 'string' || value.length > maxChars) throw refuse(`${where} is no usable text`);
  return value;
}

/** Text that may be left out. @throws SignatureError for anything else than text */
export function optionalText(value: unknown, where: string): string | undefined {
  if (isPresent(value) && typeof value !== 'string') throw refuse(`${where} is no text`);
  return toText(value);
}
