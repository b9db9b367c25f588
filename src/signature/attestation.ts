// Does this candidate prove that somebody attested something about this model? As verify.ts does for signatures: first
// who signed, then what it is about. What it says is for rules to judge, and is read only when one does.
import { splitDigest } from '../lib/digest.ts';
import { quote, toText } from '../lib/text.ts';
import { admitSigner } from './admit-signer.ts';
import { checkStatement, readSubjectDigests } from './attestation-statement.ts';
import type { AuthorityMaterial, SigningAuthority } from './authority.ts';
import type { AttestationCandidate, AttestationFormat } from './candidate.ts';
import { SignatureError } from './error.ts';
import type { SignatureFacts, VerifyOptions } from './facts.ts';
import { refuseRevoked, revocationsOf } from './revoked.ts';
import { proveSigner, type ProvenSignature } from './verify.ts';

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

/** An attestation whose signer verifies, whoever it is: plain data. */
export interface ProvenAttestation extends Pick<ProvenSignature, 'names' | 'validity' | 'subjectProblem'> {
  /** Of a private PKI without `signature.subject`; without statement where there is a `subjectProblem`. */
  readonly facts: AttestationFacts;
}

/**
 * Verifies one candidate with everything but the authority's identities, in steps of a few milliseconds where
 * statements are large.
 * @param digest of the manifest that must be a subject
 * @throws SignatureError with the reason why the candidate does not count
 */
export function* proveAttestation(
  candidate: AttestationCandidate,
  material: AuthorityMaterial,
  digest: string,
  options: VerifyOptions,
): Generator<void, ProvenAttestation, void> {
  const { format, head } = candidate;
  const { facts: signer, ...rest } = proveSigner(candidate, material, options);
  const facts = {
    predicateType: head.predicateType,
    signature: { ...signer, format, annotations: {} },
    hasPredicate: head.members.has('predicate'),
  };
  yield;
  try {
    requireSubject(readSubjectDigests(head), digest);
    refuseRevoked({ spkis: [], certificateSerials: [], artifactDigests: [digest] }, revocationsOf(material));
    // Whoever signed, nobody reads a statement of which two readers could make two things.
    yield* checkStatement(head);
    return { ...rest, facts: { ...facts, statement: head.text } };
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    const subjectProblem = { reason: error.reason, message: error.message };
    return { ...rest, facts: { ...facts, statement: '' }, subjectProblem };
  }
}

/**
 * Is a proven attestation by somebody whom the authority names, and about what was asked?
 * @throws SignatureError
 */
export function admitAttestation(
  { facts, names, subjectProblem }: ProvenAttestation,
  authority: SigningAuthority,
): AttestationFacts {
  const signature = admitSigner({ facts: facts.signature, ...(names && { names }) }, authority);
  if (subjectProblem !== undefined) throw new SignatureError(subjectProblem.reason, subjectProblem.message);
  return { ...facts, signature };
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
