// Who says when a signature existed? An RFC 3161 timestamp authority with the shape of Sigstore's: no embedded
// certificates, signed attributes with ESSCertIDv2, ECDSA. Leaves its trust to trusted-root.ts.
import { createHash, sign, type KeyObject } from 'node:crypto';
import * as der from './der.ts';
import {
  basicConstraints,
  distinguishedName,
  extendedKeyUsage,
  KEY_PURPOSE,
  keyUsage,
  randomSerial,
  signatureAlgorithm,
} from './certificate.ts';
import { createRootAuthority, issueCertificate } from './certificate-authority.ts';
import { generateSigningKey, type SigningKey } from './keys.ts';

const OID = {
  signedData: '1.2.840.113549.1.7.2',
  timestampInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  policy: '1.3.6.1.4.1.57264.2',
} as const;

/** What goes wrong with a timestamp; nothing by default. */
export interface TimestampFaults {
  /** `genTime` as written, such as `20260101000000.12Z`, instead of the whole second of `at`. */
  readonly genTime?: string;
  /** Signs in the authority's name. */
  readonly signingKey?: KeyObject;
  /** Hash of the stamped bytes, instead of SHA-256. */
  readonly imprint?: 'sha1';
  /** PKIStatus; 0 is granted. */
  readonly status?: number;
  /** Bytes that the signed attributes claim to be about, instead of the TSTInfo. */
  readonly digestOf?: Buffer;
  /** DER of the certificate that the signed attributes name. */
  readonly namedCertificate?: Buffer;
  /** OID of the content instead of TSTInfo, in both places. */
  readonly contentType?: string;
  /** OID of the content in the signed attributes only. */
  readonly signedContentType?: string;
  /** More DER attributes, signed with the others. */
  readonly attributes?: readonly Buffer[];
  /** DER certificates that the token brings along, unsigned. */
  readonly embedded?: readonly Buffer[];
  /** DER elements after the accuracy. */
  readonly extra?: readonly Buffer[];
}

/** A timestamp authority with its chain. */
export interface TimestampAuthority {
  readonly url: string;
  readonly commonName: string;
  /** Leaf first, then the root. */
  readonly chain: readonly Buffer[];
  /** The DER `TimeStampResp` over these bytes; the time is cut to whole seconds. */
  timestamp(bytes: Buffer, at: Date, faults?: TimestampFaults): Buffer;
}

interface Stamping {
  readonly at: Date;
  readonly faults: TimestampFaults;
}

interface Signer {
  readonly key: SigningKey;
  readonly certificate: Buffer;
  readonly name: Buffer;
  readonly issuerAndSerial: { readonly issuer: Buffer; readonly serial: Buffer };
}

/** An authority with fresh P-256 keys; `purposes` replaces the extended key usage `timeStamping`. */
export function createTimestampAuthority(
  url: string,
  commonName: string,
  purposes: readonly string[] = [KEY_PURPOSE.timeStamping],
): TimestampAuthority {
  const root = createRootAuthority(`${commonName}-root`, { kind: 'p256' });
  const key = generateSigningKey('p256');
  const serial = randomSerial();
  const name = distinguishedName(commonName);
  const certificate = issueCertificate(root, {
    publicKey: key.publicKey,
    commonName,
    serial,
    extensions: [basicConstraints(false), keyUsage('digitalSignature'), extendedKeyUsage(purposes, true)],
  });
  const signer = { key, certificate, name, issuerAndSerial: { issuer: root.name, serial } };
  return {
    url,
    commonName,
    chain: [certificate, root.certificate],
    timestamp: (bytes, at, faults = {}) =>
      timestampResponse(timestampInfo(bytes, { at, faults, name }), { at, faults }, signer),
  };
}

// version, policy, imprint, serial, time, accuracy of a second, name of the authority
function timestampInfo(bytes: Buffer, { at, faults, name }: Stamping & { readonly name: Buffer }): Buffer {
  return der.sequence(
    der.integer(1),
    der.objectIdentifier(OID.policy),
    messageImprint(bytes, faults.imprint ?? 'sha256'),
    der.integer(randomSerial()),
    faults.genTime === undefined ? der.generalizedTime(at) : der.element(0x18, Buffer.from(faults.genTime)),
    der.sequence(der.integer(1)),
    ...(faults.extra ?? []),
    der.tagged(0, der.tagged(4, name)),
  );
}

function messageImprint(bytes: Buffer, hash: 'sha1' | 'sha256'): Buffer {
  const digest = createHash(hash).update(bytes).digest();
  return der.sequence(
    der.sequence(der.objectIdentifier(OID[hash]), der.nullValue()),
    der.octetString(digest),
  );
}

function timestampResponse(info: Buffer, stamping: Stamping, signer: Signer): Buffer {
  const { status = 0, contentType = OID.timestampInfo, embedded = [] } = stamping.faults;
  const signedData = der.sequence(
    der.integer(3),
    der.setOf(sha256Algorithm()),
    der.sequence(der.objectIdentifier(contentType), der.tagged(0, der.octetString(info))),
    der.tagged(0, Buffer.concat(embedded)),
    der.setOf(signerInfo(info, stamping, signer)),
  );
  const token = der.sequence(der.objectIdentifier(OID.signedData), der.tagged(0, signedData));
  return der.sequence(der.sequence(der.integer(status)), token);
}

function signerInfo(info: Buffer, { at, faults }: Stamping, signer: Signer): Buffer {
  const { contentType = OID.timestampInfo, digestOf = info, namedCertificate = signer.certificate } = faults;
  const { issuer, serial } = signer.issuerAndSerial;
  const attributes = der.setOf(
    attribute(OID.contentType, der.objectIdentifier(faults.signedContentType ?? contentType)),
    attribute(OID.signingTime, der.utcTime(at)),
    attribute(OID.messageDigest, der.octetString(sha256(digestOf))),
    attribute(OID.signingCertificateV2, certificateReference(signer, namedCertificate)),
    ...(faults.attributes ?? []),
  );
  const signature = sign('sha256', attributes, faults.signingKey ?? signer.key.privateKey);
  return der.sequence(
    der.integer(1),
    der.sequence(issuer, der.integer(serial)),
    sha256Algorithm(),
    implicitlyTagged(attributes),
    signatureAlgorithm(signer.key.privateKey),
    der.octetString(signature),
  );
}

// ESSCertIDv2: the hash (SHA-256 is its default), and issuer and serial, of the signing certificate.
function certificateReference(signer: Signer, certificate: Buffer): Buffer {
  const { issuer, serial } = signer.issuerAndSerial;
  const issuerSerial = der.sequence(der.sequence(der.tagged(4, issuer)), der.integer(serial));
  const reference = der.sequence(der.octetString(sha256(certificate)), issuerSerial);
  return der.sequence(der.sequence(reference));
}

function attribute(oid: string, value: Buffer): Buffer {
  return der.sequence(der.objectIdentifier(oid), der.setOf(value));
}

// The attributes are signed as a SET and carried under [0].
function implicitlyTagged(set: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xa0]), set.subarray(1)]);
}

function sha256Algorithm(): Buffer {
  return der.sequence(der.objectIdentifier(OID.sha256));
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
