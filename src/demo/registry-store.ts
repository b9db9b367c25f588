// What does the demo registry hold, and what are the referrers of a manifest?
// Leaves HTTP, tokens and injected faults to registry.ts; blobs are shared by all repositories.
import { createHash } from 'node:crypto';

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

/** Content as a registry addresses it. */
export interface StoredContent {
  readonly digest: string;
  readonly size: number;
}

/** A manifest with the media type it is served under. */
export interface StoredManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

/** One entry of a referrers listing. */
export interface ReferrerDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** In what registries differ. */
export interface StoreHabits {
  /** Each pushed referrer is also listed under the tag `sha256-<hex>` of its subject. */
  readonly keepsTagSchema: boolean;
  /** Listings give the config's media type as `artifactType`, as go-containerregistry does. */
  readonly listsConfigType: boolean;
}

interface Repository {
  readonly manifests: Map<string, StoredManifest>;
  readonly tags: Map<string, string>;
}

interface SubjectFields {
  readonly subject?: { readonly digest?: string };
  readonly artifactType?: string;
  readonly config?: { readonly mediaType?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The digest of some bytes in OCI notation. */
export function sha256Digest(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Content-addressed storage of one registry, with tags and referrers for each repository. */
export class RegistryStore {
  readonly #blobs = new Map<string, Buffer>();
  readonly #repositories = new Map<string, Repository>();
  readonly #lies = new Map<string, Buffer>();
  readonly #habits: StoreHabits;

  constructor(habits: StoreHabits) {
    this.#habits = habits;
  }

  /** Stores a blob for every repository. */
  putBlob(bytes: Buffer): StoredContent {
    const digest = sha256Digest(bytes);
    this.#blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  }

  /** Stores a manifest, points the tags at it and returns its digest. */
  putManifest(repository: string, manifest: StoredManifest, tags: readonly string[]): string {
    const digest = sha256Digest(manifest.bytes);
    const { manifests, tags: known } = this.#repository(repository);
    manifests.set(digest, manifest);
    for (const tag of tags) known.set(tag, digest);
    const subject = readSubject(manifest.bytes)?.subject?.digest;
    if (this.#habits.keepsTagSchema && typeof subject === 'string')
      this.#updateTagSchema(repository, subject);
    return digest;
  }

  /** From now on other bytes are served under this digest, as a broken or hostile registry would. */
  lie(digest: string, bytes: Buffer): void {
    this.#lies.set(digest, bytes);
  }

  /** Forgets a tag; the manifest stays. */
  deleteTag(repository: string, tag: string): void {
    this.#repository(repository).tags.delete(tag);
  }

  /** The bytes served for a blob. */
  blob(digest: string): Buffer | undefined {
    const stored = this.#blobs.get(digest);
    return stored === undefined ? undefined : (this.#lies.get(digest) ?? stored);
  }

  /** The manifest that a tag or digest names, with the digest it claims. */
  manifest(repository: string, reference: string): (StoredManifest & { digest: string }) | undefined {
    const { manifests, tags } = this.#repository(repository);
    const digest = reference.includes(':') ? reference : tags.get(reference);
    const stored = digest === undefined ? undefined : manifests.get(digest);
    if (digest === undefined || stored === undefined) return undefined;
    return { digest, bytes: this.#lies.get(digest) ?? stored.bytes, mediaType: stored.mediaType };
  }

  /** The manifests of a repository whose `subject` is this digest, in the order they were pushed. */
  referrers(repository: string, subject: string): ReferrerDescriptor[] {
    const found: ReferrerDescriptor[] = [];
    for (const [digest, { bytes, mediaType }] of this.#repository(repository).manifests) {
      const fields = readSubject(bytes);
      if (fields?.subject?.digest !== subject) continue;
      const own = this.#habits.listsConfigType ? undefined : fields.artifactType;
      const artifactType = own ?? fields.config?.mediaType;
      found.push({
        mediaType,
        digest,
        size: bytes.length,
        ...(artifactType === undefined ? {} : { artifactType }),
        ...(fields.annotations === undefined ? {} : { annotations: fields.annotations }),
      });
    }
    return found;
  }

  #repository(name: string): Repository {
    const known = this.#repositories.get(name) ?? { manifests: new Map(), tags: new Map() };
    this.#repositories.set(name, known);
    return known;
  }

  #updateTagSchema(repository: string, subject: string): void {
    const bytes = referrersIndex(this.referrers(repository, subject));
    this.putManifest(repository, { bytes, mediaType: INDEX_TYPE }, [subject.replace(':', '-')]);
  }
}

/** A referrers listing as the API answers it and as the tag schema stores it. */
export function referrersIndex(manifests: readonly ReferrerDescriptor[]): Buffer {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }));
}

// Junk manifests are part of some tests: what cannot be read refers to nothing.
function readSubject(bytes: Buffer): SubjectFields | undefined {
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}
