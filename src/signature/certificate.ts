// Who is named in this signing certificate? A strict profile of the leaf (RFC 5280, Fulcio certificate-specification)
// and a strict reading of its identity. The chain above it is verified elsewhere.
import { X509Certificate, type KeyObject } from 'node:crypto';
import { sha256Hex } from '../lib/digest.ts';
import { DER_TAG, DerError, readDer, readDerChildren, requireTag, toOid, writeDer } from '../lib/der.ts';
import { SignatureError } from './error.ts';
import { readClaims } from './fulcio-claims.ts';
import { isSigningKey } from './key-algorithm.ts';
import {
  EXTENSION,
  hasKeyUsage,
  readBasicConstraints,
  readCertificate,
  readPurposes,
  type Certificate,
  type Extension,
} from './x509.ts';

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const OTHER_NAME_USERNAME = '1.3.6.1.4.1.57264.1.7';
/** Critical extensions whose meaning is checked here; any other critical one is refused (RFC 5280 §4.2). */
const UNDERSTOOD = new Set<string>([
  EXTENSION.keyUsage,
  EXTENSION.subjectAltName,
  EXTENSION.basicConstraints,
  EXTENSION.extendedKeyUsage,
]);

/** A leaf certificate that passed the profile. */
export interface LeafCertificate {
  readonly der: Buffer;
  /** The certificate as it was read, for the chain above it. */
  readonly certificate: Certificate;
  /** The signed part without its SCT list: what certificate logs signed (RFC 6962 §3.2). */
  readonly precertificateTbs: Buffer;
  readonly publicKey: KeyObject;
  /** Lower-case hex SHA-256 of the SubjectPublicKeyInfo. */
  readonly keyFingerprint: string;
  /** Lower-case hex, as in the certificate. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The only subject alternative name: URI, e-mail address or Fulcio username. */
  readonly subject: string;
  /** OIDC issuer from the Fulcio extensions. */
  readonly issuer: string;
  /** Fulcio extensions by documented name. */
  readonly claims: Readonly<Record<string, string>>;
}

const refuse = (message: string): SignatureError =>
  new SignatureError('CertificateInvalid', `the signing certificate ${message}`);

/** Reads a Fulcio leaf. @throws SignatureError `CertificateInvalid` for everything outside the profile */
export function parseLeafCertificate(der: Buffer): LeafCertificate {
  try {
    return toLeaf(readCertificate(der));
  } catch (error) {
    if (error instanceof DerError) throw refuse(`cannot be read: ${error.message}`);
    throw error;
  }
}

function toLeaf(certificate: Certificate): LeafCertificate {
  checkProfile(certificate);
  const { der, spki, extensions } = certificate;
  const native = toNative(der, spki);
  // Said here: that such a key's signature does not verify would send people to look for another fault.
  if (!isSigningKey(native.publicKey)) throw refuse('has a key of a kind or size that is not accepted');
  const { issuer, claims } = readClaims(extensions);
  return {
    der,
    certificate,
    precertificateTbs: withoutScts(certificate),
    publicKey: native.publicKey,
    keyFingerprint: sha256Hex(spki),
    serial: native.serialNumber.toLowerCase(),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    subject: readSubjectAltName(extensions.get(EXTENSION.subjectAltName)),
    issuer,
    claims,
  };
}

function checkProfile(certificate: Certificate): void {
  for (const [oid, { isCritical }] of certificate.extensions)
    if (isCritical && !UNDERSTOOD.has(oid)) throw refuse(`has the unknown critical extension ${oid}`);
  if (!hasKeyUsage(certificate, 0)) throw refuse('is not for digital signatures');
  if (readPurposes(certificate)?.includes(CODE_SIGNING) !== true) throw refuse('is not for code signing');
  if (readBasicConstraints(certificate).isCa) throw refuse('is a CA certificate');
}

// GeneralName (RFC 5280 §4.2.1.6): [1] rfc822Name, [6] URI, [0] otherName with Fulcio's username type.
function readSubjectAltName(extension: Extension | undefined): string {
  if (extension === undefined) throw refuse('names no subject');
  const [name, ...others] = readDerChildren(readDer(extension.value, DER_TAG.sequence).content);
  if (name === undefined || others.length > 0)
    throw refuse('does not have exactly one subject alternative name');
  if (name.tag === 0x81 || name.tag === 0x86) return toPrintableAscii(name.content);
  if (name.tag === 0xa0) {
    const [type, value] = readDerChildren(name.content);
    if (toOid(type) === OTHER_NAME_USERNAME)
      return toUtf8(readDer(requireTag(value, 0xa0).content, DER_TAG.utf8String).content);
  }
  throw refuse('has a subject alternative name of an unsupported type');
}

// IA5String by its bytes: decoding that clears bit 7 would make other names look like this one.
function toPrintableAscii(bytes: Buffer): string {
  if (bytes.length === 0 || bytes.some((byte) => byte < 0x21 || byte > 0x7e))
    throw refuse('has a subject alternative name that is not printable ASCII');
  return bytes.toString('latin1');
}

function toUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refuse('has an extension that is not valid UTF-8');
  }
}

// OpenSSL reads the certificate a second time: what the two readers do not agree on is refused.
function toNative(der: Buffer, spki: Buffer): X509Certificate {
  let native: X509Certificate;
  let key: Buffer;
  try {
    native = new X509Certificate(der);
    key = native.publicKey.export({ type: 'spki', format: 'der' });
  } catch {
    throw refuse('cannot be read by OpenSSL');
  }
  if (!native.raw.equals(der) || !key.equals(spki)) throw refuse('is read in two ways');
  return native;
}

function withoutScts({ head, extensions }: Certificate): Buffer {
  const kept = [...extensions].filter(([oid]) => oid !== EXTENSION.scts).map(([, { bytes }]) => bytes);
  const list = writeDer(DER_TAG.sequence, Buffer.concat(kept));
  return writeDer(DER_TAG.sequence, Buffer.concat([...head.map(({ bytes }) => bytes), writeDer(0xa3, list)]));
}
