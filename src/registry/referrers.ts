// What refers to this digest? Referrers API with pagination, then the referrers tag schema (distribution-spec
// "Listing Referrers" and "Unavailable Referrers API"). Trouble is an error, never an empty list.
import { splitDigest } from '../lib/digest.ts';
import { quote } from '../lib/text.ts';
import {
  ManifestError,
  MAX_MANIFEST_BYTES,
  OCI_INDEX,
  parseManifest,
  type Descriptor,
} from '../model/manifest.ts';
import { announcesAttestation, PREDICATE_TYPE_ANNOTATION } from '../model/predicate-type.ts';
import { RegistryError } from './error.ts';
import type { Exchange } from './exchange.ts';
import { requireOk, type FetchedManifest, type Located } from './resource.ts';
import type { TransportResponse } from './transport.ts';

/** Pages of one listing that are read (docs: limits). */
export const MAX_REFERRER_PAGES = 10;
/** Candidates of one kind, signatures or attestations, that a listing holds (docs: limits). */
export const MAX_REFERRERS = 64;
/** Longest predicate type that is kept of a descriptor, in characters. */
const MAX_HINT_CHARS = 255;
/** Statuses by which registries say that they lack the API; some answer with a web page instead. */
const NO_API = new Set([400, 404, 405, 406]);

/**
 * At most {@link MAX_REFERRERS} descriptors of either kind, of their annotations only the announced predicate type;
 * `isTruncated` when there were more.
 */
export interface ReferrersList {
  readonly descriptors: readonly Descriptor[];
  readonly isTruncated: boolean;
}

/** One listing to make. */
export interface ReferrersRequest {
  readonly firstPage: Located;
  readonly exchange: Exchange;
  /** Undefined when the tag does not exist. */
  readonly findTag: (tag: string) => Promise<FetchedManifest | undefined>;
  readonly digest: string;
  readonly signal: AbortSignal;
}

/** Lists referrers, unfiltered: the artifactType in a listing is a hint that registries write differently. */
export async function listReferrers(request: ReferrersRequest): Promise<ReferrersList> {
  const found = collect();
  let url = request.firstPage.url;
  for (let page = 1; ; page += 1) {
    const response = await request.exchange({
      scope: request.firstPage.scope,
      url,
      accept: OCI_INDEX,
      maxBytes: MAX_MANIFEST_BYTES,
      followElsewhere: false,
      signal: request.signal,
    });
    if (page === 1 && lacksApi(response)) return listByTag(request);
    requireOk(response, { host: request.firstPage.scope.host, what: `referrers of ${request.digest}` });
    for (const descriptor of toDescriptors(response.body, request.firstPage.scope.host))
      found.add(descriptor);
    const next = toNextPage(response, url);
    if (found.isFull() || next === undefined) return found.toList(false);
    if (page === MAX_REFERRER_PAGES) return found.toList(true);
    url = next;
  }
}

interface Collected {
  readonly add: (descriptor: Descriptor) => void;
  /** True when neither kind can take more, and more was there. */
  readonly isFull: () => boolean;
  readonly toList: (hasMore: boolean) => ReferrersList;
}

// Each kind has room of its own: whoever fills the listing with the one hides nothing of the other.
function collect(): Collected {
  const signatures: Descriptor[] = [];
  const attestations: Descriptor[] = [];
  let surplus = 0;
  return {
    add(descriptor) {
      const hint = toHint(descriptor);
      const kind = announcesAttestation(hint.annotations) ? attestations : signatures;
      if (kind.length === MAX_REFERRERS) surplus += 1;
      else kind.push(hint);
    },
    isFull: () => surplus > 0 && signatures.length + attestations.length === 2 * MAX_REFERRERS,
    toList: (hasMore) => ({
      descriptors: [...signatures, ...attestations],
      isTruncated: hasMore || surplus > 0,
    }),
  };
}

// Annotations of a listing are hints of unbounded size: what kind it is, is the only one that is read.
function toHint({ mediaType, digest, size, annotations }: Descriptor): Descriptor {
  const type = Object.hasOwn(annotations, PREDICATE_TYPE_ANNOTATION)
    ? annotations[PREDICATE_TYPE_ANNOTATION]
    : undefined;
  const hint = type === undefined ? {} : { [PREDICATE_TYPE_ANNOTATION]: type.slice(0, MAX_HINT_CHARS) };
  return { mediaType, digest, size, annotations: hint };
}

function lacksApi(response: TransportResponse): boolean {
  if (NO_API.has(response.status) || (response.status >= 300 && response.status < 400)) return true;
  const type = (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  return response.status === 200 && type !== OCI_INDEX;
}

// distribution-spec "Referrers Tag Schema": <alg>-<ref>, cut to 32 and 64 characters.
async function listByTag(request: ReferrersRequest): Promise<ReferrersList> {
  const { algorithm, hex } = splitDigest(request.digest);
  const tagged = await request.findTag(`${algorithm}-${hex.slice(0, 64)}`);
  const found = collect();
  const descriptors = tagged === undefined ? [] : toDescriptors(tagged.bytes, request.firstPage.scope.host);
  for (const descriptor of descriptors) found.add(descriptor);
  return found.toList(false);
}

function toDescriptors(bytes: Buffer, host: string): readonly Descriptor[] {
  try {
    const index = parseManifest(bytes);
    if (index.kind === 'index') return index.manifests;
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new RegistryError(
      'invalid',
      `the referrers listing of ${quote(host)} is invalid: ${error.message}`,
    );
  }
  throw new RegistryError('invalid', `the referrers listing of ${quote(host)} is no index`);
}

// RFC 8288, rel="next". Another host would be a redirect in disguise; another path would be another listing.
function toNextPage(response: TransportResponse, current: URL): URL | undefined {
  const link = response.headers['link'];
  const links = (link ?? '').slice(0, 8192).matchAll(/<([^>]{1,2048})>([^<]*)/g);
  const target = [...links].find(([, , parameters = '']) => /;\s*rel="?next"?/i.test(parameters))?.[1];
  if (target === undefined) return undefined;
  let url: URL;
  try {
    url = new URL(target, current);
  } catch {
    throw new RegistryError(
      'invalid',
      `${quote(current.host)} names the next page ${quote(target, 120)}, which is no URL`,
    );
  }
  if (url.origin !== current.origin || url.pathname !== current.pathname)
    throw new RegistryError(
      'invalid',
      `${quote(current.host)} names the next page ${quote(target, 120)}, which leaves the listing`,
    );
  return url;
}
