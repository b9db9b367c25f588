// What does one piece of evidence prove for one authority's material? The unit of work that threads are handed and that
// is remembered: bytes in, plain data out; pure.
import {
  describeOrigin,
  type BundleEvidence,
  type EnvelopeEvidence,
  type EvidenceProblem,
  type FoundEvidence,
  type SimpleSigningEvidence,
} from '../evidence/evidence.ts';
import { proveAttestation, type ProvenAttestation } from '../signature/attestation.ts';
import type { AuthorityMaterial } from '../signature/authority.ts';
import {
  toBundleCandidate,
  toEnvelopeCandidate,
  toLayerCandidate,
  toSimpleSigningCandidate,
  type AttestationCandidate,
  type SignatureCandidate,
} from '../signature/candidate.ts';
import { DisagreementError, SignatureError } from '../signature/error.ts';
import type { VerifyOptions } from '../signature/facts.ts';
import { proveSignature, type ProvenSignature, type SignedSubject } from '../signature/verify.ts';

/** One thing that may sign a model, or attest something about it. */
export type EvidenceItem =
  | { readonly kind: 'bundle'; readonly found: BundleEvidence }
  | { readonly kind: 'simpleSigning'; readonly found: SimpleSigningEvidence }
  | { readonly kind: 'envelope'; readonly found: EnvelopeEvidence };

/** A failure of one item for one material. */
export interface Refusal {
  readonly problem: EvidenceProblem;
  /** True when @sigstore/verify refuses what our own core accepts. */
  readonly isDisagreement?: boolean;
}

/** What an item turned out to be, for one material. */
export type ItemOutcome =
  /** Bytes that are nothing that is read: trouble of its own. */
  | { readonly kind: 'unreadable'; readonly problem: EvidenceProblem }
  /** Something that signs nothing and does not claim to. */
  | { readonly kind: 'nothing' }
  /** A signature that the material does not accept. */
  | ({ readonly kind: 'refused' } & Refusal)
  | { readonly kind: 'proven'; readonly signature: ProvenSignature }
  /** An attestation; without a result when its type was not wanted. */
  | {
      readonly kind: 'attestation';
      /** As it claims. */
      readonly predicateType: string;
      readonly result?: Refusal | { readonly attestation: ProvenAttestation };
    };

/** What is asked about an item. */
export interface ItemQuestion {
  readonly item: EvidenceItem;
  readonly material: AuthorityMaterial;
  readonly subject: SignedSubject;
  /** Predicate types of the attestations that are wanted from this material. */
  readonly predicateTypes: readonly string[];
}

/** The items of one place, in its order; children of an index have their own. */
export function toItems({ bundles, simpleSignatures, tagged }: FoundEvidence): readonly EvidenceItem[] {
  return [
    ...bundles.map((found) => ({ kind: 'bundle' as const, found })),
    ...simpleSignatures.map((found) => ({ kind: 'simpleSigning' as const, found })),
    ...(tagged?.envelopes ?? []).map((found) => ({ kind: 'envelope' as const, found })),
  ];
}

/** Proves one item for one material; never throws for anything an item holds. */
export function proveItem(question: ItemQuestion, options: VerifyOptions): ItemOutcome {
  const steps = proveItemInSteps(question, options);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** As {@link proveItem}, a few milliseconds a step where statements are large. */
export function* proveItemInSteps(
  { item, material, subject, predicateTypes }: ItemQuestion,
  options: VerifyOptions,
): Generator<void, ItemOutcome, void> {
  const parsed = parse(item);
  if ('outcome' in parsed) return parsed.outcome;
  const { candidate } = parsed;
  yield;
  if (!isAttestation(candidate)) {
    const signature = attempt(() => proveSignature(candidate, material, subject, options));
    return 'problem' in signature ? { kind: 'refused', ...signature } : { kind: 'proven', signature };
  }
  const { predicateType } = candidate.head;
  if (!predicateTypes.includes(predicateType)) return { kind: 'attestation', predicateType };
  const proven = yield* attemptInSteps(proveAttestation(candidate, material, subject.digest, options));
  const result = 'problem' in proven ? proven : { attestation: proven };
  return { kind: 'attestation', predicateType, result };
}

type Parsed =
  { readonly candidate: SignatureCandidate | AttestationCandidate } | { readonly outcome: ItemOutcome };

// Several authorities may ask about one item.
const parsedItems = new WeakMap<object, Parsed>();

function parse(item: EvidenceItem): Parsed {
  const known = parsedItems.get(item.found);
  if (known !== undefined) return known;
  const parsed = parseAfresh(item);
  parsedItems.set(item.found, parsed);
  return parsed;
}

function parseAfresh(item: EvidenceItem): Parsed {
  try {
    const candidate = toCandidate(item);
    return candidate === undefined ? { outcome: { kind: 'nothing' } } : { candidate };
  } catch (error) {
    const { reason, message } = toRefusal(error).problem;
    const problem = { reason, message: `${describeOrigin(item.found)}: ${message}` };
    return { outcome: { kind: 'unreadable', problem } };
  }
}

function toCandidate(item: EvidenceItem): SignatureCandidate | AttestationCandidate | undefined {
  if (item.kind === 'simpleSigning') return toSimpleSigningCandidate(item.found);
  if (item.kind === 'envelope') return toEnvelopeCandidate(item.found);
  const { place, bytes } = item.found;
  return place === 'layer' ? toLayerCandidate(bytes) : toBundleCandidate(bytes);
}

function isAttestation(
  candidate: SignatureCandidate | AttestationCandidate,
): candidate is AttestationCandidate {
  return 'kind' in candidate;
}

function attempt<T extends object>(run: () => T): T | Refusal {
  try {
    return run();
  } catch (error) {
    return toRefusal(error);
  }
}

function* attemptInSteps<T extends object>(
  steps: Generator<void, T, void>,
): Generator<void, T | Refusal, void> {
  try {
    return yield* steps;
  } catch (error) {
    return toRefusal(error);
  }
}

/** Why something does not count, from what it threw. @throws what is a fault of this program */
export function toRefusal(error: unknown): Refusal {
  if (!(error instanceof SignatureError)) throw error;
  const problem = { reason: error.reason, message: error.message };
  return error instanceof DisagreementError ? { problem, isDisagreement: true } : { problem };
}
