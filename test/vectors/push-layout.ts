// How does an image layout get into a registry that is not ours? By the push half of the OCI distribution specification;
// where the registry lists no referrers, with the index under the tag schema, as clients have to keep it.
import type { LayoutContent, LayoutManifest } from '../../src/demo/seed-from-layout.ts';

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

/** Where to push. */
export interface PushTarget {
  readonly url: string;
  readonly repository: string;
}

/** Thrown when the registry refuses a part; the message names it. */
export class PushError extends Error {
  override readonly name = 'PushError';
}

interface ManifestFields {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config?: { readonly mediaType?: string };
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: { readonly digest: string };
  readonly manifests?: readonly { readonly digest: string }[];
}

/** Pushes blobs, then manifests with what they refer to before them. @throws PushError */
export async function pushLayout(target: PushTarget, { blobs, manifests }: LayoutContent): Promise<void> {
  const named = new Set(manifests.map(({ digest }) => digest));
  for (const [digest, bytes] of blobs) if (!named.has(digest)) await pushBlob(target, digest, bytes);
  let listsReferrers = true;
  for (const manifest of inOrder(manifests)) {
    const response = await pushManifest(target, manifest, manifest.digest);
    if (readFields(manifest).subject !== undefined && !response.headers.has('oci-subject'))
      listsReferrers = false;
    for (const tag of manifest.tags) await pushManifest(target, manifest, tag);
  }
  if (!listsReferrers) await pushTagSchema(target, manifests);
}

// distribution-spec "Pushing blobs", POST then PUT.
async function pushBlob({ url, repository }: PushTarget, digest: string, bytes: Buffer): Promise<void> {
  const started = await send(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' }, 'an upload');
  const place = new URL(started.headers.get('location') ?? '', started.url);
  place.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  await send(place.href, { method: 'PUT', headers, body: new Uint8Array(bytes) }, `blob ${digest}`);
}

function pushManifest(
  { url, repository }: PushTarget,
  { bytes, mediaType }: Pick<LayoutManifest, 'bytes' | 'mediaType'>,
  reference: string,
): Promise<Response> {
  const headers = { 'content-type': mediaType };
  return send(
    `${url}/v2/${repository}/manifests/${reference}`,
    { method: 'PUT', headers, body: new Uint8Array(bytes) },
    `manifest ${reference}`,
  );
}

async function send(url: string, request: RequestInit, what: string): Promise<Response> {
  const response = await fetch(url, request);
  const text = await response.text();
  if (!response.ok) throw new PushError(`${what}: ${response.status} ${text.slice(0, 160)}`);
  return response;
}

// Registries want children before their index, and subjects before what refers to them.
function inOrder(manifests: readonly LayoutManifest[]): readonly LayoutManifest[] {
  const byDigest = new Map(manifests.map((manifest) => [manifest.digest, manifest]));
  const ordered = new Set<LayoutManifest>();
  const visit = (manifest: LayoutManifest): void => {
    const { manifests: children = [], subject } = readFields(manifest);
    for (const { digest } of [...children, ...(subject === undefined ? [] : [subject])]) {
      const before = byDigest.get(digest);
      if (before !== undefined && before !== manifest && !ordered.has(before)) visit(before);
    }
    ordered.add(manifest);
  };
  for (const manifest of manifests) visit(manifest);
  return [...ordered];
}

async function pushTagSchema(target: PushTarget, manifests: readonly LayoutManifest[]): Promise<void> {
  const recorded = new Set(manifests.flatMap(({ tags }) => tags));
  const subjects = new Map<string, object[]>();
  for (const manifest of manifests) {
    const { subject, artifactType, config, annotations } = readFields(manifest);
    if (subject === undefined) continue;
    const { digest, mediaType, bytes } = manifest;
    const type = artifactType ?? config?.mediaType;
    const entry = { mediaType, digest, size: bytes.length, artifactType: type, annotations };
    subjects.set(subject.digest, [...(subjects.get(subject.digest) ?? []), entry]);
  }
  for (const [digest, entries] of subjects) {
    const tag = digest.replace(':', '-');
    // A case that was recorded with its own index keeps that.
    if (recorded.has(tag)) continue;
    const index = { schemaVersion: 2, mediaType: INDEX_TYPE, manifests: entries };
    await pushManifest(target, { bytes: Buffer.from(JSON.stringify(index)), mediaType: INDEX_TYPE }, tag);
  }
}

function readFields({ bytes }: LayoutManifest): ManifestFields {
  return JSON.parse(bytes.toString('utf8')) as ManifestFields;
}
