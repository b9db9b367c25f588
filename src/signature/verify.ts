// Does this candidate prove that an authority signed this model? Pure and synchronous; one straight line per kind of
// authority. Returns facts, or throws the one reason why the candidate does not count.
import type { ImageIndex, ImageManifest } from '../model/manifest.ts';
import { splitDigest } from '../lib/digest.ts';
import { quote } from '../lib/text.ts';
import type { KeyAuthority, SigningAuthority } from './authority.ts';
import type { SignatureCandidate } from './candidate.ts';
import { SignatureError } from './error.ts';
import type { SignatureFacts } from './facts.ts';
import { verifyEnvelope } from './dsse.ts';
import { verifyKeyless } from './keyless.ts';
import { verifyPrivatePki } from './private-pki.ts';
import { verifyModelFiles } from './model-signing.ts';
import { requireSignatureSubject } from './statement.ts';
import { witnessKeySignature } from './witness.ts';

/** What a signature must be about. */
export interface SignedSubject {
  /** Digest of the manifest bytes. */
  readonly digest: string;
  readonly manifest: ImageManifest | ImageIndex;
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
  const signer = verifySigner(candidate, authority, now);
  // What was signed is only looked at once it is known who signed it.
  verifySubject(candidate, subject);
  return {
    ...signer,
    format: candidate.format,
    annotations:
      candidate.format === 'CosignBundle' ? requireSignatureSubject(candidate.statement).annotations : {},
  };
}

/**
 * Verifies who signed a candidate, not what was signed.
 * @throws SignatureError
 */
export function verifySigner(
  candidate: SignatureCandidate,
  authority: SigningAuthority,
  now: Date,
): SignerFacts {
  if (authority.kind === 'key') return verifyKey(candidate, authority);
  if (authority.kind === 'keyless') return verifyKeyless(candidate, authority, now);
  return verifyPrivatePki(candidate, authority, now);
}

/** What is known of a signer, before the format is added. */
export type SignerFacts = Omit<SignatureFacts, 'format' | 'annotations'>;

function verifyKey({ bundle }: SignatureCandidate, authority: KeyAuthority): SignerFacts {
  if (bundle.material.kind !== 'publicKey')
    throw new SignatureError(
      'SignerNotTrusted',
      'it is signed with a certificate where the authority names keys',
    );
  const { hint } = bundle.material;
  for (const { key, fingerprint } of authority.keys) {
    if (!verifyEnvelope(bundle.envelope, key)) continue;
    witnessKeySignature(bundle.envelope, key);
    return { issuer: '', subject: '', claims: {}, keyFingerprint: fingerprint, timeSources: [], logs: [] };
  }
  // The hint is the bundle's own claim: good enough to choose between two words, never to trust.
  const isNamed = hint !== undefined && authority.keys.some(({ hints }) => hints.has(hint));
  throw isNamed
    ? new SignatureError('SignatureInvalid', 'it names a trusted key, but that key did not sign it')
    : new SignatureError('SignerNotTrusted', 'none of the authority’s keys signed it');
}

function verifySubject({ format, statement }: SignatureCandidate, subject: SignedSubject): void {
  if (format === 'ModelSigning') {
    if (subject.manifest.kind === 'index')
      throw new SignatureError(
        'UnsupportedFormat',
        'files are signed, and an image index has none: sign the files of each of its manifests',
      );
    verifyModelFiles(statement, subject.manifest);
    return;
  }
  const { algorithm, hex } = splitDigest(subject.digest);
  const signed = requireSignatureSubject(statement).digest;
  if (signed[algorithm] !== hex)
    throw new SignatureError(
      'SubjectMismatch',
      `it is about ${quote(`${algorithm}:${signed[algorithm] ?? '(none)'}`, 80)}`,
    );
}
