// Did certificate logs see this leaf before it was used? Embedded signed certificate timestamps over the
// precertificate (RFC 6962 §3.2, §3.3), counted by distinct operator.
import { createHash } from 'node:crypto';
import { DER_TAG, readDer } from '../lib/der.ts';
import { isWithin } from '../trust/trusted-root.ts';
import type { LeafCertificate } from './certificate.ts';
import { SignatureError } from './error.ts';
import type { PreparedLog } from './prepared-trust.ts';
import { verifyWithAlgorithm, type HashName, type SignatureAlgorithm } from './signature-algorithm.ts';
import { EXTENSION, type Certificate } from './x509.ts';

/** Most SCTs of one certificate. */
export const MAX_SCTS = 16;

interface SignedCertificateTimestamp {
  readonly bytes: Buffer;
  readonly logId: Buffer;
  /** Eight bytes, milliseconds since 1970. */
  readonly timestamp: Buffer;
  readonly extensions: Buffer;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Buffer;
}

const refuse = (message: string): SignatureError =>
  new SignatureError('CertificateInvalid', `the signing certificate ${message}`);

/** How SCTs are judged. */
export interface SctTrust {
  readonly logs: readonly PreparedLog[];
  /** Distinct log operators that must have seen the certificate. */
  readonly required: number;
  /** Latest acceptable time. */
  readonly notAfter: Date;
}

/** Verifies the SCTs of every known log; others are left out. @throws SignatureError `CertificateInvalid` */
export function verifyCertificateTimestamps(
  leaf: LeafCertificate,
  issuer: Certificate,
  { logs, required, notAfter }: SctTrust,
): void {
  const extension = leaf.certificate.extensions.get(EXTENSION.scts);
  const scts = extension === undefined ? [] : readScts(readDer(extension.value, DER_TAG.octetString).content);
  const entry = scts.length === 0 ? Buffer.alloc(0) : toPrecertificateEntry(leaf, issuer);
  const operators = new Set<string>();
  for (const sct of scts) {
    const named = logs.filter(({ logId }) => logId.equals(sct.logId));
    if (named.length === 0) continue;
    const at = new Date(Number(sct.timestamp.readBigUInt64BE()));
    const log = named.find(({ validFor }) => isWithin(at, validFor));
    if (log === undefined) throw refuse('was logged when the key of its certificate log was not valid');
    if (!(at <= notAfter)) throw refuse('was logged in the future of this controller’s clock');
    if (!verifyWithAlgorithm(sct.algorithm, log.publicKey, toSignedBytes(sct, entry), sct.signature))
      throw refuse('has a certificate timestamp that its log did not sign');
    operators.add(log.operator);
  }
  if (operators.size < required)
    throw refuse(
      `was seen by ${operators.size} certificate logs of the trust root, ${required} are required`,
    );
}

// PreCert (RFC 6962 §3.2): hash of the issuer's key, length and bytes of the signed part without SCTs.
function toPrecertificateEntry({ precertificateTbs }: LeafCertificate, { spki }: Certificate): Buffer {
  const length = Buffer.alloc(3);
  length.writeUIntBE(precertificateTbs.length, 0, 3);
  return Buffer.concat([createHash('sha256').update(spki).digest(), length, precertificateTbs]);
}

// digitally-signed: version v1, certificate_timestamp, time, precert_entry, entry, extensions.
function toSignedBytes({ timestamp, extensions }: SignedCertificateTimestamp, entry: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(extensions.length);
  return Buffer.concat([Buffer.from([0, 0]), timestamp, Buffer.from([0, 1]), entry, length, extensions]);
}

// TLS presentation language (RFC 5246 §4): vectors with a length of two bytes.
class Reader {
  #rest: Buffer;
  constructor(bytes: Buffer) {
    this.#rest = bytes;
  }

  get isAtEnd(): boolean {
    return this.#rest.length === 0;
  }

  take(count: number): Buffer {
    if (count > this.#rest.length) throw refuse('has a certificate timestamp that is cut off');
    const taken = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return taken;
  }

  takeVector(): Buffer {
    return this.take(this.take(2).readUInt16BE());
  }
}

function readScts(bytes: Buffer): readonly SignedCertificateTimestamp[] {
  const outer = new Reader(bytes);
  const list = new Reader(outer.takeVector());
  const scts: SignedCertificateTimestamp[] = [];
  while (!list.isAtEnd) {
    const sct = readSct(list.takeVector());
    if (scts.some((other) => other.bytes.equals(sct.bytes))) throw refuse('has the same timestamp twice');
    scts.push(sct);
    if (scts.length > MAX_SCTS) throw refuse(`has more than ${MAX_SCTS} certificate timestamps`);
  }
  if (!outer.isAtEnd) throw refuse('has bytes after its certificate timestamps');
  return scts;
}

function readSct(bytes: Buffer): SignedCertificateTimestamp {
  const reader = new Reader(bytes);
  if (reader.take(1)[0] !== 0) throw refuse('has a certificate timestamp of an unknown version');
  const sct = {
    bytes,
    logId: reader.take(32),
    timestamp: reader.take(8),
    extensions: reader.takeVector(),
    algorithm: toAlgorithm(reader.take(2)),
    signature: reader.takeVector(),
  };
  if (!reader.isAtEnd) throw refuse('has a certificate timestamp that is too long');
  return sct;
}

// SignatureAndHashAlgorithm (RFC 5246 §7.4.1.4.1): sha256(4), sha384(5), sha512(6); rsa(1), ecdsa(3).
const HASHES: Readonly<Record<number, HashName>> = { 4: 'sha256', 5: 'sha384', 6: 'sha512' };
const KEY_TYPES: Readonly<Record<number, 'rsa' | 'ec'>> = { 1: 'rsa', 3: 'ec' };

function toAlgorithm(bytes: Buffer): SignatureAlgorithm {
  const [hash, keyType] = [HASHES[bytes[0] ?? 0], KEY_TYPES[bytes[1] ?? 0]];
  if (hash === undefined || keyType === undefined)
    throw refuse('has a certificate timestamp with an unknown signature algorithm');
  return { keyType, hash };
}
