// What did we fetch about one model? Immutable bytes and what could not be had; nothing here is verified.
import type { DenialReason } from '../reason.ts';
import type { ImageIndex, ImageManifest } from '../model/manifest.ts';

/** Largest bundle that is fetched, in bytes (docs: limits). */
export const MAX_BUNDLE_BYTES = 1024 * 1024;
/** Most bytes of all bundles of one digest: what is parsed and verified for one model (docs: limits). */
export const MAX_BUNDLES_BYTES = 4 * 1024 * 1024;

/** A bundle found at a referrer of the subject. */
export interface BundleEvidence {
  /** Digest of the referrer manifest that led to it. */
  readonly referrer: string;
  readonly bytes: Buffer;
}

/** Something that could not be fetched or read, without saying anything about the rest. */
export interface EvidenceProblem {
  readonly reason: DenialReason;
  /** One clause, foreign text escaped. */
  readonly message: string;
}

/** All that is known about one digest in one repository. */
export interface Evidence {
  readonly digest: string;
  readonly manifest: ImageManifest | ImageIndex;
  /** Of an index, its child manifests; each with what signs it alone. */
  readonly children?: readonly Evidence[];
  readonly bundles: readonly BundleEvidence[];
  /** Trouble with single candidates: reported when the rest does not satisfy, never in its place. */
  readonly problems: readonly EvidenceProblem[];
}

/** Evidence, or why there is none. */
export type EvidenceResult =
  | { readonly ok: true; readonly evidence: Evidence }
  | { readonly ok: false; readonly problem: EvidenceProblem };
