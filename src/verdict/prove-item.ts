// What does one piece of evidence prove for one authority's material? The unit of work that threads are handed and that
// is remembered: bytes in, plain data out; pure.
import {
  describeOrigin,
  type BundleEvidence,
  type Evidence,
  type EvidenceProblem,
  type SimpleSigningEvidence,
} from '../evidence/evidence.ts';
import type { AuthorityMaterial } from '../signature/authority.ts';
import {
  toLayerCandidate,
  toSignatureCandidate,
  toSimpleSigningCandidate,
  type SignatureCandidate,
} from '../signature/candidate.ts';
import { DisagreementError, SignatureError } from '../signature/error.ts';
import type { VerifyOptions } from '../signature/facts.ts';
import { proveSignature, type ProvenSignature, type SignedSubject } from '../signature/verify.ts';

/** One thing that may sign a model. */
export type EvidenceItem =
  | { readonly kind: 'bundle'; readonly found: BundleEvidence }
  | { readonly kind: 'simpleSigning'; readonly found: SimpleSigningEvidence };

/** What an item turned out to be, for one material. */
export type ItemOutcome =
  /** Bytes that are no signature of any kind that is read: trouble of its own. */
  | { readonly kind: 'unreadable'; readonly problem: EvidenceProblem }
  /** Something that is no signature and does not claim to be one. */
  | { readonly kind: 'nothing' }
  /** A signature that the material does not accept. */
  | { readonly kind: 'refused'; readonly problem: EvidenceProblem; readonly isDisagreement?: boolean }
  | { readonly kind: 'proven'; readonly signature: ProvenSignature };

/** The items of evidence, in its order; children of an index have their own. */
export function toItems({ bundles, simpleSignatures }: Evidence): readonly EvidenceItem[] {
  return [
    ...bundles.map((found) => ({ kind: 'bundle' as const, found })),
    ...simpleSignatures.map((found) => ({ kind: 'simpleSigning' as const, found })),
  ];
}

/** Proves one item for one material; never throws for anything an item holds. */
export function proveItem(
  item: EvidenceItem,
  material: AuthorityMaterial,
  subject: SignedSubject,
  options: VerifyOptions,
): ItemOutcome {
  const candidate = parse(item);
  if ('kind' in candidate) return candidate;
  try {
    return {
      kind: 'proven',
      signature: proveSignature(candidate.candidate, material, subject, options),
    };
  } catch (error) {
    const problem = toProblem(error);
    return { kind: 'refused', problem, ...(error instanceof DisagreementError && { isDisagreement: true }) };
  }
}

type Parsed =
  { readonly candidate: SignatureCandidate } | Exclude<ItemOutcome, { kind: 'proven' | 'refused' }>;

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
    return candidate === undefined ? { kind: 'nothing' } : { candidate };
  } catch (error) {
    const { reason, message } = toProblem(error);
    return {
      kind: 'unreadable',
      problem: { reason, message: `${describeOrigin(item.found)}: ${message}` },
    };
  }
}

function toCandidate(item: EvidenceItem): SignatureCandidate | undefined {
  if (item.kind === 'simpleSigning') return toSimpleSigningCandidate(item.found);
  const { place, bytes } = item.found;
  return place === 'layer' ? toLayerCandidate(bytes) : toSignatureCandidate(bytes);
}

function toProblem(error: unknown): EvidenceProblem {
  if (!(error instanceof SignatureError)) throw error;
  return { reason: error.reason, message: error.message };
}
