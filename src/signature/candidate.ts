// What kind of signature is this? Sorts fetched signatures before any authority looks at them, so that each is parsed
// once and attestations never count as signatures.
import type { SimpleSigningEvidence } from '../evidence/evidence.ts';
import { parseBundle } from './bundle.ts';
import { SignatureError } from './error.ts';
import { toSignedEvidence, type SignedEvidence } from './signed-evidence.ts';
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

const OLD_MODEL_SIGNING = 'https://model_signing/';

/**
 * Parses one bundle.
 * @returns the candidate, or undefined for attestations, which are no signatures
 * @throws SignatureError for broken bundles and formats that are known but not supported
 */
export function toSignatureCandidate(bytes: Uint8Array): BundleCandidate | undefined {
  const bundle = parseBundle(bytes);
  const signed = toSignedEvidence(bundle);
  const statement = parseStatement(bundle.envelope.payload);
  switch (statement.predicateType) {
    case COSIGN_SIGN_PREDICATE:
      return { format: 'CosignBundle', signed, statement };
    case MODEL_SIGNING_PREDICATE:
      return { format: 'ModelSigning', signed, statement };
    default:
      if (statement.predicateType.startsWith(OLD_MODEL_SIGNING))
        throw new SignatureError(
          'UnsupportedFormat',
          `predicate type ${quote(statement.predicateType, 80)} is not supported`,
        );
      return undefined;
  }
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
