// Which attestations of this evidence does somebody vouch for whom a policy asked? Beside prove.ts: the same evidence,
// other candidates. Only what some requirement wants is verified, by the authorities that it names and no others.
import type { Evidence, EvidenceProblem } from '../evidence/evidence.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import { verifyAttestation, type AttestationFacts } from '../signature/attestation.ts';
import type { Authority, SigningAuthority } from '../signature/authority.ts';
import type { AttestationCandidate } from '../signature/candidate.ts';
import { SignatureError } from '../signature/error.ts';

/** What one requirement of a policy asks for: plain data. */
export interface WantedAttestation {
  readonly predicateTypes: readonly string[];
  /** Names of the authorities whose signature counts. */
  readonly authorities: readonly string[];
}

/** What a policy asks for. */
export function toWanted({ attestations }: CompiledPolicy): readonly WantedAttestation[] {
  return attestations.map(({ predicateTypes, authorities }) => ({ predicateTypes, authorities }));
}

/** A verified attestation with the authority that vouches for it. */
export interface ProvenAttestation extends AttestationFacts {
  readonly authority: string;
}

/** Why an attestation of a type does not count for an authority. */
export interface AttestationFailure extends EvidenceProblem {
  readonly predicateType: string;
  readonly authority: string;
}

/** Everything proven about the attestations of one digest. */
export interface AttestationProof {
  readonly proven: readonly ProvenAttestation[];
  /** Once each. */
  readonly failures: readonly AttestationFailure[];
  /** Predicate types of all candidates, each once: what they claim to be. */
  readonly found: readonly string[];
  /** Trouble that hides attestations, and no signature. */
  readonly problems: readonly EvidenceProblem[];
}

/** Candidates with what could not be read. */
export interface ParsedAttestations {
  readonly candidates: readonly AttestationCandidate[];
  readonly problems: readonly EvidenceProblem[];
}

/** Verifies every candidate that is wanted, a few milliseconds a step. @param now time of the request */
export function* proveAttestations(
  { digest }: Pick<Evidence, 'digest'>,
  { candidates, problems }: ParsedAttestations,
  { authorities, wanted }: { authorities: readonly Authority[]; wanted: readonly WantedAttestation[] },
  now: Date,
): Generator<void, AttestationProof, void> {
  const proven: ProvenAttestation[] = [];
  const failures = new Map<string, AttestationFailure>();
  for (const candidate of candidates) {
    const { predicateType } = candidate.head;
    for (const authority of selectAuthorities(authorities, wanted, predicateType)) {
      const facts = yield* attempt(verifyAttestation(candidate, authority, digest, { now }));
      if ('reason' in facts) {
        const failure = { ...facts, predicateType, authority: authority.name };
        failures.set(JSON.stringify(Object.values(failure)), failure);
      } else if (!proven.some((known) => isSame(known, facts, authority.name)))
        proven.push({ ...facts, authority: authority.name });
      yield;
    }
  }
  return {
    proven,
    failures: [...failures.values()],
    found: [...new Set(candidates.map(({ head }) => head.predicateType))],
    problems,
  };
}

function selectAuthorities(
  authorities: readonly Authority[],
  wanted: readonly WantedAttestation[],
  predicateType: string,
): readonly SigningAuthority[] {
  const names = new Set(
    wanted.flatMap((one) => (one.predicateTypes.includes(predicateType) ? one.authorities : [])),
  );
  return authorities.filter(
    (authority): authority is SigningAuthority => authority.kind !== 'static' && names.has(authority.name),
  );
}

// One statement by one signer, attached a second time, is judged once.
function isSame(known: ProvenAttestation, facts: AttestationFacts, authority: string): boolean {
  const [left, right] = [known.signature, facts.signature];
  return (
    known.authority === authority &&
    left.keyFingerprint === right.keyFingerprint &&
    left.issuer === right.issuer &&
    left.subject === right.subject &&
    known.statement === facts.statement
  );
}

function* attempt(
  steps: Generator<void, AttestationFacts, void>,
): Generator<void, AttestationFacts | EvidenceProblem, void> {
  try {
    return yield* steps;
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    return { reason: error.reason, message: error.message };
  }
}
