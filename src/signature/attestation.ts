// Does this candidate prove that an authority attested something about this model? As verify.ts does for signatures:
// first who signed, then what it is about. What it says is for rules to judge, and is read only when one does.
import { splitDigest } from '../lib/digest.ts';
import { quote, toText } from '../lib/text.ts';
import { checkStatement, readSubjectDigests } from './attestation-statement.ts';
import type { SigningAuthority } from './authority.ts';
import type { AttestationCandidate, AttestationFormat } from './candidate.ts';
import { SignatureError } from './error.ts';
import type { SignatureFacts, VerifyOptions } from './facts.ts';
import { refuseRevoked } from './revoked.ts';
import { verifySigner } from './verify.ts';

/** Who signed an attestation, and how: the facts of a signature, in the formats of attestations. */
export type AttestationSignature = Omit<SignatureFacts, 'format'> & { readonly format: AttestationFormat };

/** A verified attestation: plain data. */
export interface AttestationFacts {
  readonly predicateType: string;
  readonly signature: AttestationSignature;
  /** The signed statement: JSON text of an object, checked strictly. */
  readonly statement: string;
  readonly hasPredicate: boolean;
}

/**
 * Verifies one candidate for one authority, in steps of a few milliseconds where statements are large.
 * @param digest of the manifest that must be a subject
 * @throws SignatureError with the reason why the candidate does not count
 */
export function* verifyAttestation(
  candidate: AttestationCandidate,
  authority: SigningAuthority,
  digest: string,
  options: VerifyOptions,
): Generator<void, AttestationFacts, void> {
  const { format, head } = candidate;
  const signer = verifySigner(candidate, authority, options);
  yield;
  requireSubject(readSubjectDigests(head), digest);
  if (authority.kind === 'keyless')
    refuseRevoked({ spkis: [], certificateSerials: [], artifactDigests: [digest] }, authority.revoked);
  // Whoever signed, nobody reads a statement of which two readers could make two things.
  yield* checkStatement(head);
  return {
    predicateType: head.predicateType,
    signature: { ...signer, format, annotations: {} },
    statement: head.text,
    hasPredicate: head.members.has('predicate'),
  };
}

// in-toto attestation spec, "Validation": one subject that is the artifact is enough.
function requireSubject(subjects: readonly Readonly<Record<string, unknown>>[], digest: string): void {
  const { algorithm, hex } = splitDigest(digest);
  if (subjects.some((digests) => digests[algorithm] === hex)) return;
  const [first] = subjects;
  const shown = `${algorithm}:${toText(first?.[algorithm]) ?? '(none)'}`;
  const others = subjects.length > 1 ? ` and ${subjects.length - 1} more` : '';
  throw new SignatureError('SubjectMismatch', `it is about ${quote(shown, 80)}${others}`);
}
