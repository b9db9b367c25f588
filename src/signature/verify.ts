// Does this candidate prove that an authority signed this model? Pure and synchronous; one straight line per kind of
// authority. Returns facts, or throws the one reason why the candidate does not count.
import type { ImageIndex, ImageManifest } from '../model/manifest.ts';
import { splitDigest } from '../lib/digest.ts';
import { quote } from '../lib/text.ts';
import type { KeyAuthority, SigningAuthority } from './authority.ts';
import type { BundleCandidate, SignatureCandidate } from './candidate.ts';
import { SignatureError } from './error.ts';
import type { SignatureFacts, SignerFacts, VerifyOptions } from './facts.ts';
import { verifyKeySignature } from './key.ts';
import { verifyKeyless } from './keyless.ts';
import { verifyPrivatePki } from './private-pki.ts';
import { verifyModelFiles } from './model-signing.ts';
import { preparedTrustOf } from './prepared-trust.ts';
import { refuseRevoked } from './revoked.ts';
import type { SignedEvidence } from './signed-evidence.ts';
import { requireSignatureSubject } from './statement.ts';

/** What a signature must be about. */
export interface SignedSubject {
  /** Digest of the manifest bytes. */
  readonly digest: string;
  readonly manifest: ImageManifest | ImageIndex;
  /** Digest of the layer `model.sig`, when it is a bundle. */
  readonly signatureLayer?: string | undefined;
}

/**
 * Verifies one candidate for one authority.
 * @param when time of the request, alone or with how to verify
 * @throws SignatureError with the reason why the candidate does not satisfy the authority
 */
export function verifySignature(
  candidate: SignatureCandidate,
  authority: SigningAuthority,
  subject: SignedSubject,
  when: Date | VerifyOptions,
): SignatureFacts {
  if (!authority.signatureFormats.has(candidate.format))
    throw new SignatureError(
      'SignerNotTrusted',
      `a ${candidate.format} signature is present, but signatureFormats does not list it`,
    );
  const options = when instanceof Date ? { now: when } : when;
  const signer = verifySigner(candidate, authority, options);
  // What was signed is only looked at once it is known who signed it.
  verifySubject(candidate, subject);
  if (authority.kind === 'keyless')
    refuseRevoked(
      { spkis: [], certificateSerials: [], artifactDigests: [subject.digest] },
      authority.revoked,
    );
  return { ...signer, format: candidate.format, annotations: readAnnotations(candidate) };
}

function readAnnotations(candidate: SignatureCandidate): SignatureFacts['annotations'] {
  if (candidate.format === 'CosignSimpleSigning') return candidate.payload.annotations;
  return candidate.format === 'CosignBundle' ? requireSignatureSubject(candidate.statement).annotations : {};
}

/**
 * Verifies who signed a candidate, not what was signed.
 * @throws SignatureError
 */
export function verifySigner(
  candidate: { readonly signed: SignedEvidence },
  authority: SigningAuthority,
  options: VerifyOptions,
): SignerFacts {
  if (authority.kind === 'key') return verifyKey(candidate, authority, options);
  if (authority.kind === 'keyless') return verifyKeyless(candidate, authority, options);
  return verifyPrivatePki(candidate, authority, options.now);
}

function verifyKey(
  { signed }: { readonly signed: SignedEvidence },
  { keys, observers }: KeyAuthority,
  options: VerifyOptions,
): SignerFacts {
  if (signed.material.kind !== 'publicKey')
    throw new SignatureError(
      'SignerNotTrusted',
      'it is signed with a certificate where the authority names keys',
    );
  const { content, material, logEntries, timestamps } = signed;
  const signature = { content, hint: material.hint, logEntries, timestamps };
  if (observers === undefined) return verifyKeySignature(signature, keys, undefined, options);
  const { root, trustRoot, requirements } = observers;
  return verifyKeySignature(
    signature,
    keys,
    { trust: preparedTrustOf(root), trustRoot, requirements },
    options,
  );
}

function verifySubject(candidate: SignatureCandidate, subject: SignedSubject): void {
  if (candidate.format === 'ModelSigning') {
    if (subject.manifest.kind === 'index')
      throw new SignatureError(
        'UnsupportedFormat',
        'files are signed, and an image index has none: sign the files of each of its manifests',
      );
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
