// Shared by the tests of private PKIs: a root, an intermediate and signers, any part of which can be wrong on purpose.
import { sign, type KeyObject } from 'node:crypto';
import * as der from '../../src/demo/der.ts';
import {
  createIntermediateAuthority,
  createRootAuthority,
  issueCertificate,
  type Issuer,
  type IssueRequest,
} from '../../src/demo/certificate-authority.ts';
import {
  basicConstraints,
  certificatePem,
  distinguishedName,
  extendedKeyUsage,
  extension,
  KEY_PURPOSE,
  keyUsage,
  type CertificateFields,
} from '../../src/demo/certificate.ts';
import { generateSigningKey, publicKeyDer, type SigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey, type DsseEnvelope } from '../../src/demo/sign-with-key.ts';
import type { LogEntry } from '../../src/demo/transparency-log.ts';
import type { CertificateAuthority } from '../../src/signature/authority.ts';
import { parseCertificates } from '../../src/signature/certificate-pem.ts';
import type { PathCertificate } from '../../src/signature/certificate-path.ts';
import { createExactMatcher } from '../../src/signature/identity.ts';
import { STATEMENT } from './support.ts';

export const SIGNER = 'https://models.acme.test/release';

/** A general name by its tag number: 1 e-mail, 2 DNS, 6 URI. */
export type Name = readonly [1 | 2 | 6, string];

export function alternativeNames(...names: readonly Name[]): Buffer {
  return extension(
    '2.5.29.17',
    der.sequence(...names.map(([tag, text]) => der.taggedPrimitive(tag, Buffer.from(text, 'latin1')))),
  );
}

/** The extensions of a proper signer; `without` leaves some out by OID. */
export function leafExtensions(
  more: readonly Buffer[] = [alternativeNames([6, SIGNER])],
  purposes: readonly string[] = [KEY_PURPOSE.codeSigning],
): Buffer[] {
  return [
    basicConstraints(false),
    keyUsage('digitalSignature'),
    ...(purposes.length === 0 ? [] : [extendedKeyUsage(purposes)]),
    ...more,
  ];
}

export interface Pki {
  readonly root: Issuer;
  readonly intermediate: Issuer;
}

export function createPki(): Pki {
  const root = createRootAuthority('pki-root');
  return { root, intermediate: createIntermediateAuthority(root, 'pki-int', { pathLength: 0 }) };
}

/** The bundle of a signer that this issuer certified; the chain is as given, after the leaf. */
export function signAs(
  issuer: Issuer,
  request: Partial<IssueRequest> = {},
  chain: readonly Buffer[] = issuer.chain.slice(0, -1),
): { readonly bundle: object; readonly key: SigningKey; readonly leaf: Buffer } {
  const key = generateSigningKey('p256');
  const leaf = issueCertificate(issuer, {
    publicKey: key.publicKey,
    commonName: 'signer',
    extensions: leafExtensions(),
    ...request,
  });
  return { bundle: signWith(key, [leaf, ...chain]), key, leaf };
}

export function signWith(
  key: { readonly privateKey: KeyObject },
  chain: readonly Buffer[],
  statement: object = STATEMENT,
): object {
  return signBundleWithKey(statement, key, { certificateChain: chain });
}

export function certificatesOf(...ders: readonly Buffer[]): readonly PathCertificate[] {
  const parsed = parseCertificates(ders.map(certificatePem).join(''));
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.certificates;
}

export function pkiAuthority(
  roots: readonly Buffer[],
  more: Partial<CertificateAuthority> = {},
): CertificateAuthority {
  return {
    kind: 'certificate',
    name: 'corporate-pki',
    signatureFormats: new Set(['CosignBundle']),
    roots: certificatesOf(...roots),
    intermediates: [],
    identities: [{ subjectURI: createExactMatcher(SIGNER) }],
    extendedKeyUsage: 'CodeSigning',
    ...more,
  };
}

/** A certificate signed with any algorithm, also those that nobody should use. */
export function encodeSignedBy(
  fields: CertificateFields,
  issuerKey: KeyObject,
  { oid, hash }: { readonly oid: string; readonly hash: string },
): Buffer {
  const algorithm = der.sequence(der.objectIdentifier(oid), der.nullValue());
  const tbs = der.sequence(
    der.tagged(0, der.integer(2)),
    der.integer(fields.serial),
    algorithm,
    fields.issuer,
    der.sequence(der.certificateTime(fields.notBefore), der.certificateTime(fields.notAfter)),
    fields.subject,
    publicKeyDer(fields.publicKey),
    der.tagged(3, der.sequence(...fields.extensions)),
  );
  return der.sequence(tbs, algorithm, der.bitString(sign(hash, tbs, issuerKey)));
}

/** An authority's certificate with any extensions, issued by another. */
export function createAuthorityWith(
  parent: Issuer,
  commonName: string,
  extensions: readonly Buffer[],
  key: SigningKey = generateSigningKey('p256'),
): Issuer {
  const certificate = issueCertificate(parent, { publicKey: key.publicKey, commonName, extensions });
  return { certificate, name: distinguishedName(commonName), key, chain: [certificate, ...parent.chain] };
}

/** Extensions of an authority. */
export const AUTHORITY_EXTENSIONS: readonly Buffer[] = [
  basicConstraints(true),
  keyUsage('certificateSigning'),
];

/** What somebody saw of a private PKI's bundle. */
export interface Seen {
  /** RFC 3161 responses over the signature. */
  readonly stamps?: readonly ((signature: Buffer) => Buffer)[];
  /** Log entries, given the envelope. */
  readonly entries?: readonly ((envelope: DsseEnvelope) => LogEntry)[];
}

/** The bundle with timestamps and log entries beside its chain. */
export function withSeen(bundle: object, { stamps = [], entries = [] }: Seen): object {
  const { dsseEnvelope, verificationMaterial } = bundle as {
    dsseEnvelope: DsseEnvelope;
    verificationMaterial: object;
  };
  const signature = Buffer.from(dsseEnvelope.signatures[0]?.sig ?? '', 'base64');
  const rfc3161Timestamps = stamps.map((stamp) => ({
    signedTimestamp: stamp(signature).toString('base64'),
  }));
  return {
    ...bundle,
    verificationMaterial: {
      ...verificationMaterial,
      tlogEntries: entries.map((entry) => entry(dsseEnvelope)),
      timestampVerificationData: { rfc3161Timestamps },
    },
  };
}
