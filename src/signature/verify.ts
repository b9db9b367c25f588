// Does this candidate prove that an authority signed this model? Pure and synchronous; one straight line per kind of
// authority. Returns facts, or throws the one reason why the candidate does not count.
import type { ImageIndex, ImageManifest } from '../model/manifest.ts';
import { splitDigest } from '../lib/digest.ts';
import { quote } from '../lib/text.ts';
import type { DenialReason } from '../reason.ts';
import { ALWAYS, type Validity } from '../trust/trusted-root.ts';
import { admitSigner } from './admit-signer.ts';
import type { AuthorityMaterial, KeyAuthority, SigningAuthority } from './authority.ts';
import type { BundleCandidate, SignatureCandidate } from './candidate.ts';
import type { CertificateNames } from './certificate-identity.ts';
import { SignatureError } from './error.ts';
import type { SignatureFacts, SignerFacts, VerifyOptions } from './facts.ts';
import { verifyKeySignature } from './key.ts';
import { verifyKeyless } from './keyless.ts';
import { MAX_CLOCK_SKEW_MS } from './observers.ts';
import { verifyPrivatePki } from './private-pki.ts';
import { verifyModelFiles } from './model-signing.ts';
import { preparedTrustOf } from './prepared-trust.ts';
import { refuseRevoked } from './revoked.ts';
import { requireSignatureSubject } from './statement.ts';

/** What a signature must be about. */
export interface SignedSubject {
  /** Digest of the manifest bytes. */
  readonly digest: string;
  /** Read for signatures of files only. */
  readonly manifest?: ImageManifest | ImageIndex;
  /** Digest of the layer `model.sig`, when it is a bundle. */
  readonly signatureLayer?: string | undefined;
}

/** A signature that verifies, whoever made it: plain data. */
export interface ProvenSignature {
  /** Of a private PKI without `subject`: which name of the certificate is meant, the identity says. */
  readonly facts: SignatureFacts;
  /** Of a private PKI: what the certificate says about its owner. */
  readonly names?: CertificateNames;
  /** When the proof holds: at other times it must be made again. */
  readonly validity: Validity;
  /** What it signs is not what was asked about. */
  readonly subjectProblem?: { readonly reason: DenialReason; readonly message: string };
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
  const options = when instanceof Date ? { now: when } : when;
  return admitSignature(proveSignature(candidate, authority, subject, options), authority);
}

/**
 * Verifies one candidate with everything but the authority's identities: the costly part, whose result is good for all
 * authorities of the same material.
 * @throws SignatureError
 */
export function proveSignature(
  candidate: SignatureCandidate,
  material: AuthorityMaterial,
  subject: SignedSubject,
  options: VerifyOptions,
): ProvenSignature {
  if (!material.signatureFormats.has(candidate.format))
    throw new SignatureError(
      'SignerNotTrusted',
      `a ${candidate.format} signature is present, but signatureFormats does not list it`,
    );
  const { facts, ...rest } = proveSigner(candidate, material, options);
  const subjectProblem = findSubjectProblem(candidate, material, subject);
  return {
    ...rest,
    facts: {
      ...facts,
      format: candidate.format,
      annotations: subjectProblem === undefined ? readAnnotations(candidate) : {},
    },
    ...(subjectProblem && { subjectProblem }),
  };
}

/**
 * Is a proven signature by somebody whom the authority names, and about what was asked?
 * @throws SignatureError
 */
export function admitSignature(proven: ProvenSignature, authority: SigningAuthority): SignatureFacts {
  const facts = admitSigner(proven, authority);
  // What was signed only counts once it is known who signed it.
  if (proven.subjectProblem !== undefined)
    throw new SignatureError(proven.subjectProblem.reason, proven.subjectProblem.message);
  return facts;
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
  candidate: SignatureCandidate,
  authority: SigningAuthority,
  options: VerifyOptions,
): SignerFacts {
  return admitSigner(proveSigner(candidate, authority, options), authority);
}

interface ProvenSigner extends Pick<ProvenSignature, 'names' | 'validity'> {
  readonly facts: SignerFacts;
}

function proveSigner(
  candidate: SignatureCandidate,
  material: AuthorityMaterial,
  options: VerifyOptions,
): ProvenSigner {
  if (material.kind === 'certificate') return verifyPrivatePki(candidate, material, options.now);
  const facts =
    material.kind === 'key'
      ? verifyKey(candidate, material, options)
      : verifyKeyless(candidate, material, options);
  return { facts, validity: toValidity(facts) };
}

// Verified times stay verified, but a clock that was set back makes them lie in the future.
function toValidity({ times = [] }: SignerFacts): Validity {
  const latest = Math.max(...times.map(({ at }) => at.getTime()));
  return times.length === 0 ? ALWAYS : { ...ALWAYS, start: new Date(latest - MAX_CLOCK_SKEW_MS) };
}

function verifyKey(
  { signed }: SignatureCandidate,
  { keys, observers }: Omit<KeyAuthority, 'name'>,
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

function findSubjectProblem(
  candidate: SignatureCandidate,
  material: AuthorityMaterial,
  subject: SignedSubject,
): ProvenSignature['subjectProblem'] {
  try {
    verifySubject(candidate, subject);
    if (material.kind === 'keyless')
      refuseRevoked(
        { spkis: [], certificateSerials: [], artifactDigests: [subject.digest] },
        material.revoked,
      );
    return undefined;
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    return { reason: error.reason, message: error.message };
  }
}

function verifySubject(candidate: SignatureCandidate, subject: SignedSubject): void {
  if (candidate.format === 'ModelSigning') {
    if (subject.manifest === undefined) throw new Error('files were asked about without their manifest');
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
