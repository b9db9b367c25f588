// What is behind an image index? Every child manifest with its own evidence, all at once and bounded; only BuildKit's
// attestations of container images, which nothing ever runs, are left out.
// Specification: OCI image-spec image-index.md; BuildKit docs/attestations/attestation-storage.md.
import {
  ManifestError,
  MAX_MANIFEST_BYTES,
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
} from '../model/manifest.ts';
import { toFormat } from '../model/packaging.ts';
import type { Evidence } from './evidence.ts';
import { WHOLE_BUDGET, type ByteBudget } from './limits.ts';

/** Most children of one index (docs: limits). */
export const MAX_CHILDREN = 32;
/** Bytes that a child may have, however many it shares the budget with. */
const MIN_CHILD_BUDGET: ByteBudget = { signatures: 256 * 1024, attestations: 1024 * 1024 };
const REFERENCE_TYPE = 'vnd.docker.reference.type';
const REFERENCE_DIGEST = 'vnd.docker.reference.digest';
const ATTESTATION = 'attestation-manifest';
const IN_TOTO_LAYER = 'application/vnd.in-toto+json';

/** How children are fetched; whatever these throw ends the whole index. */
export interface ChildAccess {
  /** @throws also when the bytes are not as many as the descriptor says */
  readonly fetchManifest: (descriptor: Descriptor) => Promise<ImageManifest | ImageIndex>;
  /** @param budget the child's part */
  readonly gather: (descriptor: Descriptor, budget: ByteBudget) => Promise<Evidence>;
}

/** Gathers the children of an index. @throws ManifestError for an index that is not judged, and what the access throws */
export async function gatherChildren(index: ImageIndex, access: ChildAccess): Promise<readonly Evidence[]> {
  const descriptors = [...new Map(index.manifests.map((entry) => [entry.digest, entry])).values()];
  if (descriptors.length > MAX_CHILDREN)
    throw new ManifestError(`the image index lists more than ${MAX_CHILDREN} manifests`);
  if (descriptors.reduce((sum, { size }) => sum + size, 0) > MAX_MANIFEST_BYTES)
    throw new ManifestError(`the manifests of the index have more than ${MAX_MANIFEST_BYTES} bytes together`);
  const budget = shareOf(descriptors.length);
  const gathered = await Promise.all(
    descriptors.map(async (descriptor) => {
      if (claimsAttestation(descriptor) && (await isAttestation(descriptor, descriptors, access)))
        return { descriptor };
      return { descriptor, evidence: await access.gather(descriptor, budget) };
    }),
  );
  const children = gathered.flatMap(({ evidence }) => (evidence === undefined ? [] : [evidence]));
  const skipped = gathered.filter(({ evidence }) => evidence === undefined);
  for (const { descriptor } of skipped) requireImage(descriptor, children);
  return children;
}

function shareOf(children: number): ByteBudget {
  const share = (kind: keyof ByteBudget): number =>
    Math.max(WHOLE_BUDGET[kind] / Math.max(children, 1), MIN_CHILD_BUDGET[kind]);
  return { signatures: share('signatures'), attestations: share('attestations') };
}

// A claim of the index alone: whoever writes the index could hide a model behind it.
function claimsAttestation({ annotations, platform }: Descriptor): boolean {
  return (
    annotations[REFERENCE_TYPE] === ATTESTATION &&
    platform?.os === 'unknown' &&
    platform.architecture === 'unknown'
  );
}

// What holds nothing but in-toto statements is no model, whatever it is called.
async function isAttestation(
  descriptor: Descriptor,
  siblings: readonly Descriptor[],
  access: ChildAccess,
): Promise<boolean> {
  const about = descriptor.annotations[REFERENCE_DIGEST];
  if (!siblings.some((sibling) => sibling.digest === about && !claimsAttestation(sibling))) return false;
  const manifest = await access.fetchManifest(descriptor);
  return (
    manifest.kind === 'manifest' &&
    manifest.layers.length > 0 &&
    manifest.layers.every(({ mediaType }) => mediaType === IN_TOTO_LAYER)
  );
}

function requireImage({ annotations, digest }: Descriptor, children: readonly Evidence[]): void {
  const about = children.find((child) => child.digest === annotations[REFERENCE_DIGEST]);
  const format = about?.manifest.kind === 'manifest' ? toFormat(about.manifest) : undefined;
  if (format !== 'Image' && format !== 'ModelCar')
    throw new ManifestError(
      `${digest.slice(0, 19)}… is an attestation of something that is no container image`,
    );
}

/** The manifest that evidence of a child is about. @throws ManifestError for an index inside an index */
export function requireManifest(manifest: ImageManifest | ImageIndex): ImageManifest {
  if (manifest.kind === 'manifest') return manifest;
  throw new ManifestError('the image index lists another image index');
}
