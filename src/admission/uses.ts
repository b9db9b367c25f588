// Which uses of models do the policies see? Joins what was extracted with who is asked about it; pure.
import type { Finding } from '../reason.ts';
import type { Extraction, ModelReference } from '../model/model-reference.ts';
import { toCanonicalName } from '../model/reference.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import { claimAnyImage, isClaimed, selectByReference, splitBySide } from '../policy/select.ts';
import { createFinding } from '../verdict/finding-message.ts';
import type { SelectedUse } from './judge-uses.ts';

/** Most distinct references of one pod (docs: limits). */
export const MAX_REFERENCES = 64;
/** Most places of one pod that name a model, readable or not: each is judged and recorded by every policy. */
export const MAX_USES = 256;
/** Most images of one pod where a policy asks about images (docs: limits): each is compared with every glob. */
export const MAX_IMAGES = 512;

/** What of an extraction the policies of a namespace take for models: images only where one of them claims them. */
export function toModelUses(extraction: Extraction, policies: readonly CompiledPolicy[]): Extraction {
  const { references, images, findings, unreadableImages } = extraction;
  return {
    references,
    images: images.filter((image) => isClaimed(policies, image)),
    findings: claimAnyImage(policies) ? [...findings, ...unreadableImages] : findings,
    unreadableImages: [],
  };
}

/** The uses with the policies that are about each. An image that only the namespace claims is no model of the cluster's. */
export function selectUses(
  { references, images }: Extraction,
  policies: readonly CompiledPolicy[],
): readonly SelectedUse[] {
  const { ofCluster, ofNamespace } = splitBySide(policies);
  return [
    ...references.map((use) => ({ use, policies: selectByReference(policies, use) })),
    ...images.map((use) => {
      const asking = isClaimed(ofCluster, use) ? policies : ofNamespace;
      return { use, policies: selectByReference(asking, use) };
    }),
  ];
}

/** The finding that a pod has more images than are looked at; nothing where no policy asks about images. */
export function findCrowd(
  { images, unreadableImages }: Extraction,
  policies: readonly CompiledPolicy[],
): Finding | undefined {
  if (images.length + unreadableImages.length <= MAX_IMAGES || !claimAnyImage(policies)) return undefined;
  return createFinding('TooManyReferences', `the pod has more than ${MAX_IMAGES} images`);
}

/** The finding that a pod names more models than are judged. */
export function findSurplus({ references, images, findings }: Extraction): Finding | undefined {
  const uses = [...references, ...images];
  if (uses.length + findings.length > MAX_USES)
    return createFinding('TooManyReferences', `the pod names models in more than ${MAX_USES} places`);
  const toKey = ({ reference }: ModelReference): string =>
    `${toCanonicalName(reference)} ${reference.digest ?? reference.tag ?? ''}`;
  return new Set(uses.map(toKey)).size > MAX_REFERENCES
    ? createFinding('TooManyReferences', `the pod uses more than ${MAX_REFERENCES} distinct models`)
    : undefined;
}
