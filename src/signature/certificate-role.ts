// May this certificate issue, or stamp times? The parts of RFC 5280 path validation that hold for every instant;
// windows are checked where the instant is known.
import type { KeyObject } from 'node:crypto';
import { DerError } from '../lib/der.ts';
import { verifyWithAlgorithm } from './signature-algorithm.ts';
import {
  EXTENSION,
  hasKeyUsage,
  readAuthorityKeyId,
  readBasicConstraints,
  readPurposes,
  readSubjectKeyId,
  type Certificate,
} from './x509.ts';

const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
const ANY_PURPOSE = '2.5.29.37.0';
const KEY_USAGE_BIT = { digitalSignature: 0, nonRepudiation: 1, keyCertSign: 5 } as const;
/** Critical extensions that these checks understand (RFC 5280 §4.2). */
const UNDERSTOOD = new Set<string>([
  EXTENSION.keyUsage,
  EXTENSION.basicConstraints,
  EXTENSION.extendedKeyUsage,
  EXTENSION.subjectAltName,
]);

/**
 * True when the parent's key signed the child and the names agree (RFC 5280 §6.1.3 (a)(1) and (a)(4)). Names are
 * compared by their bytes, which is stricter than §7.1.
 */
export function isIssuedBy(
  child: Certificate,
  parent: { readonly certificate: Certificate; readonly key: KeyObject },
): boolean {
  if (!child.issuer.equals(parent.certificate.subject)) return false;
  if (!haveMatchingKeyIds(child, parent.certificate)) return false;
  return verifyWithAlgorithm(child.algorithm, parent.key, child.tbs, child.signature);
}

// RFC 5280 §4.2.1.1: identifiers only help to choose; where both are there, they must not contradict. Those of a stranger
// that cannot be read match nothing.
function haveMatchingKeyIds(child: Certificate, parent: Certificate): boolean {
  try {
    const [wanted, actual] = [readAuthorityKeyId(child), readSubjectKeyId(parent)];
    return wanted === undefined || actual === undefined || wanted.equals(actual);
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

/**
 * Requires a certificate that may issue certificates.
 * @param below number of intermediate certificates between it and the leaf
 * @throws DerError naming what is missing
 */
export function requireAuthority(certificate: Certificate, below: number): void {
  requireKnownExtensions(certificate);
  // RFC 5280 §6.1.4 (k), (m), (n).
  const { isCa, pathLength } = readBasicConstraints(certificate);
  if (!isCa) throw new DerError('one of its issuers is no CA');
  if (pathLength !== undefined && pathLength < below) throw new DerError('its path length is exceeded');
  if (!hasKeyUsage(certificate, KEY_USAGE_BIT.keyCertSign))
    throw new DerError('one of its issuers may not sign certificates');
  // RFC 5280 §4.2.1.10: constraints must be applied or the path refused; they are not applied here.
  if (certificate.extensions.has(EXTENSION.nameConstraints))
    throw new DerError('one of its issuers has name constraints, which are not supported');
}

/** Requires that an issuer restricted to purposes has this one among them, as every verifier in the field does. @throws DerError */
export function requirePurpose(certificate: Certificate, purpose: string): void {
  const purposes = readPurposes(certificate);
  if (purposes !== undefined && !purposes.includes(purpose) && !purposes.includes(ANY_PURPOSE))
    throw new DerError('one of its issuers is for other purposes');
}

/** Requires a signer of timestamps. @throws DerError naming what is missing */
export function requireTimestampSigner(certificate: Certificate): void {
  requireKnownExtensions(certificate);
  // RFC 3161 §2.3: time stamping and nothing else. That the extension is critical, as the clause also asks, would refuse
  // GitHub's authority, and changes nothing for whoever reads the extension.
  const purposes = readPurposes(certificate);
  if (purposes?.length !== 1 || purposes[0] !== TIME_STAMPING)
    throw new DerError('its signer is not for time stamping only');
  if (readBasicConstraints(certificate).isCa) throw new DerError('its signer is a CA');
  const { digitalSignature, nonRepudiation } = KEY_USAGE_BIT;
  const hasUsage = certificate.extensions.has(EXTENSION.keyUsage);
  if (hasUsage && !hasKeyUsage(certificate, digitalSignature) && !hasKeyUsage(certificate, nonRepudiation))
    throw new DerError('its signer is not for signatures');
}

function requireKnownExtensions({ extensions }: Certificate): void {
  for (const [oid, { isCritical }] of extensions)
    if (isCritical && !UNDERSTOOD.has(oid))
      throw new DerError(`it has the unknown critical extension ${oid}`);
}
