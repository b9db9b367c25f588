// Does this candidate prove that an authority signed this model? Pure and synchronous; one straight line per kind of
// authority. Returns facts, or throws the one reason why the candidate does not count.
import type { ImageManifest } from '../model/manifest.ts';
import { splitDigest } from '../lib/digest.ts';
import { quote } from '../lib/text.ts';
import type { KeyAuthority, SigningAuthority } from './authority.ts';
import type { BundleCandidate, SignatureCandidate } from './candidate.ts';
import { SignatureError } from './error.ts';
import type { SignatureFacts } from './facts.ts';
import { verifyKeyless } from './keyless.ts';
import { verifyModelFiles } from './model-signing.ts';
import { requireSignatureSubject } from './statement.ts';
import { witnessKeySignature } from './witness.ts';

/** What a signature must be about. */
export interface SignedSubject {
  /** Digest of the manifest bytes. */
  readonly digest: string;
  readonly manifest: ImageManifest;
  /** Digest of the layer `model.sig`, when it is a bundle. */
  readonly signatureLayer?: string | undefined;
}

/**
 * Verifies one candidate for one authority.
 * @param now time of the request; verified times more than five minutes later are refused
 * @throws SignatureError with the reason why the candidate does not satisfy the authority
 */
export function verifySignature(
  candidate: SignatureCandidate,
  authority: SigningAuthority,
  subject: SignedSubject,
  now: Date,
): SignatureFacts {
  if (!authority.signatureFormats.has(candidate.format))
    throw new SignatureError(
      'SignerNotTrusted',
      `a ${candidate.format} signature is present, but signatureFormats does not list it`,
    );
  const signer =
    authority.kind === 'key' ? verifyKey(candidate, authority) : verifyKeyless(candidate, authority, now);
  // What was signed is only looked at once it is known who signed it.
  verifySubject(candidate, subject);
  return { ...signer, format: candidate.format, annotations: readAnnotations(candidate) };
}

function readAnnotations(candidate: SignatureCandidate): SignatureFacts['annotations'] {
  if (candidate.format === 'CosignSimpleSigning') return candidate.payload.annotations;
  return candidate.format === 'CosignBundle' ? requireSignatureSubject(candidate.statement).annotations : {};
}

/** What is known of a signer, before the format is added. */
export type SignerFacts = Omit<SignatureFacts, 'format' | 'annotations'>;

function verifyKey({ signed }: SignatureCandidate, authority: KeyAuthority): SignerFacts {
  if (signed.material.kind !== 'publicKey')
    throw new SignatureError(
      'SignerNotTrusted',
      'it is signed with a certificate where the authority names keys',
    );
  const { hint } = signed.material;
  for (const { key, fingerprint } of authority.keys) {
    if (signed.content.findAlgorithm(key) === undefined) continue;
    witnessKeySignature(signed.content, key);
    return { issuer: '', subject: '', claims: {}, keyFingerprint: fingerprint, timeSources: [], logs: [] };
  }
  // The hint is the bundle's own claim: good enough to choose between two words, never to trust.
  const isNamed = hint !== undefined && authority.keys.some(({ hints }) => hints.has(hint));
  throw isNamed
    ? new SignatureError('SignatureInvalid', 'it names a trusted key, but that key did not sign it')
    : new SignatureError('SignerNotTrusted', 'none of the authority’s keys signed it');
}

function verifySubject(candidate: SignatureCandidate, subject: SignedSubject): void {
  if (candidate.format === 'ModelSigning') {
    verifyModelFiles(candidate.statement, subject.manifest, {
      digest: subject.signatureLayer,
      holdsStatement: candidate.isFromLayer === true,
    });
    return;
  }
  const signed =
    candidate.format === 'CosignSimpleSigning'
      ? candidate.payload.digest
      : readSignedDigest(candidate, subject.digest);
  if (signed !== subject.digest)
    throw new SignatureError('SubjectMismatch', `it is about ${quote(signed, 80)}`);
}

function readSignedDigest({ statement }: BundleCandidate, digest: string): string {
  const { algorithm } = splitDigest(digest);
  const signed = requireSignatureSubject(statement).digest;
  return `${algorithm}:${signed[algorithm] ?? '(none)'}`;
}
