// What is in this Sigstore bundle? Strict reading of untrusted bytes: one media type, exactly one of each oneof,
// canonical base64, caps before anything is allocated. Nothing is verified here.
// Specification: sigstore protobuf-specs, sigstore_bundle.proto and sigstore_rekor.proto (JSON mapping).
import { decodeBase64 } from '../lib/base64.ts';
import { MAX_BUNDLE_BYTES } from '../evidence/evidence.ts';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { isRecord, quote, toText } from '../lib/text.ts';
import { SignatureError } from './error.ts';

/** Most log entries of one bundle (docs: limits). */
export const MAX_LOG_ENTRIES = 32;
/** Most timestamps of one bundle (docs: limits). */
export const MAX_TIMESTAMPS = 64;
/** Most hashes of one inclusion proof (docs: limits). */
export const MAX_PROOF_HASHES = 64;
/** Most certificates of one chain, the signing one among them (docs: limits). */
export const MAX_CHAIN_CERTIFICATES = 10;
/** Largest sum of all timestamps of one bundle, in bytes: reading hostile DER costs almost a millisecond per KiB. */
export const MAX_TIMESTAMPS_BYTES = 64 * 1024;
const MAX_CHECKPOINT_CHARS = 16_384;
const MEDIA_TYPES = new Set([
  'application/vnd.dev.sigstore.bundle.v0.3+json',
  'application/vnd.dev.sigstore.bundle+json;version=0.3',
]);

/** The only payload type of signed statements (in-toto attestation spec, envelope.md). */
export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** What the bundle says its signer is: a hint for looking, never a reason to trust. */
export type SigningMaterial =
  | { readonly kind: 'certificate'; readonly der: Buffer }
  | { readonly kind: 'publicKey'; readonly hint: string | undefined }
  /** Leaf first, as the signer wrote them; at least one. */
  | { readonly kind: 'certificateChain'; readonly ders: readonly Buffer[] };

/** One transparency log entry as written. Integers are decimal text. */
export interface LogEntry {
  readonly logIndex: string;
  readonly logId: Buffer;
  readonly kind: string;
  readonly version: string;
  readonly integratedTime: string;
  readonly signedEntryTimestamp: Buffer | undefined;
  readonly proof: InclusionProof | undefined;
  readonly body: Buffer;
}

/** A Merkle inclusion proof with the signed checkpoint it leads to. */
export interface InclusionProof {
  readonly logIndex: string;
  readonly treeSize: string;
  readonly rootHash: Buffer;
  readonly hashes: readonly Buffer[];
  readonly checkpoint: string;
}

/** A DSSE envelope with exactly one signature. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signature: Buffer;
}

/** A parsed bundle v0.3 with a DSSE envelope. */
export interface Bundle {
  readonly material: SigningMaterial;
  readonly logEntries: readonly LogEntry[];
  /** RFC 3161 TimeStampResp, DER. */
  readonly timestamps: readonly Buffer[];
  readonly envelope: Envelope;
}

const refuse = (message: string): SignatureError =>
  new SignatureError('SignatureInvalid', `the bundle is invalid: ${message}`);

/** Parses bundle bytes. @throws SignatureError `SignatureInvalid` or `UnsupportedFormat` */
export function parseBundle(bytes: Uint8Array): Bundle {
  const body = readJson(bytes);
  const mediaType = toText(body['mediaType']) ?? '';
  if (!MEDIA_TYPES.has(mediaType))
    throw new SignatureError(
      'UnsupportedFormat',
      `bundle media type ${quote(mediaType, 80)} is not supported`,
    );
  if (isPresent(body['messageSignature'])) {
    if (isPresent(body['dsseEnvelope'])) throw refuse('it has both messageSignature and dsseEnvelope');
    throw new SignatureError('UnsupportedFormat', 'a message signature does not say what it is about');
  }
  const material = record(body['verificationMaterial'], 'verificationMaterial');
  const timestampData = isPresent(material['timestampVerificationData'])
    ? record(material['timestampVerificationData'], 'timestampVerificationData')
    : {};
  return {
    material: toMaterial(material),
    logEntries: list(material['tlogEntries'], 'tlogEntries', MAX_LOG_ENTRIES).map(toLogEntry),
    timestamps: toTimestamps(timestampData['rfc3161Timestamps']),
    envelope: toEnvelope(record(body['dsseEnvelope'], 'dsseEnvelope')),
  };
}

function readJson(bytes: Uint8Array): Record<string, unknown> {
  try {
    const body = parseStrictJson(bytes, MAX_BUNDLE_BYTES);
    if (isRecord(body)) return body;
  } catch (error) {
    if (error instanceof StrictJsonError) throw refuse(error.message);
    throw error;
  }
  throw refuse('it is no JSON object');
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw refuse(`${where} is no object`);
}

function list(value: unknown, where: string, max: number): readonly unknown[] {
  if (!isPresent(value)) return [];
  if (!Array.isArray(value)) throw refuse(`${where} is no list`);
  if (value.length > max) throw refuse(`${where} has more than ${max} entries`);
  return value as unknown[];
}

