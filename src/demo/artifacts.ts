// How does a model, and a signature of it, look in a registry? Packs files as `oras push` does and attaches
// Sigstore bundles as cosign 3 does. Leaves making the bundle to sign-with-key.ts and sigstore.ts.
import type { RegistryHandle } from './registry.ts';

const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const EMPTY = Buffer.from('{}');
const LAYER_TYPES: readonly (readonly [string, string])[] = [
  ['.json', 'application/json'],
  ['.md', 'text/markdown'],
];

/** A model as it was pushed. */
export interface PackedModel {
  readonly repository: string;
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
  /** The exact bytes that the digest covers. */
  readonly manifest: Buffer;
  /** `host:port/repository@digest`. */
  readonly reference: string;
}

/** What a packed model says about itself. */
export interface PackOptions {
  readonly tag?: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** How an attached bundle is to be found; every field can be set wrong on purpose. */
export interface AttachOptions {
  readonly artifactType?: string;
  readonly subjectDigest?: string;
  /** Added to, and stronger than, the annotations that cosign writes. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Pushes the files as one raw layer each, in the order given, and returns the manifest that lists them. */
export function packModel(
  registry: RegistryHandle,
  repository: string,
  files: Readonly<Record<string, Buffer | string>>,
  options: PackOptions = {},
): PackedModel {
  const layers = Object.entries(files).map(([title, content]) => ({
    mediaType: layerType(title),
    ...registry.putBlob(Buffer.from(content)),
    annotations: { 'org.opencontainers.image.title': title },
  }));
  const manifest = toJson({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: options.artifactType ?? 'application/vnd.acme.model',
    config: { mediaType: EMPTY_TYPE, ...registry.putBlob(EMPTY), data: EMPTY.toString('base64') },
    layers,
    annotations: { 'org.opencontainers.image.created': '2026-01-01T00:00:00Z', ...options.annotations },
  });
  const tags = options.tag === undefined ? [] : [options.tag];
  const digest = registry.putManifest(repository, manifest, MANIFEST_TYPE, ...tags);
  const reference = `${registry.address}/${repository}@${digest}`;
  return { repository, digest, size: manifest.length, mediaType: MANIFEST_TYPE, manifest, reference };
}

/** Pushes a bundle as a referrer of the model and returns the digest of the referring manifest. */
export function attachBundle(
  registry: RegistryHandle,
  model: PackedModel,
  bundle: object,
  options: AttachOptions = {},
): string {
  const bytes = Buffer.isBuffer(bundle) ? bundle : toJson(bundle);
  const artifactType = options.artifactType ?? BUNDLE_TYPE;
  const manifest = toJson({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: EMPTY_TYPE, ...registry.putBlob(EMPTY), artifactType },
    layers: [{ mediaType: BUNDLE_TYPE, ...registry.putBlob(bytes) }],
    annotations: { ...bundleAnnotations(bytes), ...options.annotations },
    subject: {
      mediaType: model.mediaType,
      size: model.size,
      digest: options.subjectDigest ?? model.digest,
    },
    artifactType,
  });
  return registry.putManifest(model.repository, manifest, MANIFEST_TYPE);
}

function layerType(title: string): string {
  return LAYER_TYPES.find(([suffix]) => title.endsWith(suffix))?.[1] ?? 'application/octet-stream';
}

function bundleAnnotations(bundle: Buffer): Record<string, string> {
  const predicateType = predicateTypeOf(bundle);
  return {
    'dev.sigstore.bundle.content': 'dsse-envelope',
    ...(predicateType === undefined ? {} : { 'dev.sigstore.bundle.predicateType': predicateType }),
    'org.opencontainers.image.created': `${new Date().toISOString().slice(0, 19)}Z`,
  };
}

// Broken bundles are attached on purpose, so an unreadable one just has no predicate type to announce.
function predicateTypeOf(bundle: Buffer): string | undefined {
  try {
    const { dsseEnvelope } = JSON.parse(bundle.toString('utf8')) as { dsseEnvelope: { payload: string } };
    const payload = Buffer.from(dsseEnvelope.payload, 'base64').toString('utf8');
    return (JSON.parse(payload) as { predicateType?: string }).predicateType;
  } catch {
    return undefined;
  }
}

function toJson(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
