// Where may signatures of this digest be? Three places, always all of them: referrers, cosign's signature tag, and the
// layer `model.sig` of the model itself; attestations also under a tag of their own. Finds descriptors; what they
// describe is fetched by gather.ts, within limits.
// Specification: distribution-spec "Listing Referrers"; cosign specs/SIGNATURE_SPEC.md and ATTESTATION_SPEC.md "Storage".
import { splitDigest } from '../lib/digest.ts';
import { ManifestError, parseManifest, type Descriptor, type ImageManifest } from '../model/manifest.ts';
import { announcesAttestation } from '../model/predicate-type.ts';
import { findSignatureLayer } from '../model/signature-layer.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { RepositoryName } from '../registry/resource.ts';
import type { EvidenceProblem, SignatureOrigin } from './evidence.ts';
import { chooseReferrers } from './limits.ts';
import { attempt, isProblem, SubjectError, UnsupportedError } from './problem.ts';

/** Largest manifest of a referrer: one layer and a few annotations, of which each subject may have 64. In bytes. */
export const MAX_REFERRER_BYTES = 64 * 1024;
const BUNDLE_LAYER = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v\d|\+json)/;
const SIMPLE_SIGNING_LAYER = 'application/vnd.dev.cosign.simplesigning.v1+json';
const ENVELOPE_LAYER = 'application/vnd.dsse.envelope.v1+json';
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
  /** True when some policy demands attestations: nobody else pays for theirs. */
  readonly wantsAttestations: boolean;
}

/**
 * The descriptor of one signature or attestation; unless it is a bundle its annotations are part of it. Kind
 * `attestation` is a bundle that announces itself as one, where attestations are wanted.
 */
export interface LocatedSignature extends SignatureOrigin {
  readonly kind: 'bundle' | 'simpleSigning' | 'attestation' | 'envelope';
  readonly layer: Descriptor;
}

/** What one place holds. */
export interface Located {
  readonly signatures: readonly LocatedSignature[];
  readonly problems: readonly EvidenceProblem[];
}

/** Bundles at referrers. @throws what listing them throws */
export async function findAtReferrers(subject: Subject): Promise<Located> {
  const { client, name, digest, signal, wantsAttestations } = subject;
  const listed = await client.listReferrers(name, digest, signal);
  const { descriptors, problems } = chooseReferrers(listed, wantsAttestations);
  const found = await Promise.all(
    descriptors.map((descriptor) =>
      attempt(signal, { place: 'referrer', referrer: descriptor.digest }, () =>
        findBundleLayer(subject, descriptor),
      ),
    ),
  );
  return {
    signatures: found.flatMap((outcome) => (outcome === undefined || isProblem(outcome) ? [] : [outcome])),
    problems: [...problems, ...found.filter((outcome) => isProblem(outcome))],
  };
}

async function findBundleLayer(
  { client, name, digest, signal, wantsAttestations }: Subject,
  { digest: referrer, annotations }: Descriptor,
): Promise<LocatedSignature | undefined> {
  const { bytes } = await client.fetchManifest(name, referrer, signal, MAX_REFERRER_BYTES);
  const manifest = parseManifest(bytes);
  if (manifest.kind === 'index') return undefined;
  refuseUnsupported(manifest);
  const layer = findOnlyBundle(manifest);
  if (layer === undefined) return undefined;
  // The listing is only a claim: an index under the fallback tag can name anybody's signature.
  if (manifest.subject?.digest !== digest) throw new SubjectError(manifest.subject?.digest ?? 'nothing');
  // What the manifest itself announces; the listing's word only where it announces nothing.
  const isAttestation = announcesAttestation({ ...annotations, ...manifest.annotations });
  return {
    kind: wantsAttestations && isAttestation ? 'attestation' : 'bundle',
    place: 'referrer',
    referrer,
    layer,
  };
}

function findOnlyBundle({ layers: [layer, ...others] }: ImageManifest): Descriptor | undefined {
  if (layer === undefined || !BUNDLE_LAYER.test(layer.mediaType)) return undefined;
  if (others.length > 0) throw new ManifestError('a bundle referrer has more than one layer');
  return layer;
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
export function findUnderTag(subject: Subject): Promise<Located> {
  return findTagged(subject, 'tag', ({ mediaType }) => {
    if (mediaType === SIMPLE_SIGNING_LAYER) return 'simpleSigning';
    return BUNDLE_LAYER.test(mediaType) ? 'bundle' : undefined;
  });
}

/**
 * cosign v2 attestations under the tag `sha256-<hex>.att`, each a layer of one manifest. Asked for beside the other
 * places, so that it costs no further round trip, and only where a policy demands attestations: registries count
 * requests.
 */
export function findUnderAttestationTag(subject: Subject): Promise<Located> {
  return findTagged(subject, 'attestationTag', ({ mediaType }) =>
    mediaType === ENVELOPE_LAYER ? 'envelope' : undefined,
  );
}

const TAG_SUFFIXES = { tag: 'sig', attestationTag: 'att' } as const;

async function findTagged(
  { client, name, digest, signal }: Subject,
  place: keyof typeof TAG_SUFFIXES,
  toKind: (layer: Descriptor) => LocatedSignature['kind'] | undefined,
): Promise<Located> {
  const { algorithm, hex } = splitDigest(digest);
  const tag = `${algorithm}-${hex}.${TAG_SUFFIXES[place]}`;
  if (tag.length > MAX_TAG_CHARS) return { signatures: [], problems: [] };
  const outcome = await attempt(signal, { place, referrer: tag }, async () => {
    const found = await client.findTag(name, tag, signal);
    if (found === undefined) return [];
    return readTagged(found.bytes).flatMap((layer): readonly LocatedSignature[] => {
      const kind = toKind(layer);
      return kind === undefined ? [] : [{ kind, place, referrer: found.digest, layer }];
    });
  });
  return isProblem(outcome) ? { signatures: [], problems: [outcome] } : { signatures: outcome, problems: [] };
}

// The tag binds nothing: what a signature is about is in its payload, and compared when it is verified.
function readTagged(bytes: Buffer): readonly Descriptor[] {
  const manifest = parseManifest(bytes);
  if (manifest.kind === 'index') throw new ManifestError('it is an index where signatures belong');
  refuseUnsupported(manifest);
  return manifest.layers;
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