function base64(value: unknown, where: string): Buffer {
  const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
  if (bytes === undefined || bytes.length === 0) throw refuse(`${where} is no canonical base64`);
  return bytes;
}

// Proto JSON leaves zeros out and writes 64-bit integers as text; some writers use numbers.
function integer(value: unknown, where: string): string {
  if (!isPresent(value)) return '0';
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || !/^(?:0|[1-9]\d{0,15})$/.test(text)) throw refuse(`${where} is no integer`);
  return text;
}

function text(value: unknown, where: string, maxChars: number): string {
  if (typeof value !== 'string' || value.length > maxChars) throw refuse(`${where} is no usable text`);
  return value;
}

function toMaterial(material: Record<string, unknown>): SigningMaterial {
  const { certificate, publicKey, x509CertificateChain } = material;
  const present = [certificate, publicKey, x509CertificateChain].filter(isPresent);
  if (present.length !== 1)
    throw refuse(`it has ${present.length} kinds of signer where exactly one belongs`);
  if (isPresent(x509CertificateChain))
    return { kind: 'certificateChain', ders: toChain(x509CertificateChain) };
  if (isPresent(certificate))
    return {
      kind: 'certificate',
      der: base64(record(certificate, 'certificate')['rawBytes'], 'certificate'),
    };
  // model_signing 1.0 writes rawBytes here: a claim of the bundle about its own key, which nothing reads.
  return { kind: 'publicKey', hint: toText(record(publicKey, 'publicKey')['hint']) };
}

function toChain(value: unknown): readonly Buffer[] {
  const { certificates } = record(value, 'x509CertificateChain');
  const ders = list(certificates, 'x509CertificateChain', MAX_CHAIN_CERTIFICATES).map((entry) =>
    base64(record(entry, 'x509CertificateChain')['rawBytes'], 'x509CertificateChain'),
  );
  if (ders.length === 0) throw refuse('its certificate chain is empty');
  return ders;
}

function toTimestamps(value: unknown): readonly Buffer[] {
  const timestamps = list(value, 'rfc3161Timestamps', MAX_TIMESTAMPS).map((entry) =>
    base64(record(entry, 'rfc3161Timestamps')['signedTimestamp'], 'signedTimestamp'),
  );
  if (timestamps.reduce((sum, { length }) => sum + length, 0) > MAX_TIMESTAMPS_BYTES)
    throw refuse(`its timestamps have more than ${MAX_TIMESTAMPS_BYTES} bytes`);
  return timestamps;
}

function toLogEntry(value: unknown): LogEntry {
  const entry = record(value, 'tlogEntries');
  const kindVersion = record(entry['kindVersion'], 'kindVersion');
  const promise = entry['inclusionPromise'];
  return {
    logIndex: integer(entry['logIndex'], 'logIndex'),
    logId: base64(record(entry['logId'], 'logId')['keyId'], 'logId.keyId'),
    kind: text(kindVersion['kind'], 'kind', 32),
    version: text(kindVersion['version'], 'version', 16),
    integratedTime: integer(entry['integratedTime'], 'integratedTime'),
    signedEntryTimestamp: isPresent(promise)
      ? base64(record(promise, 'inclusionPromise')['signedEntryTimestamp'], 'signedEntryTimestamp')
      : undefined,
    proof: isPresent(entry['inclusionProof'])
      ? toProof(record(entry['inclusionProof'], 'inclusionProof'))
      : undefined,
    body: base64(entry['canonicalizedBody'], 'canonicalizedBody'),
  };
}

function toProof(proof: Record<string, unknown>): InclusionProof {
  return {
    logIndex: integer(proof['logIndex'], 'inclusionProof.logIndex'),
    treeSize: integer(proof['treeSize'], 'inclusionProof.treeSize'),
    rootHash: base64(proof['rootHash'], 'inclusionProof.rootHash'),
    hashes: list(proof['hashes'], 'inclusionProof.hashes', MAX_PROOF_HASHES).map((hash) =>
      base64(hash, 'inclusionProof.hashes'),
    ),
    checkpoint: text(
      record(proof['checkpoint'], 'checkpoint')['envelope'],
      'checkpoint',
      MAX_CHECKPOINT_CHARS,
    ),
  };
}

function toEnvelope(envelope: Record<string, unknown>): Envelope {
  const signatures = list(envelope['signatures'], 'signatures', 1);
  if (signatures.length !== 1) throw refuse('its envelope has no signature');
  const payloadType = text(envelope['payloadType'], 'payloadType', 255);
  if (payloadType !== IN_TOTO_PAYLOAD_TYPE)
    throw new SignatureError('UnsupportedFormat', `payload type ${quote(payloadType, 80)} is not supported`);
  return {
    payloadType,
    payload: base64(envelope['payload'], 'payload'),
    signature: base64(record(signatures[0], 'signatures[0]')['sig'], 'sig'),
  };
}
