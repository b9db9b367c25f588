// Where may signatures of this digest be? Three places, always all of them: referrers, cosign's signature tag, and the
// layer `model.sig` of the model itself. Finds descriptors; what they describe is fetched by gather.ts, within limits.
// Specification: distribution-spec "Listing Referrers"; cosign specs/SIGNATURE_SPEC.md "Storage".
import { splitDigest } from '../lib/digest.ts';
import { ManifestError, parseManifest, type Descriptor, type ImageManifest } from '../model/manifest.ts';
import { findSignatureLayer } from '../model/signature-layer.ts';
import type { RegistryClient } from '../registry/client.ts';
import { MAX_REFERRERS } from '../registry/referrers.ts';
import type { RepositoryName } from '../registry/resource.ts';
import type { EvidenceProblem, SignatureOrigin } from './evidence.ts';
import { attempt, isProblem, SubjectError, UnsupportedError } from './problem.ts';

const BUNDLE_LAYER = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v\d|\+json)/;
const SIMPLE_SIGNING_LAYER = 'application/vnd.dev.cosign.simplesigning.v1+json';
/** Signature formats that are recognised and not supported, by the referrer's artifact or layer type. */
const UNSUPPORTED_TYPES: Readonly<Record<string, string>> = {
  'application/vnd.cncf.notary.signature': 'Notation signatures',
  'application/vnd.dev.cosign.artifact.sig.v1+json': 'cosign v2 signatures as referrers',
};
/** Longest tag (distribution-spec "Pulling manifests"): digests of SHA-512 have no signature tag. */
const MAX_TAG_CHARS = 128;

/** What is asked about, and how. */
export interface Subject {
  readonly client: RegistryClient;
  readonly name: RepositoryName;
  readonly digest: string;
  readonly signal: AbortSignal;
}

/** The descriptor of one signature; for simple signing its annotations are part of it. */
export interface LocatedSignature extends SignatureOrigin {
  readonly kind: 'bundle' | 'simpleSigning';
  readonly layer: Descriptor;
}

/** What one place holds. */
export interface Located {
  readonly signatures: readonly LocatedSignature[];
  readonly problems: readonly EvidenceProblem[];
}

/** Bundles at referrers. @throws what listing them throws */
export async function findAtReferrers(subject: Subject): Promise<Located> {
  const { client, name, digest, signal } = subject;
  const { descriptors, isTruncated } = await client.listReferrers(name, digest, signal);
  const found = await Promise.all(
    descriptors.map((descriptor) =>
      attempt(signal, { place: 'referrer', referrer: descriptor.digest }, () =>
        findBundleLayer(subject, descriptor),
      ),
    ),
  );
  const surplus: EvidenceProblem = {
    reason: 'TooManySignatures',
    message: `it has more than ${MAX_REFERRERS} referrers, the rest was not read`,
  };
  return {
    signatures: found.flatMap((outcome) => (outcome === undefined || isProblem(outcome) ? [] : [outcome])),
    problems: [...(isTruncated ? [surplus] : []), ...found.filter((outcome) => isProblem(outcome))],
  };
}

async function findBundleLayer(
  { client, name, digest, signal }: Subject,
  { digest: referrer }: Descriptor,
): Promise<LocatedSignature | undefined> {
  const manifest = parseManifest((await client.fetchManifest(name, referrer, signal)).bytes);
  if (manifest.kind === 'index') return undefined;
  refuseUnsupported(manifest);
  const [layer, ...others] = manifest.layers;
  if (layer === undefined || !BUNDLE_LAYER.test(layer.mediaType)) return undefined;
  if (others.length > 0) throw new ManifestError('a bundle referrer has more than one layer');
  // The listing is only a claim: an index under the fallback tag can name anybody's signature.
  if (manifest.subject?.digest !== digest) throw new SubjectError(manifest.subject?.digest ?? 'nothing');
  return { kind: 'bundle', place: 'referrer', referrer, layer };
}

function refuseUnsupported(manifest: ImageManifest): void {
  const type = manifest.artifactType ?? manifest.config.mediaType;
  const unsupported = Object.hasOwn(UNSUPPORTED_TYPES, type) ? UNSUPPORTED_TYPES[type] : undefined;
  if (unsupported !== undefined) throw new UnsupportedError(`${unsupported} are not supported`);
}

/**
 * Simple signing signatures, and bundles as Red Hat's signer writes them, under the tag `sha256-<hex>.sig`. Only the
 * registry's word that the tag does not exist is absence; all other trouble is a problem of its own.
 */
export async function findUnderTag(subject: Subject): Promise<Located> {
  const { client, name, digest, signal } = subject;
  const { algorithm, hex } = splitDigest(digest);
  const tag = `${algorithm}-${hex}.sig`;
  if (tag.length > MAX_TAG_CHARS) return { signatures: [], problems: [] };
  const outcome = await attempt(signal, { place: 'tag', referrer: tag }, async () => {
    const found = await client.findTag(name, tag, signal);
    return found === undefined ? [] : readTagged(found.bytes, found.digest);
  });
  return isProblem(outcome) ? { signatures: [], problems: [outcome] } : { signatures: outcome, problems: [] };
}

// The tag binds nothing: what a signature is about is in its payload, and compared when it is verified.
function readTagged(bytes: Buffer, referrer: string): readonly LocatedSignature[] {
  const manifest = parseManifest(bytes);
  if (manifest.kind === 'index') throw new ManifestError('it is an index where signatures belong');
  refuseUnsupported(manifest);
  return manifest.layers.flatMap((layer): readonly LocatedSignature[] => {
    if (layer.mediaType === SIMPLE_SIGNING_LAYER)
      return [{ kind: 'simpleSigning', place: 'tag', referrer, layer }];
    return BUNDLE_LAYER.test(layer.mediaType) ? [{ kind: 'bundle', place: 'tag', referrer, layer }] : [];
  });
}

/** The layer `model.sig`. */
export function findInArtifact(manifest: ImageManifest): Located {
  const layer = findSignatureLayer(manifest);
  const signatures =
    layer === undefined
      ? []
      : [{ kind: 'bundle' as const, place: 'layer' as const, referrer: layer.digest, layer }];
  return { signatures, problems: [] };
}
