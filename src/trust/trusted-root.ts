// Whose word is taken for time, logs and certificates? Reads a Sigstore trusted_root.json into authorities with
// validity windows. A root is judged when it is loaded: what is wrong with it is known before the first request.
import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { decodeBase64 } from '../lib/base64.ts';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { isRecord, quote, toArray, toErrorMessage, toRecord, toText } from '../lib/text.ts';

/** Largest trusted root, in bytes. */
export const MAX_TRUSTED_ROOT_BYTES = 1024 * 1024;
const MEDIA_TYPES = new Set([
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
]);
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
const END_OF_TIME = new Date(8_640_000_000_000_000);

/** A period in which a key or certificate authority is trusted; both ends belong to it. */
export interface Validity {
  readonly start: Date;
  readonly end: Date;
}

/** A transparency or certificate log. */
export interface LogAuthority {
  readonly baseUrl: string;
  readonly operator: string;
  /** Log id as entries and SCTs carry it. */
  readonly logId: Buffer;
  /** Key id in the signatures of checkpoints, when the root names one; else it is the start of the log id. */
  readonly checkpointKeyId?: Buffer;
  readonly publicKey: KeyObject;
  readonly validFor: Validity;
}

/** A certificate or timestamp authority; `chain` holds DER certificates, the root last. */
export interface CertificateAuthority {
  readonly uri: string;
  readonly operator: string;
  readonly chain: readonly Buffer[];
  readonly validFor: Validity;
}

/** A parsed trusted root; immutable, so its identity is its generation. */
export interface TrustedRoot {
  readonly certificateAuthorities: readonly CertificateAuthority[];
  readonly timestampAuthorities: readonly CertificateAuthority[];
  readonly logs: readonly LogAuthority[];
  readonly certificateLogs: readonly LogAuthority[];
}

/** Thrown when a root cannot be used at all; the message names the member. */
export class TrustedRootError extends Error {
  override readonly name = 'TrustedRootError';
}

/**
 * Parses and judges a trusted_root.json.
 * @throws TrustedRootError for syntax, unknown media types, missing windows, unusable keys, and roots without authorities
 */
export function parseTrustedRoot(bytes: Uint8Array): TrustedRoot {
  const body = readJson(bytes);
  const mediaType = toText(body['mediaType']) ?? '';
  if (!MEDIA_TYPES.has(mediaType))
    throw new TrustedRootError(`mediaType ${quote(mediaType, 80)} is not supported`);
  const root = {
    certificateAuthorities: readList(body, 'certificateAuthorities', toCertificateAuthority),
    timestampAuthorities: readList(body, 'timestampAuthorities', toTimestampAuthority),
    logs: readList(body, 'tlogs', toLogAuthority),
    certificateLogs: readList(body, 'ctlogs', toLogAuthority),
  };
  if (root.certificateAuthorities.length === 0)
    throw new TrustedRootError('it has no certificateAuthorities');
  return root;
}

function readJson(bytes: Uint8Array): Record<string, unknown> {
  try {
    const body = parseStrictJson(bytes, MAX_TRUSTED_ROOT_BYTES);
    if (isRecord(body)) return body;
  } catch (error) {
    if (error instanceof StrictJsonError) throw new TrustedRootError(error.message);
    throw error;
  }
  throw new TrustedRootError('it is no JSON object');
}

function readList<T>(
  body: Record<string, unknown>,
  member: string,
  read: (entry: Record<string, unknown>, where: string) => T,
): readonly T[] {
  return toArray(body[member]).map((entry, index) => read(toRecord(entry), `${member}[${index}]`));
}

function toLogAuthority(entry: Record<string, unknown>, where: string): LogAuthority {
  const key = toRecord(entry['publicKey']);
  const { logId, checkpointKeyId, baseUrl, operator } = entry;
  return {
    baseUrl: toText(baseUrl) ?? '',
    operator: toText(operator) ?? '',
    logId: readBytes(toRecord(logId)['keyId'], `${where}.logId.keyId`),
    // sigstore_trustroot.proto: set since v0.2, four bytes or the longer hash that they begin.
    ...(isRecord(checkpointKeyId) && {
      checkpointKeyId: readKeyId(checkpointKeyId['keyId'], `${where}.checkpointKeyId.keyId`),
    }),
    publicKey: toPublicKey(key, `${where}.publicKey`),
    validFor: toValidity(key['validFor'], `${where}.publicKey.validFor`),
  };
}

