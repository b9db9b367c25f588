// Does this bundle sign this file? Any bundle version against a file or its digest, for one identity or one key: the
// same core as at admission, without policies.
import { createExactMatcher, matchIdentity } from './identity.ts';
import { parseAnyBundle, type AnyBundle } from './any-bundle.ts';
import { toEnvelopeContent, type SignedContent } from './content.ts';
import { SignatureError } from './error.ts';
import type { SignerFacts, VerifyOptions } from './facts.ts';
import { verifyKeySignature } from './key.ts';
import { verifyCertificateSignature } from './keyless.ts';
import { toArtifactDigest, toMessageContent, type Artifact } from './message.ts';
import type { RequiredTrust } from './observers.ts';
import type { TrustedKey } from './public-key.ts';
import { parseStatement } from './statement.ts';

/** Who must have signed. */
export type WantedSigner =
  | { readonly kind: 'identity'; readonly issuer: string; readonly subject: string }
  | { readonly kind: 'key'; readonly keys: readonly TrustedKey[] };

/** What is asked. */
export interface BundleQuestion {
  readonly bundle: Uint8Array;
  readonly artifact: Artifact;
  readonly signer: WantedSigner;
}

/** Verifies a bundle. @throws SignatureError with the reason why it does not count */
export function verifyBundle(
  { bundle: bytes, artifact, signer }: BundleQuestion,
  required: RequiredTrust,
  options: VerifyOptions,
): SignerFacts {
  const bundle = parseAnyBundle(bytes);
  const content = toContent(bundle, artifact);
  const facts =
    signer.kind === 'key'
      ? verifyByKey(bundle, content, signer.keys, { required, options })
      : verifyByIdentity(bundle, content, signer, { required, options });
  // What was signed is only looked at once it is known who signed it.
  if (bundle.content.kind === 'dsse') requireSubject(bundle.content.envelope.payload, artifact);
  return facts;
}

interface Terms {
  readonly required: RequiredTrust;
  readonly options: VerifyOptions;
}

function toContent({ content }: AnyBundle, artifact: Artifact): SignedContent {
  return content.kind === 'dsse'
    ? toEnvelopeContent(content.envelope)
    : toMessageContent(content.message, artifact);
}

function verifyByKey(
  { material, logEntries, timestamps }: AnyBundle,
  content: SignedContent,
  keys: readonly TrustedKey[],
  { required, options }: Terms,
): SignerFacts {
  if (material.kind !== 'publicKey')
    throw new SignatureError('SignerNotTrusted', 'it is signed with a certificate where a key was asked for');
  const { hint } = material;
  return verifyKeySignature({ content, hint, logEntries, timestamps }, keys, required, options);
}

function verifyByIdentity(
  { material, logEntries, timestamps }: AnyBundle,
  content: SignedContent,
  { issuer, subject }: Extract<WantedSigner, { kind: 'identity' }>,
  { required, options }: Terms,
): SignerFacts {
  if (material.kind !== 'certificate')
    throw new SignatureError('SignerNotTrusted', 'it is signed with a key where an identity was asked for');
  const signature = { leafDer: material.der, content, logEntries, timestamps };
  const facts = verifyCertificateSignature(signature, required, options);
  const wanted = {
    issuer: createExactMatcher(issuer),
    subject: createExactMatcher(subject),
    claims: new Map<string, never>(),
  };
  if (!matchIdentity(facts, wanted))
    throw new SignatureError('IdentityMismatch', 'it is signed by another identity');
  return facts;
}

// An in-toto statement may be about several artifacts: this one must be among them.
function requireSubject(payload: Buffer, artifact: Artifact): void {
  const sha256 = toArtifactDigest(artifact, 'sha256')?.toString('hex');
  const { subjects } = parseStatement(payload);
  if (!subjects.some(({ digest }) => digest['sha256'] === sha256))
    throw new SignatureError('SubjectMismatch', 'its statement is about other artifacts');
}
