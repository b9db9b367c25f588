// Who issues certificates? Root and intermediate authorities with the profile of Fulcio, of a timestamp
// authority or of a company PKI. Leaves the contents of identity certificates to identity-certificate.ts.
import type { KeyObject } from 'node:crypto';
import {
  authorityKeyIdentifier,
  basicConstraints,
  distinguishedName,
  encodeCertificate,
  extendedKeyUsage,
  keyUsage,
  randomSerial,
  subjectKeyIdentifier,
  type CertificateFields,
} from './certificate.ts';
import { generateSigningKey, type SigningKey, type SigningKeyKind } from './keys.ts';

/** Authorities of the kit are valid for as long as anything here is. */
export const AUTHORITY_VALIDITY = {
  notBefore: new Date('2020-01-01T00:00:00Z'),
  notAfter: new Date('2046-01-01T00:00:00Z'),
} as const;

/** A certificate with the key to issue more under it. */
export interface Issuer {
  readonly certificate: Buffer;
  /** DER of the distinguished name. */
  readonly name: Buffer;
  readonly key: SigningKey;
  /** This certificate and those above it, up to the root. */
  readonly chain: readonly Buffer[];
}

/** What makes an authority different from the next one. */
export interface AuthorityOptions {
  readonly kind?: SigningKeyKind;
  readonly pathLength?: number;
  /** Extended key usages of an intermediate (OIDs). */
  readonly purposes?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** What an issued certificate is for. */
export interface IssueRequest {
  readonly publicKey: KeyObject;
  readonly commonName?: string;
  /** Random when absent. */
  readonly serial?: Buffer;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** DER extensions beyond the two key identifiers. */
  readonly extensions: readonly Buffer[];
}

/** A self-signed root, P-384 unless told otherwise. */
export function createRootAuthority(commonName: string, options: AuthorityOptions = {}): Issuer {
  const key = generateSigningKey(options.kind ?? 'p384');
  const name = distinguishedName(commonName);
  const fields = {
    serial: randomSerial(),
    issuer: name,
    subject: name,
    ...AUTHORITY_VALIDITY,
    ...validity(options),
    publicKey: key.publicKey,
    extensions: [...authorityExtensions(options), subjectKeyIdentifier(key.publicKey)],
  };
  const certificate = encodeCertificate(fields, key.privateKey);
  return { certificate, name, key, chain: [certificate] };
}

/** An authority below another one, P-256 unless told otherwise. */
export function createIntermediateAuthority(
  parent: Issuer,
  commonName: string,
  options: AuthorityOptions = {},
): Issuer {
  const key = generateSigningKey(options.kind ?? 'p256');
  const certificate = issueCertificate(parent, {
    publicKey: key.publicKey,
    commonName,
    ...validity(options),
    extensions: authorityExtensions(options),
  });
  return { certificate, name: distinguishedName(commonName), key, chain: [certificate, ...parent.chain] };
}

/** What the issuer would sign for the request: all fields, with a serial number and both key identifiers. */
export function certificateFields(issuer: Issuer, request: IssueRequest): CertificateFields {
  return {
    serial: request.serial ?? randomSerial(),
    issuer: issuer.name,
    subject: distinguishedName(request.commonName),
    ...AUTHORITY_VALIDITY,
    ...validity(request),
    publicKey: request.publicKey,
    extensions: [
      ...request.extensions,
      subjectKeyIdentifier(request.publicKey),
      authorityKeyIdentifier(issuer.key.publicKey),
    ],
  };
}

/** A certificate signed by the issuer; without a common name its subject is empty, as Fulcio leaves it. */
export function issueCertificate(issuer: Issuer, request: IssueRequest): Buffer {
  return encodeCertificate(certificateFields(issuer, request), issuer.key.privateKey);
}

function authorityExtensions({ pathLength, purposes }: AuthorityOptions): Buffer[] {
  const usages = purposes === undefined ? [] : [extendedKeyUsage(purposes)];
  return [basicConstraints(true, pathLength), keyUsage('certificateSigning'), ...usages];
}

function validity(from: { readonly notBefore?: Date; readonly notAfter?: Date }): {
  notBefore?: Date;
  notAfter?: Date;
} {
  const { notBefore, notAfter } = from;
  return { ...(notBefore && { notBefore }), ...(notAfter && { notAfter }) };
}
