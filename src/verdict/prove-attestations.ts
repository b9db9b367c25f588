// Which attestations of this evidence does somebody vouch for whom a policy asked? Beside prove.ts: the same evidence,
// other candidates. Only what some requirement wants is verified, by the authorities that it names and no others.
import type { EvidenceProblem } from '../evidence/evidence.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import { admitAttestation, type AttestationFacts } from '../signature/attestation.ts';
import type { SigningAuthority } from '../signature/authority.ts';
import { toRefusal, type EvidenceItem, type ItemOutcome } from './prove-item.ts';

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

/** The predicate types that some requirement wants from an authority, sorted. */
export function toPredicateTypes(
  wanted: readonly WantedAttestation[],
  authority: SigningAuthority,
): readonly string[] {
  const types = wanted.flatMap(({ predicateTypes, authorities }) =>
    authorities.includes(authority.name) ? predicateTypes : [],
  );
  return [...new Set(types)].toSorted();
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
  /** Where the authorities look, for messages; absent: in the model's own repository alone. */
  readonly lookedIn?: readonly string[];
}

/** Adds to facts where the item was found, if that is not the model's own repository. */
export function withRepository<T extends { readonly repository?: string }>(
  facts: T,
  { found: { repository } }: EvidenceItem,
): T {
  return repository === undefined ? facts : { ...facts, repository };
}

type Attested = ItemOutcome & { readonly kind: 'attestation' };

/**
 * Puts together what the items that are attestations prove.
 * @param asked each item with its outcome for each of the signers, undefined for those that it is not shown
 */
export function toAttestationProof(
  asked: readonly {
    readonly item: EvidenceItem;
    readonly outcomes: readonly (ItemOutcome | undefined)[];
  }[],
  signers: readonly SigningAuthority[],
  problems: readonly EvidenceProblem[],
): AttestationProof {
  const proven: ProvenAttestation[] = [];
  const failures = new Map<string, AttestationFailure>();
  const found = new Set<string>();
  for (const { item, outcomes } of asked)
    for (const [index, authority] of signers.entries()) {
      const outcome = outcomes[index];
      if (outcome?.kind !== 'attestation') continue;
      found.add(outcome.predicateType);
      const facts = admit(outcome, authority);
      if (facts === undefined) continue;
      if ('reason' in facts) {
        const failure = { ...facts, predicateType: outcome.predicateType, authority: authority.name };
        failures.set(JSON.stringify(Object.values(failure)), failure);
      } else if (!proven.some((known) => isSame(known, facts, authority.name)))
        proven.push({
          ...facts,
          signature: withRepository(facts.signature, item),
          authority: authority.name,
        });
    }
  return { proven, failures: [...failures.values()], found: [...found], problems };
}

function admit(
  { result }: Attested,
  authority: SigningAuthority,
): AttestationFacts | EvidenceProblem | undefined {
  if (result === undefined) return undefined;
  if ('problem' in result) return result.problem;
  try {
    return admitAttestation(result.attestation, authority);
  } catch (error) {
    return toRefusal(error).problem;
  }
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
