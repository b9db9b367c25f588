// Did a short-lived certificate of a trusted CA sign this, at a time that somebody trusted recorded? One straight line:
// leaf, observers, chain, certificate logs, signature; then the second opinion. Whom it names is matched elsewhere.
import { sha256Hex } from '../lib/digest.ts';
import type { KeylessAuthority } from './authority.ts';
import type { SignedEvidence } from './signed-evidence.ts';
import { verifyLeafChain } from './certificate-chain.ts';
import { parseLeafCertificate, type LeafCertificate } from './certificate.ts';
import type { SignedContent } from './content.ts';
import { requireEntryForms, requireProofs } from './entry-forms.ts';
import { SignatureError } from './error.ts';
import { toLogFacts, toTimeFacts, type SignerFacts, type VerifyOptions } from './facts.ts';
import {
  earliestOf,
  MAX_CLOCK_SKEW_MS,
  toRequiredTrust,
  verifyObservations,
  type Evidence,
  type RequiredTrust,
} from './observers.ts';
import { requireIssuers } from './prepared-trust.ts';
import { refuseRevoked } from './revoked.ts';
import { verifyCertificateTimestamps } from './sct.ts';
import { witnessCertificate } from './witness.ts';

export { MAX_CLOCK_SKEW_MS };

/** A certificate's signature with everything that came along. */
export interface CertificateSignature extends Evidence {
  /** DER of the leaf. */
  readonly leafDer: Buffer;
  readonly content: SignedContent;
}

/** Verifies the signer of a keyless candidate, whoever it is. @throws SignatureError */
export function verifyKeyless(
  { signed }: { readonly signed: SignedEvidence },
  authority: Omit<KeylessAuthority, 'name' | 'identities'>,
  options: VerifyOptions,
): SignerFacts {
  if (signed.material.kind === 'certificateChain')
    throw new SignatureError(
      'UnsupportedFormat',
      'it carries a certificate chain, which keyless signatures do not',
    );
  if (signed.material.kind !== 'certificate')
    throw new SignatureError(
      'SignerNotTrusted',
      'it is signed with a key where the authority names identities',
    );
  const { content, logEntries, timestamps } = signed;
  const required = toRequiredTrust(authority);
  requireEntryForms(signed, required.trust);
  requireProofs(signed);
  const signature = { leafDer: signed.material.der, content, logEntries, timestamps };
  return verifyCertificateSignature(signature, required, options);
}

/**
 * Verifies a signature by a certificate of the trust root; whose certificate it is, the caller decides.
 * @throws SignatureError
 */
export function verifyCertificateSignature(
  signature: CertificateSignature,
  required: RequiredTrust,
  { now, secondOpinion = 'before' }: VerifyOptions,
): SignerFacts {
  requireIssuers(required.trust);
  const leaf = parseLeafCertificate(signature.leafDer);
  const { content } = signature;
  const observations = verifyObservations(signature, { content, signerDer: leaf.der }, required, now);
  const { times } = observations;
  const signedAt = earliestOf(times);
  // Without a trusted time a short-lived certificate proves nothing, whatever the requirements say.
  if (signedAt === undefined)
    throw new SignatureError('TimestampInvalid', 'nobody trusted recorded when it was signed');
  const { trust, requirements } = required;
  const { issuer, authority } = verifyLeafChain(
    leaf.certificate,
    trust.certificateAuthorities,
    times.map(({ at }) => at),
  );
  const chain = [leaf.certificate, ...authority.chain.map(({ certificate }) => certificate)];
  refuseRevoked(
    {
      spkis: chain.map(({ spki }) => sha256Hex(spki)),
      certificateSerials: chain.map(({ serial }) => serial.toString('hex')),
      artifactDigests: [],
    },
    required.revoked,
  );
  verifyCertificateTimestamps(leaf, issuer.certificate, {
    logs: trust.certificateLogs,
    required: requirements.certificateTimestamps,
    notAfter: new Date(now.getTime() + MAX_CLOCK_SKEW_MS),
  });
  const algorithm = content.findAlgorithm(leaf.publicKey);
  if (algorithm === undefined)
    throw new SignatureError('SignatureInvalid', 'the certificate’s key did not sign it');
  const opinion =
    secondOpinion === 'off'
      ? 'off'
      : witnessCertificate({ leaf, algorithm, content, observations }, required);
  return {
    ...toIdentityFacts(leaf),
    signedAt,
    ...toTimeFacts(times),
    logs: toLogFacts(observations.entries),
    secondOpinion: opinion,
  };
}

function toIdentityFacts(
  leaf: LeafCertificate,
): Pick<SignerFacts, 'issuer' | 'subject' | 'claims' | 'keyFingerprint' | 'certificate'> {
  const { issuer, subject, claims, keyFingerprint, serial, notBefore, notAfter } = leaf;
  return { issuer, subject, claims, keyFingerprint, certificate: { serial, notBefore, notAfter } };
}
