// How does an OCI image layout on disk get into the demo registry? Puts its blobs, and its manifests with tags.
// Leaves the meaning of the artifacts to whoever reads them back.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { RegistryHandle } from './registry.ts';
import { sha256Digest } from './registry-store.ts';

const MANIFEST_TYPE = /manifest|image\.index/u;

interface LayoutDescriptor {
  readonly mediaType?: string;
  readonly digest?: string;
}

/** A manifest of a layout, with the tags it is to have. */
export interface LayoutManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly tags: readonly string[];
}

/** What a layout holds: blobs by digest, manifests among them too, and which of them are manifests. */
export interface LayoutContent {
  readonly blobs: ReadonlyMap<string, Buffer>;
  readonly manifests: readonly LayoutManifest[];
}

/** Reads a layout; its manifests are those that its index, an index below that, or `tags` names. */
export function readLayout(
  layoutDirectory: string,
  tags: ReadonlyMap<string, readonly string[]>,
): LayoutContent {
  const blobs = readBlobs(layoutDirectory);
  const index = readFileSync(path.join(layoutDirectory, 'index.json'));
  const mediaTypes = new Map<string, string>();
  collectManifests(index, blobs, mediaTypes);
  for (const digest of tags.keys()) {
    const bytes = blobs.get(digest);
    if (bytes !== undefined && !mediaTypes.has(digest)) mediaTypes.set(digest, ownMediaType(bytes));
  }
  const manifests = [...mediaTypes].flatMap(([digest, mediaType]): readonly LayoutManifest[] => {
    const bytes = blobs.get(digest);
    return bytes === undefined ? [] : [{ digest, mediaType, bytes, tags: tags.get(digest) ?? [] }];
  });
  return { blobs, manifests };
}

/** Puts every blob of the layout, and its manifests in `repository`. */
export function seedFromLayout(
  registry: RegistryHandle,
  repository: string,
  layoutDirectory: string,
  tags: ReadonlyMap<string, readonly string[]>,
): void {
  const { blobs, manifests } = readLayout(layoutDirectory, tags);
  for (const bytes of blobs.values()) registry.putBlob(bytes);
  for (const manifest of manifests)
    registry.putManifest(repository, manifest.bytes, manifest.mediaType, ...manifest.tags);
}

function readBlobs(layoutDirectory: string): Map<string, Buffer> {
  const directory = path.join(layoutDirectory, 'blobs', 'sha256');
  const blobs = new Map<string, Buffer>();
  for (const name of readdirSync(directory).toSorted()) {
    const bytes = readFileSync(path.join(directory, name));
    blobs.set(sha256Digest(bytes), bytes);
  }
  return blobs;
}

// The media type comes from the descriptor, as a manifest need not repeat it inside (kit writes none).
function collectManifests(
  index: Buffer,
  blobs: ReadonlyMap<string, Buffer>,
  found: Map<string, string>,
): void {
  for (const { digest, mediaType } of readDescriptors(index)) {
    const bytes = digest === undefined ? undefined : blobs.get(digest);
    if (digest === undefined || bytes === undefined || found.has(digest)) continue;
    const type = mediaType ?? ownMediaType(bytes);
    if (!MANIFEST_TYPE.test(type)) continue;
    found.set(digest, type);
    if (!type.includes('index') && !type.includes('manifest.list')) continue;
    collectManifests(bytes, blobs, found);
  }
}

function readDescriptors(index: Buffer): readonly LayoutDescriptor[] {
  const { manifests = [] } = JSON.parse(index.toString('utf8')) as { manifests?: LayoutDescriptor[] };
  return manifests;
}

function ownMediaType(bytes: Buffer): string {
  const { mediaType } = JSON.parse(bytes.toString('utf8')) as LayoutDescriptor;
  return mediaType ?? 'application/vnd.oci.image.manifest.v1+json';
}
