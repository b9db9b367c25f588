// Did a known timestamp authority see this signature, and when? RFC 3161 tokens against the prepared authorities of a
// trusted root; certificates that the token brings along count for nothing.
import { createHash } from 'node:crypto';
import {
  childrenOf,
  DER_TAG,
  DerError,
  readDer,
  requireTag,
  toInteger,
  toOid,
  type DerElement,
} from '../lib/der.ts';
import { SignatureError } from './error.ts';
import { isAuthorityValidAt, type PreparedAuthority, type PreparedTrust } from './prepared-trust.ts';
import { readHashAlgorithm, verifyWithAlgorithm } from './signature-algorithm.ts';
import { readTimestamp, type TimestampToken } from './timestamp-token.ts';
import type { Certificate } from './x509.ts';

const ATTRIBUTE = {
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
} as const;
const TIMESTAMP_INFO = '1.2.840.113549.1.9.16.1.4';

/** A time that a known authority vouches for. */
export interface VerifiedTimestamp {
  readonly at: Date;
  readonly authority: PreparedAuthority;
}

const refuse = (message: string): SignatureError => new SignatureError('TimestampInvalid', message);

/**
 * Verifies a timestamp over these bytes.
 * @returns the time, or undefined when the trust root does not know the authority that the token names
 * @throws SignatureError `TimestampInvalid` for unreadable tokens, and for wrong ones in the name of a known authority
 */
export function verifyTimestamp(
  response: Buffer,
  signature: Buffer,
  trust: PreparedTrust,
): VerifiedTimestamp | undefined {
  const token = attempt(() => readTimestamp(response));
  const named = trust.timestampAuthorities.filter(({ chain: [signer] }) =>
    isNamed(token, signer?.certificate),
  );
  if (named.length === 0) return undefined;
  const { hash, digest } = token.imprint;
  if (!createHash(hash).update(signature).digest().equals(digest))
    throw refuse('a timestamp is about another signature');
  const authority = named.find((candidate) => isAuthorityValidAt(candidate, token.genTime));
  const [signer] = authority?.chain ?? [];
  if (authority === undefined || signer === undefined)
    throw refuse(`the timestamp authority was not valid at ${token.genTime.toISOString()}`);
  attempt(() => requireAttributes(token, signer.certificate));
  if (!verifyWithAlgorithm(token.algorithm, signer.key, token.signedBytes, token.signature))
    throw refuse('a timestamp is not signed by the authority that it names');
  return { at: token.genTime, authority };
}

function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) throw refuse(`a timestamp cannot be read: ${error.message}`);
    throw error;
  }
}

function isNamed({ signer }: TimestampToken, certificate: Certificate | undefined): boolean {
  return (
    certificate !== undefined &&
    signer.serial.equals(certificate.serial) &&
    signer.issuer.equals(certificate.issuer)
  );
}

// RFC 5652 §11.1 and §11.2 (both mandatory), RFC 2634 §5.4 and RFC 5035 §5.4.1.1.
function requireAttributes({ attributes, digestHash, info }: TimestampToken, signer: Certificate): void {
  if (toOid(attributes.get(ATTRIBUTE.contentType)) !== TIMESTAMP_INFO)
    throw new DerError('its attributes are for another content type');
  const digest = requireTag(attributes.get(ATTRIBUTE.messageDigest), DER_TAG.octetString).content;
  if (!createHash(digestHash).update(info).digest().equals(digest))
    throw new DerError('its attributes are for another content');
  const v1 = attributes.get(ATTRIBUTE.signingCertificate);
  if (v1 !== undefined) requireCertificateId(v1, signer, 'sha1');
  const v2 = attributes.get(ATTRIBUTE.signingCertificateV2);
  if (v2 !== undefined) requireCertificateId(v2, signer, 'sha256');
}

// The first ESSCertID is the signer's; version 2 may name its hash, SHA-256 being the default. The hash only
// identifies: who signed is decided by the key.
function requireCertificateId(attribute: DerElement, signer: Certificate, preset: 'sha1' | 'sha256'): void {
  const [id] = childrenOf(childrenOf(attribute, DER_TAG.sequence)[0], DER_TAG.sequence);
  const parts = [...childrenOf(id, DER_TAG.sequence)];
  const isHashNamed = preset === 'sha256' && parts[0]?.tag === DER_TAG.sequence;
  const hash = isHashNamed ? readHashAlgorithm(parts.shift()) : preset;
  const [digest, issuerSerial] = parts;
  if (!createHash(hash).update(signer.der).digest().equals(requireTag(digest, DER_TAG.octetString).content))
    throw new DerError('it names another signing certificate');
  if (issuerSerial === undefined) return;
  const [names, serial] = childrenOf(issuerSerial, DER_TAG.sequence);
  // GeneralNames with one directoryName `[4]`.
  const [name] = childrenOf(names, DER_TAG.sequence);
  const issuer = readDer(requireTag(name, 0xa4).content, DER_TAG.sequence).bytes;
  if (!toInteger(serial).equals(signer.serial) || !issuer.equals(signer.issuer))
    throw new DerError('it names another signing certificate');
}
