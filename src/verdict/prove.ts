// Which signatures of this evidence satisfy which authorities? Turns bytes into facts; pure and synchronous.
import { toRecord } from '../lib/text.ts';
import {
  describeOrigin,
  type Evidence,
  type EvidenceProblem,
  type SignatureOrigin,
} from '../evidence/evidence.ts';
import type { Authority, SigningAuthority } from '../signature/authority.ts';
import {
  toBundleCandidate,
  toEnvelopeCandidate,
  toLayerCandidate,
  toSimpleSigningCandidate,
  type AttestationCandidate,
  type SignatureCandidate,
} from '../signature/candidate.ts';
import { SignatureError } from '../signature/error.ts';
import type { SignatureFacts } from '../signature/facts.ts';
import { verifySignature, type SignedSubject } from '../signature/verify.ts';
import {
  proveAttestations,
  type AttestationProof,
  type ParsedAttestations,
  type WantedAttestation,
} from './prove-attestations.ts';

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

interface Parsed {
  readonly candidates: readonly SignatureCandidate[];
  readonly attestations: ParsedAttestations;
  /** Digest of the layer `model.sig`, when it is a bundle. */
  readonly signatureLayer: string | undefined;
  readonly problems: readonly EvidenceProblem[];
}

// Evidence is shared by policies of one request: parse it once.
const parsedEvidence = new WeakMap<Evidence, Parsed>();

function* parse(evidence: Evidence): Generator<void, Parsed, void> {
  const known = parsedEvidence.get(evidence);
  if (known !== undefined) return known;
  const candidates: SignatureCandidate[] = [];
  const problems: EvidenceProblem[] = [...evidence.problems];
  const attestations = collectAttestations(evidence);
  let signatureLayer: string | undefined;
  for (const { origin, parseOne } of toSteps(evidence)) {
    const candidate = attempt(parseOne);
    if (isFailure(candidate))
      (origin.place === 'attestationTag' ? attestations.problems : problems).push({
        reason: candidate.reason,
        message: `${describeOrigin(origin)}: ${candidate.message}`,
      });
    else {
      if (origin.place === 'layer') signatureLayer = origin.referrer;
      if (isAttestation(candidate)) attestations.candidates.push(candidate);
      else if (candidate !== undefined) candidates.push(candidate);
    }
    yield;
  }
  const parsed = { candidates, attestations, signatureLayer, problems };
  parsedEvidence.set(evidence, parsed);
  return parsed;
}

function collectAttestations({ tagged }: Evidence): {
  readonly candidates: AttestationCandidate[];
  readonly problems: EvidenceProblem[];
} {
  return { candidates: [], problems: [...(tagged?.problems ?? [])] };
}

function isAttestation(
  candidate: SignatureCandidate | AttestationCandidate | undefined,
): candidate is AttestationCandidate {
  return candidate !== undefined && 'kind' in candidate;
}

interface Step {
  readonly origin: SignatureOrigin;
  readonly parseOne: () => SignatureCandidate | AttestationCandidate | undefined;
}

function toSteps({ bundles, simpleSignatures, tagged }: Evidence): readonly Step[] {
  return [
    ...bundles.map((bundle) => ({
      origin: bundle,
      parseOne: () =>
        bundle.place === 'layer' ? toLayerCandidate(bundle.bytes) : toBundleCandidate(bundle.bytes),
    })),
    ...simpleSignatures.map((signature) => ({
      origin: signature,
      parseOne: () => toSimpleSigningCandidate(signature),
    })),
    ...(tagged?.envelopes ?? []).map((envelope) => ({
      origin: envelope,
      parseOne: () => toEnvelopeCandidate(envelope),
    })),
  ];
}

/**
 * Verifies every candidate for every authority.
 * @param now time of the request
 * @param wanted attestations that the policy demands; default none
 */
export function prove(
  evidence: Evidence,
  authorities: readonly Authority[],
  now: Date,
  wanted: readonly WantedAttestation[] = [],
): Proof {
  const steps = proveInSteps(evidence, authorities, now, wanted);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * As {@link prove}, one bundle or signature a step: whoever runs the steps decides what happens between them, so that a
 * registry full of signatures never holds up other requests.
 */
export function* proveInSteps(
  evidence: Evidence,
  authorities: readonly Authority[],
  now: Date,
  wanted: readonly WantedAttestation[] = [],
): Generator<void, Proof, void> {
  const { candidates, attestations, signatureLayer, problems } = yield* parse(evidence);
  const subject = { ...evidence, signatureLayer };
  const proofs: AuthorityProof[] = [];
  for (const authority of authorities)
    if (authority.kind !== 'static') proofs.push(yield* proveAuthority(subject, candidates, authority, now));
  const children: Proof[] = [];
  for (const child of evidence.children ?? [])
    children.push(yield* proveInSteps(child, authorities, now, wanted));
  return {
    authorities: proofs,
    problems,
    candidateCount: candidates.length,
    ...(wanted.length > 0 && {
      attestations: yield* proveAttestations(evidence, attestations, { authorities, wanted }, now),
    }),
    ...(evidence.children && { children }),
  };
}

function* proveAuthority(
  subject: SignedSubject,
  candidates: readonly SignatureCandidate[],
  authority: SigningAuthority,
  now: Date,
): Generator<void, AuthorityProof, void> {
  const signatures: SignatureFacts[] = [];
  const failures = new Map<string, EvidenceProblem>();
  for (const candidate of candidates) {
    const facts = attempt(() => verifySignature(candidate, authority, subject, now));
    if (isFailure(facts)) failures.set(`${facts.reason} ${facts.message}`, facts);
    else signatures.push(facts);
    yield;
  }
  return { authority, signatures, failures: [...failures.values()] };
}

interface Failure extends EvidenceProblem {
  readonly isFailure: true;
}

function attempt<T>(run: () => T): T | Failure {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    return { isFailure: true, reason: error.reason, message: error.message };
  }
}

function isFailure(value: unknown): value is Failure {
  return toRecord(value)['isFailure'] === true;
}
