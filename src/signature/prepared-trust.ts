// What of a trusted root can be used, and how? Certificates read once by our own reader, links inside chains verified
// once, keys imported once. One bad authority is left out with a note. A root without any that may issue is of use for
// logs and timestamps alone.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { DerError } from '../lib/der.ts';
import { quote, toErrorMessage } from '../lib/text.ts';
import {
  isWithin,
  type CertificateAuthority,
  type LogAuthority,
  type TrustedRoot,
  type Validity,
} from '../trust/trusted-root.ts';
import { SignatureError } from './error.ts';
import { isIssuedBy, requireAuthority, requirePurpose, requireTimestampSigner } from './certificate-role.ts';
import { isStrongKey } from './signature-algorithm.ts';
import { readCertificate, type Certificate } from './x509.ts';

/** A certificate of an authority with its imported key. */
export interface PreparedCertificate {
  readonly certificate: Certificate;
  readonly key: KeyObject;
}

/** A chain whose links are proven: each certificate is issued by the next. The last is the anchor, self-signed or not. */
export interface PreparedAuthority {
  readonly uri: string;
  /** Who runs it: authorities of one operator count once, and so do all whose operator the root does not name. */
  readonly operator: string;
  readonly chain: readonly PreparedCertificate[];
  readonly validFor: Validity;
}

/** A log with a strong key; its operator counts as an authority's does. */
export type PreparedLog = LogAuthority;

/** A trusted root, ready for use. */
export interface PreparedTrust {
  readonly certificateAuthorities: readonly PreparedAuthority[];
  readonly timestampAuthorities: readonly PreparedAuthority[];
  readonly logs: readonly PreparedLog[];
  readonly certificateLogs: readonly PreparedLog[];
  /** Why authorities were left out, one clause each. */
  readonly notes: readonly string[];
}

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';

const prepared = new WeakMap<TrustedRoot, PreparedTrust>();

/** As {@link prepareTrust}, remembered for the root. */
export function preparedTrustOf(root: TrustedRoot): PreparedTrust {
  const known = prepared.get(root);
  if (known !== undefined) return known;
  const trust = prepareTrust(root);
  prepared.set(root, trust);
  return trust;
}

/** Prepares a root. */
export function prepareTrust(root: TrustedRoot): PreparedTrust {
  const notes: string[] = [];
  const trust = {
    certificateAuthorities: keepUsable('certificate authority', root.certificateAuthorities, notes, toIssuer),
    timestampAuthorities: keepUsable('timestamp authority', root.timestampAuthorities, notes, toTimestamper),
    logs: keepUsable('log', root.logs, notes, toLog),
    certificateLogs: keepUsable('certificate log', root.certificateLogs, notes, toLog),
  };
  return { ...trust, notes };
}

/** Requires somebody who may issue certificates. @throws SignatureError `TrustRootUnavailable` */
export function requireIssuers({ certificateAuthorities, notes }: PreparedTrust): void {
  if (certificateAuthorities.length === 0)
    throw new SignatureError(
      'TrustRootUnavailable',
      `the trusted root has no usable certificate authority: ${quote(notes[0] ?? '', 200)}`,
    );
}

function keepUsable<From, To>(
  kind: string,
  authorities: readonly From[],
  notes: string[],
  prepare: (authority: From) => To,
): readonly To[] {
  const usable: To[] = [];
  for (const [index, authority] of authorities.entries()) {
    try {
      usable.push(prepare(authority));
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
      notes.push(`${kind} ${index} is left out: ${error.message}`);
    }
  }
  return usable;
}

function toIssuer(authority: CertificateAuthority): PreparedAuthority {
  const chain = toChain(authority.chain);
  for (const [below, { certificate }] of chain.entries()) {
    requireAuthority(certificate, below);
    requirePurpose(certificate, CODE_SIGNING);
  }
  return toPrepared(authority, chain);
}

function toTimestamper(authority: CertificateAuthority): PreparedAuthority {
  const chain = toChain(authority.chain);
  const [signer, ...issuers] = chain;
  if (signer === undefined) throw new DerError('its chain is empty');
  requireTimestampSigner(signer.certificate);
  for (const [below, { certificate }] of issuers.entries()) {
    requireAuthority(certificate, below);
    requirePurpose(certificate, TIME_STAMPING);
  }
  return toPrepared(authority, chain);
}

function toPrepared(
  { uri, operator, validFor }: CertificateAuthority,
  chain: readonly PreparedCertificate[],
): PreparedAuthority {
  return { uri, operator, chain, validFor };
}

function toChain(ders: readonly Buffer[]): readonly PreparedCertificate[] {
  const chain = ders.map(toPreparedCertificate);
  for (const [index, { certificate }] of chain.entries()) {
    const issuer = chain[index + 1];
    if (issuer !== undefined && !isIssuedBy(certificate, issuer))
      throw new DerError(`its certificate ${index} is not issued by the next one`);
  }
  return chain;
}

function toPreparedCertificate(der: Buffer): PreparedCertificate {
  const certificate = readCertificate(der);
  let key: KeyObject;
  try {
    key = createPublicKey({ key: certificate.spki, format: 'der', type: 'spki' });
  } catch (error) {
    throw new DerError(`its key cannot be read: ${quote(toErrorMessage(error), 80)}`);
  }
  if (!isStrongKey(key)) throw new DerError('its key is of a kind or size that is not trusted');
  return { certificate, key };
}

function toLog(log: LogAuthority): PreparedLog {
  if (!isStrongKey(log.publicKey)) throw new DerError('its key is of a kind or size that is not trusted');
  return log;
}

/** True when the authority is trusted at the instant and every certificate of its chain, from `first` on, is valid then. */
export function isAuthorityValidAt({ chain, validFor }: PreparedAuthority, at: Date, first = 0): boolean {
  return (
    isWithin(at, validFor) &&
    chain.slice(first).every(({ certificate }) => isCertificateValidAt(certificate, at))
  );
}

/** True when the instant lies in the certificate's validity; both ends belong to it (RFC 5280 §4.1.2.5). */
export function isCertificateValidAt({ notBefore, notAfter }: Certificate, at: Date): boolean {
  return isWithin(at, { start: notBefore, end: notAfter });
}
