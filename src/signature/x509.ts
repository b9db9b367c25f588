// What does this certificate say? A strict reader of X.509 version 3 (RFC 5280 §4.1) for every role: leaf, authority,
// timestamp signer. It returns views of the signed bytes; what a role demands is decided by its own file.
import {
  childrenOf,
  DER_TAG,
  DerError,
  onlyChildOf,
  readDer,
  readDerChildren,
  requireTag,
  toBitStringBytes,
  toBoolean,
  toInteger,
  toOid,
  toSmallInteger,
  type DerElement,
} from '../lib/der.ts';
import { toCertificateTime } from '../lib/der-time.ts';
import { readSignatureAlgorithm, type SignatureAlgorithm } from './signature-algorithm.ts';

/** Extensions that are read by name. */
export const EXTENSION = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  scts: '1.3.6.1.4.1.11129.2.4.2',
} as const;

/** Largest certificate, in bytes. */
export const MAX_CERTIFICATE_BYTES = 32_768;

/** One extension: its DER value and whether it is critical. */
export interface Extension {
  readonly isCritical: boolean;
  readonly value: Buffer;
  /** The whole extension as it came. */
  readonly bytes: Buffer;
}

/** A certificate as it was read; nothing of it is verified. */
export interface Certificate {
  readonly der: Buffer;
  /** The signed part. */
  readonly tbs: Buffer;
  /** The members of the signed part before the extensions. */
  readonly head: readonly DerElement[];
  readonly serial: Buffer;
  /** DER of the name; names are compared by their bytes. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Buffer;
  readonly extensions: ReadonlyMap<string, Extension>;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Buffer;
}

/** Reads a certificate. @throws DerError */
export function readCertificate(der: Buffer): Certificate {
  if (der.length > MAX_CERTIFICATE_BYTES)
    throw new DerError(`certificate is larger than ${MAX_CERTIFICATE_BYTES} bytes`);
  const [tbs, algorithm, signature, ...others] = readDerChildren(readDer(der, DER_TAG.sequence).content);
  const fields = childrenOf(tbs, DER_TAG.sequence);
  // TBSCertificate: [0] version, serial, signature, issuer, validity, subject, SPKI, [3] extensions. The unique
  // identifiers between the last two are obsolete (§4.1.2.8) and refused.
  const [version, serial, inner, issuer, validity, subject, spki, wrapper] = fields;
  if (others.length > 0 || fields.length !== 8 || toSmallInteger(onlyChildOf(version, 0xa0)) !== 2)
    throw new DerError('it is no X.509 version 3 certificate');
  // RFC 5280 §4.1.1.2: the algorithm outside the signed part is the one inside.
  if (algorithm === undefined || !requireTag(inner, DER_TAG.sequence).bytes.equals(algorithm.bytes))
    throw new DerError('it names two signature algorithms');
  const [notBefore, notAfter, ...times] = childrenOf(validity, DER_TAG.sequence);
  if (times.length > 0) throw new DerError('its validity has more than two times');
  return {
    der,
    tbs: requireTag(tbs, DER_TAG.sequence).bytes,
    head: fields.slice(0, -1),
    serial: toInteger(serial),
    issuer: requireTag(issuer, DER_TAG.sequence).bytes,
    subject: requireTag(subject, DER_TAG.sequence).bytes,
    notBefore: toCertificateTime(notBefore),
    notAfter: toCertificateTime(notAfter),
    spki: requireTag(spki, DER_TAG.sequence).bytes,
    extensions: readExtensions(requireTag(wrapper, 0xa3)),
    algorithm: readSignatureAlgorithm(algorithm),
    signature: toBitStringBytes(signature),
  };
}

function readExtensions(wrapper: DerElement): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>();
  for (const element of childrenOf(onlyChildOf(wrapper, 0xa3), DER_TAG.sequence)) {
    const parts = childrenOf(element, DER_TAG.sequence);
    const oid = toOid(parts[0]);
    // RFC 5280 §4.2: no extension twice; the first or the last must not win silently.
    if (extensions.has(oid)) throw new DerError(`it has the extension ${oid} twice`);
    const isCritical = parts.length > 2;
    // X.690 §11.1 and §11.5: TRUE is 0xff and FALSE, the default, is left out; anything else is read in two ways.
    if (isCritical && !requireTag(parts[1], DER_TAG.boolean).content.equals(Buffer.from([0xff])))
      throw new DerError(`it has the extension ${oid} neither critical nor not`);
    if (parts.length > 3) throw new DerError(`it has the extension ${oid} with more than a value`);
    const { content } = requireTag(parts.at(-1), DER_TAG.octetString);
    extensions.set(oid, { isCritical, value: content, bytes: element.bytes });
  }
  return extensions;
}

/** Basic constraints (RFC 5280 §4.2.1.9); absent ones make no CA. @throws DerError */
export function readBasicConstraints({ extensions }: Certificate): {
  isCa: boolean;
  pathLength: number | undefined;
} {
  const extension = extensions.get(EXTENSION.basicConstraints);
  if (extension === undefined) return { isCa: false, pathLength: undefined };
  const [isCa, pathLength, ...others] = readDerChildren(readDer(extension.value, DER_TAG.sequence).content);
  if (isCa === undefined) return { isCa: false, pathLength: undefined };
  if (!toBoolean(isCa) || others.length > 0) throw new DerError('its basic constraints are no DER');
  return { isCa: true, pathLength: pathLength === undefined ? undefined : toSmallInteger(pathLength) };
}

/** True when the key usage is present and has the bit (RFC 5280 §4.2.1.3: 0 digitalSignature, 1 nonRepudiation, 5 keyCertSign). */
export function hasKeyUsage({ extensions }: Certificate, bit: number): boolean {
  const extension = extensions.get(EXTENSION.keyUsage);
  if (extension === undefined) return false;
  const bits = readDer(extension.value, DER_TAG.bitString).content;
  return ((bits[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0;
}

/** The extended key usages by OID; undefined when the certificate has no such extension. @throws DerError */
export function readPurposes({ extensions }: Certificate): readonly string[] | undefined {
  const extension = extensions.get(EXTENSION.extendedKeyUsage);
  if (extension === undefined) return undefined;
  return readDerChildren(readDer(extension.value, DER_TAG.sequence).content).map(toOid);
}

/** The subject's key identifier, when it has one. @throws DerError */
export function readSubjectKeyId({ extensions }: Certificate): Buffer | undefined {
  const extension = extensions.get(EXTENSION.subjectKeyId);
  return extension === undefined ? undefined : readDer(extension.value, DER_TAG.octetString).content;
}

/** The issuer's key identifier, when it is named by one (RFC 5280 §4.2.1.1, `[0]`). @throws DerError */
export function readAuthorityKeyId({ extensions }: Certificate): Buffer | undefined {
  const extension = extensions.get(EXTENSION.authorityKeyId);
  if (extension === undefined) return undefined;
  const parts = readDerChildren(readDer(extension.value, DER_TAG.sequence).content);
  return parts.find(({ tag }) => tag === 0x80)?.content;
}