function toPublicKey(key: Record<string, unknown>, where: string): KeyObject {
  const der = readBytes(key['rawBytes'], `${where}.rawBytes`);
  // The one key format of the specification that is no SubjectPublicKeyInfo.
  const type = key['keyDetails'] === 'PKCS1_RSA_PKCS1V5' ? 'pkcs1' : 'spki';
  try {
    return createPublicKey({ key: der, format: 'der', type });
  } catch (error) {
    throw new TrustedRootError(`${where} is no public key: ${quote(toErrorMessage(error), 120)}`);
  }
}

function toCertificateAuthority(entry: Record<string, unknown>, where: string): CertificateAuthority {
  const certificates = toArray(toRecord(entry['certChain'])['certificates']);
  if (certificates.length === 0) throw new TrustedRootError(`${where}.certChain is empty`);
  return {
    uri: toText(entry['uri']) ?? '',
    operator: toText(entry['operator']) ?? '',
    chain: certificates.map((certificate, index) =>
      readCertificate(toRecord(certificate)['rawBytes'], `${where}.certChain.certificates[${index}]`),
    ),
    validFor: toValidity(entry['validFor'], `${where}.validFor`),
  };
}

// RFC 3161 §2.3: a timestamp authority's certificate is for time stamping and for nothing else.
function toTimestampAuthority(entry: Record<string, unknown>, where: string): CertificateAuthority {
  const authority = toCertificateAuthority(entry, where);
  const [leaf] = authority.chain.map((der) => new X509Certificate(der));
  // Node's `keyUsage` is the extended key usage.
  const purposes = leaf?.keyUsage ?? [];
  if (purposes.length !== 1 || purposes[0] !== TIME_STAMPING)
    throw new TrustedRootError(`${where}.certChain.certificates[0] is not for time stamping only`);
  return authority;
}

function readCertificate(value: unknown, where: string): Buffer {
  const der = readBytes(value, where);
  try {
    if (new X509Certificate(der).raw.equals(der)) return der;
  } catch {
    // reported below, as is a certificate that OpenSSL reads as other bytes
  }
  throw new TrustedRootError(`${where} is no certificate`);
}

function readBytes(value: unknown, where: string): Buffer {
  const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
  if (bytes === undefined || bytes.length === 0) throw new TrustedRootError(`${where} is no base64`);
  return bytes;
}

function readKeyId(value: unknown, where: string): Buffer {
  const bytes = readBytes(value, where);
  if (bytes.length < 4) throw new TrustedRootError(`${where} has less than four bytes`);
  return bytes;
}

// sigstore_common.proto TimeRange: `start` is required; a missing or null `end` leaves the window open.
function toValidity(value: unknown, where: string): Validity {
  const { start, end } = toRecord(value);
  return {
    start: toDate(start, `${where}.start`),
    end: end === undefined || end === null ? END_OF_TIME : toDate(end, `${where}.end`),
  };
}

function toDate(value: unknown, where: string): Date {
  const text = toText(value) ?? '';
  const date = new Date(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? text : Number.NaN,
  );
  if (Number.isNaN(date.getTime())) throw new TrustedRootError(`${where} is no RFC 3339 time`);
  return date;
}

/** True when the instant lies in the window. */
export function isWithin(instant: Date, { start, end }: Validity): boolean {
  return start <= instant && instant <= end;
}

/** Never ends, never began. */
export const ALWAYS: Validity = { start: new Date(-END_OF_TIME.getTime()), end: END_OF_TIME };

/** The time that lies in every window; one that ends before it starts when there is none. */
export function intersect(windows: readonly Validity[]): Validity {
  return {
    start: new Date(Math.max(ALWAYS.start.getTime(), ...windows.map(({ start }) => start.getTime()))),
    end: new Date(Math.min(ALWAYS.end.getTime(), ...windows.map(({ end }) => end.getTime()))),
  };
}
