// How is an X.509 certificate written and signed? Names, extensions, TBS and signature, each a separate step so
// that any of them can be wrong on purpose. Leaves who issues what to certificate-authority.ts.
import { createHash, randomBytes, type KeyObject } from 'node:crypto';
import * as der from './der.ts';
import { publicKeyDer } from './keys.ts';
import { naturalHash, signBytes } from './sign-with-key.ts';

const SIGNATURE_OIDS = {
  ec: { sha256: '1.2.840.10045.4.3.2', sha384: '1.2.840.10045.4.3.3', sha512: '1.2.840.10045.4.3.4' },
  rsa: { sha256: '1.2.840.113549.1.1.11', sha384: '1.2.840.113549.1.1.12', sha512: '1.2.840.113549.1.1.13' },
} as const;

/** Extended key usages by purpose. */
export const KEY_PURPOSE = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  timeStamping: '1.3.6.1.5.5.7.3.8',
} as const;

/** Everything in a certificate but the signature; names and extensions are DER. */
export interface CertificateFields {
  readonly serial: Buffer;
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

/** A positive serial number of 20 bytes. */
export function randomSerial(): Buffer {
  const serial = randomBytes(20);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

/** A distinguished name with organization and common name; without a common name it is empty. */
export function distinguishedName(commonName?: string, organization = 'models.test'): Buffer {
  if (commonName === undefined) return der.sequence();
  return der.sequence(nameAttribute('2.5.4.10', organization), nameAttribute('2.5.4.3', commonName));
}

/** An extension from the DER (or raw bytes) of its value. */
export function extension(oid: string, value: Buffer, critical = false): Buffer {
  const flag = critical ? [der.boolean(true)] : [];
  return der.sequence(der.objectIdentifier(oid), ...flag, der.octetString(value));
}

/** Basic constraints: a CA (with a path length when given), or explicitly none. */
export function basicConstraints(ca: boolean, pathLength?: number): Buffer {
  const fields = ca ? [der.boolean(true)] : [];
  if (pathLength !== undefined) fields.push(der.integer(pathLength));
  return extension('2.5.29.19', der.sequence(...fields), true);
}

/** Key usage: signing data, or signing certificates and revocation lists. */
export function keyUsage(usage: 'digitalSignature' | 'certificateSigning'): Buffer {
  const bits =
    usage === 'digitalSignature'
      ? der.bitString(Buffer.from([0x80]), 7)
      : der.bitString(Buffer.from([0x06]), 1);
  return extension('2.5.29.15', bits, true);
}

/** Extended key usage for these purposes (OIDs). */
export function extendedKeyUsage(purposes: readonly string[], critical = false): Buffer {
  return extension('2.5.29.37', der.sequence(...purposes.map((oid) => der.objectIdentifier(oid))), critical);
}

/** The key identifier of RFC 5280: SHA-1 of the key's bits. */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha1').update(publicKeyBits(publicKey)).digest();
}

/** Subject key identifier. */
export function subjectKeyIdentifier(publicKey: KeyObject): Buffer {
  return extension('2.5.29.14', der.octetString(keyIdentifier(publicKey)));
}

/** Authority key identifier. */
export function authorityKeyIdentifier(issuerKey: KeyObject): Buffer {
  return extension('2.5.29.35', der.sequence(der.taggedPrimitive(0, keyIdentifier(issuerKey))));
}

/** The part of a certificate that is signed, for an issuer with this key. */
export function encodeTbs(fields: CertificateFields, issuerKey: KeyObject): Buffer {
  return der.sequence(
    der.tagged(0, der.integer(2)),
    der.integer(fields.serial),
    signatureAlgorithm(issuerKey),
    fields.issuer,
    der.sequence(der.certificateTime(fields.notBefore), der.certificateTime(fields.notAfter)),
    fields.subject,
    publicKeyDer(fields.publicKey),
    der.tagged(3, der.sequence(...fields.extensions)),
  );
}

/** The certificate: fields signed with the issuer's private key. */
export function encodeCertificate(fields: CertificateFields, issuerKey: KeyObject): Buffer {
  const tbs = encodeTbs(fields, issuerKey);
  return der.sequence(tbs, signatureAlgorithm(issuerKey), der.bitString(signBytes(tbs, issuerKey)));
}

/** DER as PEM text. */
export function certificatePem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/gu) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** The algorithm identifier of signatures by this key. */
export function signatureAlgorithm(key: KeyObject): Buffer {
  if (key.asymmetricKeyType === 'ed25519') return der.sequence(der.objectIdentifier('1.3.101.112'));
  const hash = naturalHash(key);
  if (key.asymmetricKeyType !== 'rsa') return der.sequence(der.objectIdentifier(SIGNATURE_OIDS.ec[hash]));
  return der.sequence(der.objectIdentifier(SIGNATURE_OIDS.rsa[hash]), der.nullValue());
}

function nameAttribute(oid: string, value: string): Buffer {
  return der.setOf(der.sequence(der.objectIdentifier(oid), der.utf8String(value)));
}

// The key itself without its algorithm: what follows the SPKI's algorithm identifier, less the bit count.
function publicKeyBits(publicKey: KeyObject): Buffer {
  const jwk = publicKey.export({ format: 'jwk' });
  if (jwk.kty !== 'EC') return publicKey.export({ type: 'spki', format: 'der' });
  const [x, y] = [Buffer.from(jwk.x ?? '', 'base64url'), Buffer.from(jwk.y ?? '', 'base64url')];
  return Buffer.concat([Buffer.from([0x04]), x, y]);
}
