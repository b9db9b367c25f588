// What did we fetch about one model? Immutable bytes and what could not be had; nothing here is verified.
import type { DenialReason } from '../reason.ts';
import type { ImageIndex, ImageManifest } from '../model/manifest.ts';

/** Largest bundle that is fetched, in bytes (docs: limits). */
export const MAX_BUNDLE_BYTES = 1024 * 1024;
/** Most bytes of all signatures of one digest: what is parsed and verified for one model (docs: limits). */
export const MAX_BUNDLES_BYTES = 4 * 1024 * 1024;
/** Largest attestation that is fetched, in bytes (docs: limits). */
export const MAX_ATTESTATION_BYTES = 8 * 1024 * 1024;
/** Most bytes of all attestations of one digest: one of the largest beside many others (docs: limits). */
export const MAX_ATTESTATIONS_BYTES = 16 * 1024 * 1024;
/** Largest payload of a simple signing signature that is fetched, in bytes (docs: limits). */
export const MAX_PAYLOAD_BYTES = 64 * 1024;
/** Largest annotation of a simple signing signature that is read, in characters (docs: limits). */
export const MAX_ANNOTATION_CHARS = 64 * 1024;
/** Most signatures and attestations of one digest that are read, from all places together (docs: limits). */
export const MAX_CANDIDATES = 64;

/**
 * Where something was found: at a referrer, under the signature tag, under the attestation tag, or as a layer of the
 * model itself.
 */
export type SignaturePlace = 'referrer' | 'tag' | 'attestationTag' | 'layer';

/** Where one signature came from. */
export interface SignatureOrigin {
  readonly place: SignaturePlace;
  /** Digest of what led to it: the referrer, the manifest under the tag, or the layer itself. */
  readonly referrer: string;
  /** `registry/repository`, where that is not the model's own but one that an authority names. */
  readonly repository?: string;
}

/** A bundle that was found. */
export interface BundleEvidence extends SignatureOrigin {
  readonly bytes: Buffer;
}

/** The parts of a simple signing signature that stand in annotations, as written; `""` is never here. */
export interface SimpleSigningAnnotations {
  readonly signature?: string;
  readonly certificate?: string;
  readonly chain?: string;
  readonly logBundle?: string;
  readonly timestamp?: string;
}

/** A cosign v2 signature: payload bytes, which match their descriptor, and its annotations, which nothing binds. */
export interface SimpleSigningEvidence extends SignatureOrigin {
  readonly payload: Buffer;
  readonly annotations: SimpleSigningAnnotations;
}

/** A cosign v2 attestation: a DSSE envelope, which matches its descriptor, and annotations, which nothing binds. */
export interface EnvelopeEvidence extends SignatureOrigin {
  readonly bytes: Buffer;
  readonly annotations: SimpleSigningAnnotations;
}

/** What is under the attestation tag. */
export interface TaggedAttestations {
  readonly envelopes: readonly EnvelopeEvidence[];
  /** Trouble that hides attestations, and no signature. */
  readonly problems: readonly EvidenceProblem[];
}

/** Something that could not be fetched or read, without saying anything about the rest. */
export interface EvidenceProblem {
  readonly reason: DenialReason;
  /** One clause, foreign text escaped. */
  readonly message: string;
}

/** What one repository holds about a digest. */
export interface FoundEvidence {
  /** Signatures and attestations: which of them a bundle is, its statement says. */
  readonly bundles: readonly BundleEvidence[];
  readonly simpleSignatures: readonly SimpleSigningEvidence[];
  /** Trouble with single candidates: reported when the rest does not satisfy, never in its place. */
  readonly problems: readonly EvidenceProblem[];
  /** Present when somebody asked for attestations. */
  readonly tagged?: TaggedAttestations;
}

/** All that is known about one digest: what its own repository holds, and what others hold that policies name. */
export interface Evidence extends FoundEvidence {
  readonly digest: string;
  readonly manifest: ImageManifest | ImageIndex;
  /** Of an index, its child manifests; each with what signs it alone. */
  readonly children?: readonly Evidence[];
  /** What is elsewhere, by id of the repository; what is about this digest and no other. */
  readonly elsewhere?: ReadonlyMap<string, FoundEvidence>;
}

/** Evidence, or why there is none. */
export type EvidenceResult =
  | { readonly ok: true; readonly evidence: Evidence }
  | { readonly ok: false; readonly problem: EvidenceProblem };

const PLACE_NAMES: Readonly<Record<Exclude<SignaturePlace, 'layer'>, string>> = {
  referrer: 'referrer',
  tag: 'signature tag',
  attestationTag: 'attestation tag',
};

/** Names a place in messages. */
export function describeOrigin({ place, referrer, repository }: SignatureOrigin): string {
  if (place === 'layer') return 'layer model.sig';
  const where = repository === undefined ? '' : ` in ${repository}`;
  return `${PLACE_NAMES[place]} ${referrer.slice(0, 19)}…${where}`;
}
