// Which signatures and attestations of this evidence satisfy which authorities? Asks for every item and authority, in an
// order that whoever drives it answers: at once, by other threads, or from memory. Identities are matched here, on
// every request.
import type { Evidence, EvidenceProblem } from '../evidence/evidence.ts';
import { isSigning, type Authority, type SigningAuthority } from '../signature/authority.ts';
import { SignatureError } from '../signature/error.ts';
import type { SignatureFacts } from '../signature/facts.ts';
import { toNamedMaterial, type NamedMaterial } from '../signature/material.ts';
import { admitSignature, type SignedSubject } from '../signature/verify.ts';
import {
  toAttestationProof,
  toPredicateTypes,
  type AttestationProof,
  type WantedAttestation,
} from './prove-attestations.ts';
import { proveItem, toItems, type EvidenceItem, type ItemOutcome } from './prove-item.ts';

/** What was found for one authority. */
export interface AuthorityProof {
  readonly authority: SigningAuthority;
  readonly signatures: readonly SignatureFacts[];
  /** Why the other candidates do not count, once each. */
  readonly failures: readonly EvidenceProblem[];
}

/** Everything proven about one digest for one policy. */
export interface Proof {
  readonly authorities: readonly AuthorityProof[];
  /** Trouble that concerns no single authority: unreadable or unreachable candidates. */
  readonly problems: readonly EvidenceProblem[];
  /** Candidates that claim to sign the model. */
  readonly candidateCount: number;
  /** Present when attestations were wanted. */
  readonly attestations?: AttestationProof;
  /** Of an index, what was proven about each child alone, in the order of the evidence. */
  readonly children?: readonly Proof[];
}

/** One question: what does this item prove for this material? */
export interface ProofJob {
  readonly item: EvidenceItem;
  readonly material: NamedMaterial;
  readonly subject: SignedSubject;
  readonly predicateTypes: readonly string[];
}

/** What a policy asks of evidence. */
export interface ProofQuestion {
  readonly authorities: readonly Authority[];
  /** Attestations that the policy demands. */
  readonly wanted: readonly WantedAttestation[];
}

/**
 * Verifies every candidate for every authority, at once.
 * @param now time of the request
 * @param wanted attestations that the policy demands; default none
 */
export function prove(
  evidence: Evidence,
  authorities: readonly Authority[],
  now: Date,
  wanted: readonly WantedAttestation[] = [],
): Proof {
  const plan = planProof(evidence, { authorities, wanted });
  let step = plan.next();
  while (step.done !== true)
    step = plan.next(
      step.value.map((job) => proveItem({ ...job, material: job.material.material }, { now })),
    );
  return step.value;
}

/**
 * As {@link prove}, for whoever answers the questions: yields jobs, wants an outcome for each, in their order, and
 * returns the proof.
 */
export function* planProof(
  evidence: Evidence,
  question: ProofQuestion,
): Generator<readonly ProofJob[], Proof, readonly ItemOutcome[]> {
  const signers = question.authorities.filter(isSigning);
  const asked: AskedItem[] = [];
  // Whether the layer `model.sig` is a bundle decides what the files of the model are, for every other signature.
  let signatureLayer: string | undefined;
  const items = toItems(evidence);
  for (const item of items.filter(isLayer)) {
    const { referrer } = item.found;
    const answered = yield* ask([item], signers, question.wanted, { ...evidence, signatureLayer: referrer });
    asked.push(...answered);
    if (answered.some(({ outcomes: [first] }) => first?.kind !== 'unreadable')) signatureLayer = referrer;
  }
  const others = items.filter((item) => !isLayer(item));
  asked.push(...(yield* ask(others, signers, question.wanted, { ...evidence, signatureLayer })));
  const children: Proof[] = [];
  for (const child of evidence.children ?? []) children.push(yield* planProof(child, question));
  return {
    ...toProof(evidence, signers, asked),
    ...(question.wanted.length > 0 && { attestations: toAttestations(evidence, signers, asked) }),
    ...(evidence.children && { children }),
  };
}

/** An item with its outcome for each authority. */
interface AskedItem {
  readonly item: EvidenceItem;
  readonly outcomes: readonly ItemOutcome[];
}

function isLayer({ found }: EvidenceItem): boolean {
  return found.place === 'layer';
}

function* ask(
  items: readonly EvidenceItem[],
  signers: readonly SigningAuthority[],
  wanted: readonly WantedAttestation[],
  { digest, manifest, signatureLayer }: SignedSubject,
): Generator<readonly ProofJob[], readonly AskedItem[], readonly ItemOutcome[]> {
  if (items.length === 0 || signers.length === 0) return [];
  const subject: SignedSubject = { digest, ...(manifest && { manifest }), signatureLayer };
  const askers = signers.map((signer) => ({
    material: toNamedMaterial(signer),
    predicateTypes: toPredicateTypes(wanted, signer),
  }));
  const jobs = items.flatMap((item) => askers.map((asker) => ({ item, ...asker, subject })));
  const outcomes = yield jobs;
  if (outcomes.length !== jobs.length) throw new Error('a proof was answered in part');
  return items.map((item, index) => ({
    item,
    outcomes: outcomes.slice(index * signers.length, (index + 1) * signers.length),
  }));
}

function toProof(
  evidence: Evidence,
  signers: readonly SigningAuthority[],
  asked: readonly AskedItem[],
): Proof {
  return {
    authorities: signers.map((authority, index) =>
      toAuthorityProof(
        authority,
        asked.map(({ outcomes }) => outcomes[index]),
      ),
    ),
    problems: [
      ...evidence.problems,
      ...toUnreadable(asked.filter(({ item }) => item.found.place !== 'attestationTag')),
    ],
    candidateCount: asked.filter(({ outcomes: [first] }) => isCandidate(first)).length,
  };
}

function toAttestations(
  { tagged }: Evidence,
  signers: readonly SigningAuthority[],
  asked: readonly AskedItem[],
): AttestationProof {
  const problems = toUnreadable(asked.filter(({ item }) => item.found.place === 'attestationTag'));
  return toAttestationProof(
    asked.map(({ outcomes }) => outcomes),
    signers,
    [...(tagged?.problems ?? []), ...problems],
  );
}

function toUnreadable(asked: readonly AskedItem[]): readonly EvidenceProblem[] {
  return asked.flatMap(({ outcomes: [first] }) => (first?.kind === 'unreadable' ? [first.problem] : []));
}

function isCandidate(outcome: ItemOutcome | undefined): boolean {
  return outcome?.kind === 'proven' || outcome?.kind === 'refused';
}

function toAuthorityProof(
  authority: SigningAuthority,
  outcomes: readonly (ItemOutcome | undefined)[],
): AuthorityProof {
  const signatures: SignatureFacts[] = [];
  const failures = new Map<string, EvidenceProblem>();
  for (const outcome of outcomes) {
    const admitted = admit(outcome, authority);
    if (admitted === undefined) continue;
    if ('facts' in admitted) signatures.push(admitted.facts);
    else failures.set(`${admitted.problem.reason} ${admitted.problem.message}`, admitted.problem);
  }
  return { authority, signatures, failures: [...failures.values()] };
}

type Admitted = { readonly facts: SignatureFacts } | { readonly problem: EvidenceProblem };

function admit(outcome: ItemOutcome | undefined, authority: SigningAuthority): Admitted | undefined {
  if (outcome?.kind === 'refused') return { problem: outcome.problem };
  if (outcome?.kind !== 'proven') return undefined;
  try {
    return { facts: admitSignature(outcome.signature, authority) };
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    return { problem: { reason: error.reason, message: error.message } };
  }
}
