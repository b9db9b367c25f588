// What stands under a signature tag? Pushes cosign 2 signatures, and bundles in Red Hat's tag mode, as their tools do.
// Leaves making them to simple-signing.ts, sign-with-key.ts and sigstore.ts.
import type { PackedModel } from './artifacts.ts';
import type { RegistryHandle } from './registry.ts';
import type { SimpleSignature } from './simple-signing.ts';

const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const SIMPLE_SIGNING_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';

/** A layer of a tagged manifest. */
export type TaggedLayer = Readonly<Record<string, unknown>>;

/** The tag under which signatures of a digest are looked for. */
export function signatureTag(digest: string): string {
  return `${digest.replace(':', '-')}.sig`;
}

/** Pushes signatures as the layers of one manifest under the model's signature tag; returns its digest. */
export function attachSimpleSignatures(
  registry: RegistryHandle,
  model: Pick<PackedModel, 'repository' | 'digest'>,
  signatures: readonly SimpleSignature[],
): string {
  const layers = signatures.map(({ payload, annotations }) => ({
    mediaType: SIMPLE_SIGNING_TYPE,
    ...registry.putBlob(payload),
    annotations,
  }));
  return putTagged(registry, model, layers);
}

/** Pushes a bundle under the model's signature tag, as Red Hat's signer does without referrers; returns the digest. */
export function attachBundleByTag(
  registry: RegistryHandle,
  model: Pick<PackedModel, 'repository' | 'digest'>,
  bundle: object,
): string {
  const bytes = Buffer.isBuffer(bundle) ? bundle : Buffer.from(JSON.stringify(bundle));
  return putTagged(registry, model, [{ mediaType: BUNDLE_TYPE, ...registry.putBlob(bytes) }]);
}

/** Pushes a manifest with these layers under a tag, by default the model's signature tag; returns its digest. */
export function putTagged(
  registry: RegistryHandle,
  { repository, digest }: Pick<PackedModel, 'repository' | 'digest'>,
  layers: readonly TaggedLayer[],
  tag = signatureTag(digest),
): string {
  const config = registry.putBlob(Buffer.from('{}'));
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, ...config },
    layers,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return registry.putManifest(repository, bytes, MANIFEST_TYPE, tag);
}
