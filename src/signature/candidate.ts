// What kind of signature is this? Sorts fetched signatures before any authority looks at them, so that each is parsed
// once, attestations never count as signatures, and signatures never as attestations.
import {
  MAX_ATTESTATION_BYTES,
  MAX_BUNDLE_BYTES,
  type EnvelopeEvidence,
  type SimpleSigningEvidence,
} from '../evidence/evidence.ts';
import { isSignaturePredicate } from '../model/predicate-type.ts';
import { readStatementHead, type StatementHead } from './attestation-statement.ts';
import { parseBundle } from './bundle.ts';
import { SignatureError } from './error.ts';
import { toSignedEvidence, type SignedEvidence } from './signed-evidence.ts';
import { parseTaggedEnvelope } from './tagged-envelope.ts';
import { parseSimpleSigning, type SimpleSigningPayload } from './simple-signing.ts';
import {
  COSIGN_SIGN_PREDICATE,
  MODEL_SIGNING_PREDICATE,
  parseStatement,
  type Statement,
} from './statement.ts';
import { quote } from '../lib/text.ts';

/** A bundle that claims to sign a model. Nothing of it is verified yet. */
export interface BundleCandidate {
  readonly format: 'CosignBundle' | 'ModelSigning';
  readonly signed: SignedEvidence;
  readonly statement: Statement;
  /** True when it was found as the layer `model.sig` of the model itself. */
  readonly isFromLayer?: boolean;
}

/** A cosign v2 signature that claims to sign a model. Nothing of it is verified yet. */
export interface SimpleSigningCandidate {
  readonly format: 'CosignSimpleSigning';
  readonly signed: SignedEvidence;
  readonly payload: SimpleSigningPayload;
}

/** Whatever claims to sign a model. */
export type SignatureCandidate = BundleCandidate | SimpleSigningCandidate;

/** The formats of attestations: a bundle as cosign v3 writes it, an envelope as cosign v2 does. */
export type AttestationFormat = 'CosignBundle' | 'CosignAttestation';

/** Whatever claims to attest something. Nothing of it is verified yet, and its predicate not even read. */
export interface AttestationCandidate {
  readonly kind: 'attestation';
  readonly format: AttestationFormat;
  readonly signed: SignedEvidence;
  readonly head: StatementHead;
}

/**
 * Parses one bundle.
 * @returns the candidate, or undefined for attestations, which are no signatures
 * @throws SignatureError for broken bundles and formats that are known but not supported
 */
export function toSignatureCandidate(bytes: Uint8Array): BundleCandidate | undefined {
  const candidate = toBundleCandidate(bytes);
  return 'kind' in candidate ? undefined : candidate;
}

/**
 * Parses one bundle of either kind.
 * @throws SignatureError as {@link toSignatureCandidate}, and `ArtifactTooLarge` for signatures of more than 1 MiB
 */
export function toBundleCandidate(bytes: Uint8Array): BundleCandidate | AttestationCandidate {
  const bundle = parseBundle(bytes, MAX_ATTESTATION_BYTES);
  const signed = toSignedEvidence(bundle);
  const { payload } = bundle.envelope;
  requireSmallRest(bytes, payload);
  const head = readStatementHead(payload, MAX_ATTESTATION_BYTES);
  const { predicateType } = head;
  if (!isSignaturePredicate(predicateType))
    return { kind: 'attestation', format: 'CosignBundle', signed, head };
  if (bytes.length > MAX_BUNDLE_BYTES)
    throw new SignatureError(
      'ArtifactTooLarge',
      `a signature of ${bytes.length} bytes exceeds ${MAX_BUNDLE_BYTES}`,
    );
  const statement = parseStatement(payload);
  if (predicateType === COSIGN_SIGN_PREDICATE) return { format: 'CosignBundle', signed, statement };
  if (predicateType === MODEL_SIGNING_PREDICATE) return { format: 'ModelSigning', signed, statement };
  throw new SignatureError(
    'UnsupportedFormat',
    `predicate type ${quote(predicateType, 80)} is not supported`,
  );
}

/**
 * Parses one cosign v2 attestation.
 * @throws SignatureError `UnsupportedFormat` for predicates of signatures, which nobody writes here
 */
export function toEnvelopeCandidate(evidence: EnvelopeEvidence): AttestationCandidate {
  const { signed, payload } = parseTaggedEnvelope(evidence);
  requireSmallRest(evidence.bytes, payload);
  const head = readStatementHead(payload, MAX_ATTESTATION_BYTES);
  if (isSignaturePredicate(head.predicateType))
    throw new SignatureError(
      'UnsupportedFormat',
      `predicate type ${quote(head.predicateType, 80)} is that of a signature, not of an attestation`,
    );
  return { kind: 'attestation', format: 'CosignAttestation', signed, head };
}

// Only statements are large: of what is beside them, readers expect no more than a signature has.
function requireSmallRest(bytes: Uint8Array, payload: Uint8Array): void {
  const rest = bytes.length - Math.ceil(payload.length / 3) * 4;
  if (rest > MAX_BUNDLE_BYTES)
    throw new SignatureError(
      'ArtifactTooLarge',
      `${rest} bytes beside the signed statement exceed ${MAX_BUNDLE_BYTES}`,
    );
}

/** Parses one cosign v2 signature. @throws SignatureError */
export function toSimpleSigningCandidate(evidence: SimpleSigningEvidence): SimpleSigningCandidate {
  return { format: 'CosignSimpleSigning', ...parseSimpleSigning(evidence) };
}

/**
 * Parses the bundle that is the layer `model.sig` of a model.
 * @returns the candidate, or undefined for anything but a model signature: a layer cannot sign the manifest it is in
 * @throws SignatureError when it is no bundle
 */
export function toLayerCandidate(bytes: Uint8Array): BundleCandidate | undefined {
  const candidate = toSignatureCandidate(bytes);
  return candidate?.format === 'ModelSigning' ? { ...candidate, isFromLayer: true } : undefined;
}
