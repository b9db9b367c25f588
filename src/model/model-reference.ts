// Where in an object was a model named? The result types of every extractor.
import type { DenialReason, Finding } from '../reason.ts';
import type { Reference } from './reference.ts';

/** All ways in which an object names a model; docs/policies.md says where each is read. */
export const MODEL_SOURCES = [
  'ImageVolume',
  'ContainerImage',
  'KServeModelCar',
  'CSI',
  'KServeStorageInitializer',
  'KServeResource',
  'KitOps',
  'KAITO',
  'URI',
] as const;

/** The way in which an object names a model. */
export type ModelSource = (typeof MODEL_SOURCES)[number];

/** One use of one model: deduplicated for evidence, never for selection. */
export interface ModelReference {
  readonly reference: Reference;
  /** The most specific source that found the reference here. */
  readonly source: ModelSource;
  /**
   * Other sources that found it at the same place: they select it as well, so that a name which a pod gives its
   * container takes a use out of no policy.
   */
  readonly otherSources?: readonly ModelSource[];
  /** Path in the object as kubectl writes it, e.g. `spec.volumes[0].image.reference`. */
  readonly fieldPath: string;
  /** Set when the reference names its repository but cannot be judged: what is selected is refused for this. */
  readonly problem?: string;
}

/** Reasons that `unverifiableSources` governs: a model is used, and what is mounted cannot be checked. */
export const UNVERIFIABLE_REASONS = [
  'UnverifiableSource',
  'DynamicModelVolume',
  'UnresolvableReference',
  'DigestNotEnforced',
] as const satisfies DenialReason[];

/** A use without a canonical reference, or what no reference says: judged by source, since no glob can mean it. */
export interface UnnamedUse extends Finding {
  readonly reason: (typeof UNVERIFIABLE_REASONS)[number] | 'ReferenceInvalid';
  readonly field: string;
  /** What stands there, whole: messages cut it, and an update that changes the rest must be seen. */
  readonly written: string;
  /** Every source that found it here. */
  readonly sources: readonly ModelSource[];
}

/** What an object uses. `images` are container images: models only where a policy's glob claims them. */
export interface Extraction {
  readonly references: readonly ModelReference[];
  readonly images: readonly ModelReference[];
  readonly findings: readonly UnnamedUse[];
  /** Container images that cannot be read: refused where a policy claims images at all. */
  readonly unreadableImages: readonly UnnamedUse[];
}
