// What evidence does this bundle carry? Log entries and timestamps, read but not verified.
// Specification: sigstore protobuf-specs, sigstore_rekor.proto and sigstore_bundle.proto (JSON mapping).
import { base64, integer, isPresent, list, record, refuse, text } from './bundle-fields.ts';

/** Most log entries of one bundle (docs: limits). */
export const MAX_LOG_ENTRIES = 32;
/** Most timestamps of one bundle (docs: limits). */
export const MAX_TIMESTAMPS = 32;
/** Most hashes of one inclusion proof (docs: limits). */
export const MAX_PROOF_HASHES = 64;
/** Largest sum of all timestamps of one bundle, in bytes: reading hostile DER costs almost a millisecond per KiB. */
export const MAX_TIMESTAMPS_BYTES = 64 * 1024;
const MAX_CHECKPOINT_CHARS = 16_384;

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

/** The log entries of `verificationMaterial`. @throws SignatureError */
export function toLogEntries(material: Record<string, unknown>): readonly LogEntry[] {
  return list(material['tlogEntries'], 'tlogEntries', MAX_LOG_ENTRIES).map(toLogEntry);
}

/** The timestamps of `verificationMaterial`, RFC 3161 TimeStampResp, DER. @throws SignatureError */
export function toTimestamps(material: Record<string, unknown>): readonly Buffer[] {
  const data = material['timestampVerificationData'];
  if (!isPresent(data)) return [];
  const { rfc3161Timestamps } = record(data, 'timestampVerificationData');
  const timestamps = list(rfc3161Timestamps, 'rfc3161Timestamps', MAX_TIMESTAMPS).map((entry) =>
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
