// Who is named in this signing certificate? A strict profile of the leaf (RFC 5280, Fulcio certificate-specification)
// and a strict reading of its identity. The chain above it is verified elsewhere.
import { X509Certificate, type KeyObject } from 'node:crypto';
import { sha256Hex } from '../lib/digest.ts';
import {
  DER_TAG,
  DerError,
  readDer,
  readDerChildren,
  requireTag,
  toOid,
  writeDer,
  type DerElement,
} from '../lib/der.ts';
import { SignatureError } from './error.ts';
import { readClaims } from './fulcio-claims.ts';

const OID = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  scts: '1.3.6.1.4.1.11129.2.4.2',
  otherNameUsername: '1.3.6.1.4.1.57264.1.7',
} as const;
/** Critical extensions whose meaning is checked here; any other critical one is refused (RFC 5280 §4.2). */
const UNDERSTOOD = new Set<string>([
  OID.keyUsage,
  OID.subjectAltName,
  OID.basicConstraints,
  OID.extendedKeyUsage,
]);
const MAX_CERTIFICATE_BYTES = 32_768;

/** One extension: its DER value and whether it is critical. */
export interface Extension {
  readonly isCritical: boolean;
  readonly value: Buffer;
}

/** A leaf certificate that passed the profile. */
export interface LeafCertificate {
  readonly der: Buffer;
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
  if (der.length > MAX_CERTIFICATE_BYTES) throw refuse(`is larger than ${MAX_CERTIFICATE_BYTES} bytes`);
  try {
    return toLeaf(der);
  } catch (error) {
    if (error instanceof DerError) throw refuse(`cannot be read: ${error.message}`);
    throw error;
  }
}

function toLeaf(der: Buffer): LeafCertificate {
  const certificate = readDerChildren(readDer(der, DER_TAG.sequence).content);
  const tbs = requireTag(certificate[0], DER_TAG.sequence);
  const fields = readDerChildren(tbs.content);
  // TBSCertificate: [0] version, serial, signature, issuer, validity, subject, SPKI, …, [3] extensions.
  const isVersion3 = requireTag(fields[0], 0xa0).content.equals(Buffer.from([DER_TAG.integer, 1, 2]));
  if (!isVersion3 || certificate.length !== 3) throw refuse('is no X.509 version 3 certificate');
  const wrapper = requireTag(fields.at(-1), 0xa3);
  const extensions = readExtensions(wrapper);
  checkProfile(extensions);
  const key = requireTag(fields[6], DER_TAG.sequence).bytes;
  const native = toNative(der, key);
  const { issuer, claims } = readClaims(extensions);
  return {
    der,
    precertificateTbs: withoutScts(fields, wrapper),
    publicKey: native.publicKey,
    keyFingerprint: sha256Hex(key),
    serial: native.serialNumber.toLowerCase(),
    notBefore: native.validFromDate,
    notAfter: native.validToDate,
    subject: readSubjectAltName(extensions.get(OID.subjectAltName)),
    issuer,
    claims,
  };
}

function readExtensions(wrapper: DerElement): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>();
  for (const element of readDerChildren(readDer(wrapper.content, DER_TAG.sequence).content)) {
    const parts = readDerChildren(requireTag(element, DER_TAG.sequence).content);
    const oid = toOid(parts[0]);
    // RFC 5280 §4.2: no extension twice; the first or the last must not win silently.
    if (extensions.has(oid)) throw refuse(`has the extension ${oid} twice`);
    const isCritical = parts.length > 2;
    // X.690 §11.1 and §11.5: TRUE is 0xff and FALSE, the default, is left out; anything else is read in two ways.
    if (isCritical && !requireTag(parts[1], DER_TAG.boolean).content.equals(Buffer.from([0xff])))
      throw refuse(`has the extension ${oid} neither critical nor not`);
    if (parts.length > 3) throw refuse(`has the extension ${oid} with more than a value`);
    extensions.set(oid, { isCritical, value: requireTag(parts.at(-1), DER_TAG.octetString).content });
  }
  return extensions;
}

function checkProfile(extensions: ReadonlyMap<string, Extension>): void {
  for (const [oid, { isCritical }] of extensions)
    if (isCritical && !UNDERSTOOD.has(oid)) throw refuse(`has the unknown critical extension ${oid}`);
  if (!isForSignatures(extensions.get(OID.keyUsage))) throw refuse('is not for digital signatures');
  if (!isForCode(extensions.get(OID.extendedKeyUsage))) throw refuse('is not for code signing');
  const constraints = extensions.get(OID.basicConstraints);
  // An empty sequence means cA FALSE; anything in it on a leaf is refused.
  if (constraints !== undefined && readDer(constraints.value, DER_TAG.sequence).content.length > 0)
    throw refuse('is a CA certificate');
}

// BIT STRING: unused-bits count, then bit 0 = digitalSignature (RFC 5280 §4.2.1.3).
function isForSignatures(usage: Extension | undefined): boolean {
  return usage !== undefined && ((readDer(usage.value, 0x03).content[1] ?? 0) & 0x80) !== 0;
}

function isForCode(purposes: Extension | undefined): boolean {
  if (purposes === undefined) return false;
  const list = readDerChildren(readDer(purposes.value, DER_TAG.sequence).content);
  return list.some((purpose) => toOid(purpose) === OID.codeSigning);
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
    if (toOid(type) === OID.otherNameUsername)
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

function withoutScts(fields: readonly DerElement[], wrapper: DerElement): Buffer {
  const kept = readDerChildren(readDer(wrapper.content, DER_TAG.sequence).content).filter(
    (extension) => toOid(readDerChildren(extension.content)[0]) !== OID.scts,
  );
  const list = writeDer(DER_TAG.sequence, Buffer.concat(kept.map(({ bytes }) => bytes)));
  const head = fields.slice(0, -1).map(({ bytes }) => bytes);
  return writeDer(DER_TAG.sequence, Buffer.concat([...head, writeDer(0xa3, list)]));
}
