// What does this manifest say? Untrusted manifest and index bytes become typed values or one typed error; nothing is
// fetched and nothing is believed beyond its own bytes. Specification: OCI image-spec manifest.md, image-index.md.
import { isDigest } from '../lib/digest.ts';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { isRecord, quote, toArray, toRecord } from '../lib/text.ts';

/** Largest manifest, index or referrers page, in bytes (distribution-spec "Pushing manifests": 4 MiB). */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** More layers than this are refused: no packaging tool writes them, and every rule walks them. */
export const MAX_LAYERS = 10_000;
const MAX_MEDIA_TYPE_CHARS = 255;

/** Media types of the manifests that are read. */
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

/** A content descriptor (image-spec descriptor.md). `size` is bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  /** Only children of an index have one. */
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly annotations: Readonly<Record<string, string>>;
}

/** An image manifest: config and layers. */
export interface ImageManifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations: Readonly<Record<string, string>>;
}

/** An index: child manifests. */
export interface ImageIndex {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** What a manifest's bytes were refused for, as one clause. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

/**
 * Parses manifest bytes that already match their digest.
 * @throws ManifestError for anything that two readers could take differently
 */
export function parseManifest(bytes: Uint8Array): ImageManifest | ImageIndex {
  const body = readJson(bytes);
  refuseTwins(body, 'it');
  if (body['schemaVersion'] !== 2) throw new ManifestError('schemaVersion is not 2');
  // image-spec manifest.md: a document with both would be read as either.
  if ('layers' in body && 'manifests' in body) throw new ManifestError('it has both layers and manifests');
  return 'manifests' in body ? toIndex(body) : toManifest(body);
}

function readJson(bytes: Uint8Array): Record<string, unknown> {
  try {
    const body = parseStrictJson(bytes, MAX_MANIFEST_BYTES);
    if (isRecord(body)) return body;
  } catch (error) {
    if (error instanceof StrictJsonError) throw new ManifestError(error.message);
    throw error;
  }
  throw new ManifestError('it is no JSON object');
}

// Go's encoding/json, by which containerd and oras read manifests, takes a member whatever its case, and the last of
// several: what is no exact name here must not be a name there.
const MEMBERS = new Set(
  'schemaVersion mediaType artifactType config layers manifests subject annotations digest size urls data platform'.split(
    ' ',
  ),
);
// Two steps, because Go folds by Unicode: the long s upper-cases to S, the Kelvin sign lower-cases to k.
const fold = (name: string): string => name.toUpperCase().toLowerCase();
const FOLDED_MEMBERS = new Set([...MEMBERS].map(fold));

function refuseTwins(record: Record<string, unknown>, where: string): void {
  for (const name of Object.keys(record))
    if (!MEMBERS.has(name) && FOLDED_MEMBERS.has(fold(name)))
      throw new ManifestError(
        `${where} has the member ${quote(name, 40)}, which some readers take for another`,
      );
}

function toManifest(body: Record<string, unknown>): ImageManifest {
  const layers = body['layers'];
  if (!Array.isArray(layers)) throw new ManifestError('layers is no list');
  if (layers.length > MAX_LAYERS) throw new ManifestError(`it has more than ${MAX_LAYERS} layers`);
  return {
    kind: 'manifest',
    mediaType: readMediaType(body, OCI_MANIFEST, [OCI_MANIFEST, DOCKER_MANIFEST]),
    ...readArtifactType(body),
    config: toDescriptor(body['config'], 'config'),
    layers: layers.map((layer, index) => toDescriptor(layer, `layers[${index}]`)),
    ...(body['subject'] === undefined || body['subject'] === null
      ? {}
      : { subject: toDescriptor(body['subject'], 'subject') }),
    annotations: readAnnotations(body['annotations'], 'annotations'),
  };
}

/** Parses an index, or a referrers listing, which has the same shape. */
function toIndex(body: Record<string, unknown>): ImageIndex {
  const manifests = body['manifests'];
  // Some registries write null for an empty list of referrers.
  if (manifests !== null && !Array.isArray(manifests)) throw new ManifestError('manifests is no list');
  return {
    kind: 'index',
    mediaType: readMediaType(body, OCI_INDEX, [OCI_INDEX, DOCKER_LIST]),
    manifests: toArray(manifests).map((entry, index) => toDescriptor(entry, `manifests[${index}]`)),
    annotations: readAnnotations(body['annotations'], 'annotations'),
  };
}

function readMediaType(body: Record<string, unknown>, absent: string, allowed: readonly string[]): string {
  const mediaType = body['mediaType'];
  if (mediaType === undefined) return absent;
  if (typeof mediaType === 'string' && allowed.includes(mediaType)) return mediaType;
  const shown = typeof mediaType === 'string' ? quote(mediaType, 80) : 'of another type than string';
  throw new ManifestError(`mediaType ${shown} does not fit its content`);
}

function readArtifactType(body: Record<string, unknown>): { artifactType?: string } {
  const artifactType = body['artifactType'];
  if (artifactType === undefined || artifactType === null || artifactType === '') return {};
  if (typeof artifactType !== 'string' || artifactType.length > MAX_MEDIA_TYPE_CHARS)
    throw new ManifestError('artifactType is no media type');
  return { artifactType };
}

function toDescriptor(value: unknown, where: string): Descriptor {
  const record = toRecord(value);
  refuseTwins(record, where);
  const { mediaType, digest, size, annotations } = record;
  // image-spec descriptor.md "urls": bytes from elsewhere, which no registry rule or credential covers.
  if (toArray(record['urls']).length > 0)
    throw new ManifestError(`${where} has urls, which are not followed`);
  if (typeof mediaType !== 'string' || mediaType.length > MAX_MEDIA_TYPE_CHARS)
    throw new ManifestError(`${where}.mediaType is no media type`);
  if (typeof digest !== 'string' || !isDigest(digest))
    throw new ManifestError(`${where}.digest is no digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw new ManifestError(`${where}.size is no size`);
  return {
    mediaType,
    digest,
    size,
    ...readArtifactType(record),
    ...readPlatform(record),
    annotations: readAnnotations(annotations, `${where}.annotations`),
  };
}

function readPlatform({ platform }: Record<string, unknown>): Pick<Descriptor, 'platform'> {
  const { os, architecture } = toRecord(platform);
  return typeof os === 'string' && typeof architecture === 'string' ? { platform: { os, architecture } } : {};
}

function readAnnotations(value: unknown, where: string): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value) || !Object.values(value).every((text) => typeof text === 'string'))
    throw new ManifestError(`${where} is no map of strings`);
  return value as Record<string, string>;
}
