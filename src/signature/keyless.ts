// Did a short-lived certificate of a trusted CA sign this, at a time that somebody trusted recorded? One straight line:
// leaf, observers, chain, certificate logs, signature; then the second opinion. Whom it names is matched elsewhere.
import { sha256Hex } from '../lib/digest.ts';
import type { KeylessAuthority } from './authority.ts';
import type { LogEntry } from './bundle.ts';
import type { SignatureCandidate } from './candidate.ts';
import { verifyLeafChain } from './certificate-chain.ts';
import { parseLeafCertificate, type LeafCertificate } from './certificate.ts';
import type { SignedContent } from './content.ts';
import { SignatureError } from './error.ts';
import { toLogFacts, toTimeFacts, type SignerFacts, type VerifyOptions } from './facts.ts';
import {
  earliestOf,
  MAX_CLOCK_SKEW_MS,
  verifyObservations,
  type Evidence,
  type RequiredTrust,
} from './observers.ts';
import { preparedTrustOf } from './prepared-trust.ts';
import { refuseRevoked } from './revoked.ts';
import { verifyCertificateTimestamps } from './sct.ts';
import { requireMessageEntries } from './simple-signing-log.ts';
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
  { signed }: SignatureCandidate,
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
  const { root, trustRoot, requirements, revoked } = authority;
  const trust = preparedTrustOf(root);
  const isKnown = ({ logId }: LogEntry): boolean => trust.logs.some((log) => log.logId.equals(logId));
  requireMessageEntries({ ...signed, logEntries: logEntries.filter(isKnown) });
  // Only a bundle must have the proof: cosign v2 keeps the signed entry timestamp alone.
  if (content.source.kind === 'dsse') for (const { proof } of logEntries) requireProof(proof);
  const signature = { leafDer: signed.material.der, content, logEntries, timestamps };
  return verifyCertificateSignature(signature, { trust, trustRoot, requirements, revoked }, options);
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

// sigstore_bundle.proto: since v0.2 an entry must have its inclusion proof; a promise alone is v0.1.
function requireProof(proof: unknown): void {
  if (proof === undefined)
    throw new SignatureError('TransparencyLogInvalid', 'a log entry has no inclusion proof');
}
