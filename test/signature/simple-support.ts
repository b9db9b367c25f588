// How is a cosign v2 signature of the test kit verified? Annotations to evidence, evidence to facts; shared by the tests
// that look at such signatures from outside.
import type { SimpleSignature } from '../../src/demo/simple-signing.ts';
import { readSignatureAnnotations } from '../../src/evidence/annotations.ts';
import type { SigningAuthority } from '../../src/signature/authority.ts';
import { toSimpleSigningCandidate } from '../../src/signature/candidate.ts';
import { SignatureError } from '../../src/signature/error.ts';
import type { SignatureFacts, SignatureFormat } from '../../src/signature/facts.ts';
import { verifySignature } from '../../src/signature/verify.ts';
import { DIGEST, OTHER_DIGEST, toManifest } from './support.ts';

export const SIMPLE_SIGNING = new Set<SignatureFormat>(['CosignSimpleSigning']);

/** The facts of a signature. @throws what parsing and verifying throw */
export function verifySimple(
  { payload, annotations }: SimpleSignature,
  authority: SigningAuthority,
  now = new Date(),
): SignatureFacts {
  const descriptor = { mediaType: 'x/y', digest: DIGEST, size: payload.length, annotations };
  const candidate = toSimpleSigningCandidate({
    place: 'tag',
    referrer: OTHER_DIGEST,
    payload,
    annotations: readSignatureAnnotations(descriptor),
  });
  return verifySignature(candidate, authority, { digest: DIGEST, manifest: toManifest() }, now);
}

/** `accepted`, or the reason of the SignatureError; anything else that is thrown is passed on. */
export function simpleOutcome(signature: SimpleSignature, authority: SigningAuthority): string {
  try {
    verifySimple(signature, authority);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    return error.reason;
  }
}
