// Which signatures and attestations of this evidence satisfy which authorities? Asks for every item and authority, in an
// order that whoever drives it answers: at once, by other threads, or from memory. Identities are matched here, on
// every request.
import type { Evidence, EvidenceProblem } from '../evidence/evidence.ts';
import type { Allowance } from '../lib/allowance.ts';
import { isSigning, type Authority, type SigningAuthority } from '../signature/authority.ts';
import type { SignatureFacts } from '../signature/facts.ts';
import { toNamedMaterial, type NamedMaterial } from '../signature/material.ts';
import { admitSignature, type SignedSubject } from '../signature/verify.ts';
import {
  toAttestationProof,
  toPredicateTypes,
  withRepository,
  type AttestationProof,
  type WantedAttestation,
} from './prove-attestations.ts';
import {
  toLayerItems,
  toLookedIn,
  toPlaceProblems,
  toPlaces,
  toShownItems,
  type EvidencePlace,
  type ShownItem,
} from './evidence-places.ts';
import { proveItem, toRefusal, type EvidenceItem, type ItemOutcome } from './prove-item.ts';

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
  /** Where the authorities look, for messages; absent: in the model's own repository alone. */
  readonly lookedIn?: readonly string[];
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
  /** Processor time for everything but verifying, of whoever asks; absent: as much as it takes. */
  readonly allowance?: Allowance;
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
  const places = toPlaces(evidence, signers);
  const asking: Asking = { signers, wanted: question.wanted };
  const layer = yield* askLayer(evidence, places, asking);
  const subject = { ...evidence, signatureLayer: layer.signatureLayer };
  const asked = [...layer.asked, ...(yield* ask(toShownItems(places), asking, subject))];
  const children: Proof[] = [];
  for (const child of evidence.children ?? []) children.push(yield* planProof(child, question));
  const looked = toLookedIn(places);
  return {
    authorities: signers.map((authority, index) => toAuthorityProof(authority, index, asked)),
    problems: [
      ...toPlaceProblems(evidence, places),
      ...toUnreadable(asked.filter((one) => !isUnderAttestationTag(one))),
    ],
    candidateCount: asked.filter((one) => isCandidate(firstOf(one))).length,
    ...looked,
    ...(question.wanted.length > 0 && {
      attestations: { ...toAttestations(places, signers, asked), ...looked },
    }),
    ...(evidence.children && { children }),
  };
}

/** An item with its outcome for each authority, undefined for those that it is not shown. */
interface AskedItem {
  readonly item: EvidenceItem;
  readonly outcomes: readonly (ItemOutcome | undefined)[];
}

/** Who asks, and for which attestations. */
interface Asking {
  readonly signers: readonly SigningAuthority[];
  readonly wanted: readonly WantedAttestation[];
}

// Whether the layer `model.sig` is a bundle decides what the files of the model are, for every other signature; for
// whoever looks elsewhere it decides no more than that.
function* askLayer(
  evidence: Evidence,
  places: readonly EvidencePlace[],
  asking: Asking,
): Generator<
  readonly ProofJob[],
  { readonly asked: readonly AskedItem[]; readonly signatureLayer: string | undefined },
  readonly ItemOutcome[]
> {
  const beside = places.find(({ repository }) => repository === undefined)?.signers;
  const asked: AskedItem[] = [];
  let signatureLayer: string | undefined;
  for (const item of toLayerItems(evidence)) {
    const { referrer } = item.found;
    const shown = { item, signers: beside ?? asking.signers.slice(0, 1) };
    const answered = yield* ask([shown], asking, { ...evidence, signatureLayer: referrer });
    if (beside !== undefined) asked.push(...answered);
    if (answered.some((one) => firstOf(one)?.kind !== 'unreadable')) signatureLayer = referrer;
  }
  return { asked, signatureLayer };
}

function* ask(
  shown: readonly ShownItem[],
  { signers, wanted }: Asking,
  { digest, manifest, signatureLayer }: SignedSubject & Pick<Evidence, 'manifest'>,
): Generator<readonly ProofJob[], readonly AskedItem[], readonly ItemOutcome[]> {
  const subject: SignedSubject = { digest, manifest, signatureLayer };
  const jobs = shown.flatMap(({ item, signers: those }) =>
    those.map((signer) => ({
      item,
      material: toNamedMaterial(signer),
      predicateTypes: toPredicateTypes(wanted, signer),
      subject,
    })),
  );
  if (jobs.length === 0) return [];
  const outcomes = yield jobs;
  if (outcomes.length !== jobs.length) throw new Error('a proof was answered in part');
  let next = 0;
  return shown.map(({ item, signers: those }) => {
    const answers = outcomes.slice(next, next + those.length);
    next += those.length;
    return { item, outcomes: signers.map((signer) => answers[those.indexOf(signer)]) };
  });
}

// What an item is, is the same for all who are asked.
function firstOf({ outcomes }: AskedItem): ItemOutcome | undefined {
  return outcomes.find((outcome) => outcome !== undefined);
}

function isUnderAttestationTag({ item }: AskedItem): boolean {
  return item.found.place === 'attestationTag';
}

function toAttestations(
  places: readonly EvidencePlace[],
  signers: readonly SigningAuthority[],
  asked: readonly AskedItem[],
): AttestationProof {
  return toAttestationProof(asked, signers, [
    ...places.flatMap(({ found }) => found.tagged?.problems ?? []),
    ...toUnreadable(asked.filter(isUnderAttestationTag)),
  ]);
}

function toUnreadable(asked: readonly AskedItem[]): readonly EvidenceProblem[] {
  return asked.flatMap((one) => {
    const first = firstOf(one);
    return first?.kind === 'unreadable' ? [first.problem] : [];
  });
}

function isCandidate(outcome: ItemOutcome | undefined): boolean {
  return outcome?.kind === 'proven' || outcome?.kind === 'refused';
}

function toAuthorityProof(
  authority: SigningAuthority,
  index: number,
  asked: readonly AskedItem[],
): AuthorityProof {
  const signatures: SignatureFacts[] = [];
  const failures = new Map<string, EvidenceProblem>();
  for (const { item, outcomes } of asked) {
    const admitted = admit(outcomes[index], authority);
    if (admitted === undefined) continue;
    if ('facts' in admitted) signatures.push(withRepository(admitted.facts, item));
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
    return toRefusal(error);
  }
}
