// Where in an object was a model named? The result type of every extractor.
import type { Finding } from '../reason.ts';
import type { Reference } from './reference.ts';

/** The way in which an object names a model. */
export type ModelSource = 'ImageVolume' | 'ContainerImage' | 'URI';

/** All sources this version extracts. */
export const MODEL_SOURCES = ['ImageVolume', 'ContainerImage', 'URI'] as const satisfies ModelSource[];

/** One use of one model: deduplicated for evidence, never for selection. */
export interface ModelReference {
  readonly reference: Reference;
  readonly source: ModelSource;
  /** Path in the object as kubectl writes it, e.g. `spec.volumes[0].image.reference`. */
  readonly fieldPath: string;
}

/** What an object uses. `images` are container images: models only where a policy's glob claims them. */
export interface Extraction {
  readonly references: readonly ModelReference[];
  readonly images: readonly ModelReference[];
  /** Uses that have no canonical reference: `ReferenceInvalid`, `UnresolvableReference`. */
  readonly findings: readonly Finding[];
  /** Container images that cannot be read: refused only where a policy claims every image. */
  readonly unreadableImages: readonly Finding[];
}
