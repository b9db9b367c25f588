// What does a registry answer to one read request? Pure routing over the store: the pull half of the OCI
// distribution specification with referrers. Leaves tokens to registry-tokens.ts and delivery to registry.ts.
import { referrersIndex } from './registry-store.ts';
import type { RegistryStore } from './registry-store.ts';

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const ROUTE = /^\/v2\/(?<repository>.+)\/(?<kind>manifests|blobs|referrers)\/(?<reference>[^/]+)$/u;

/** A response before any fault is applied to it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What a request asks for; undefined parts mean `/v2/` or no known route. */
export interface Target {
  readonly repository: string;
  readonly kind: string;
  readonly reference: string;
}

/** How listings behave: `pageSize` splits them, `referrersApi: false` means the endpoint does not exist. */
export interface RouteSettings {
  readonly referrersApi: boolean;
  readonly pageSize: number;
}

/** The repository, kind and reference in a request path, or undefined. */
export function parseTarget(pathname: string): Target | undefined {
  const groups = ROUTE.exec(decodePath(pathname))?.groups;
  const { repository, kind, reference } = groups ?? {};
  if (repository === undefined || kind === undefined || reference === undefined) return undefined;
  return { repository, kind, reference };
}

// A client may escape the colon of a digest; a path that cannot be decoded matches no route.
function decodePath(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return '';
  }
}

/** The answer of a healthy, honest-unless-told registry. */
export function routeRequest(store: RegistryStore, url: URL, settings: RouteSettings): Answer {
  if (url.pathname === '/v2/' || url.pathname === '/v2') return json(200, {});
  const target = parseTarget(url.pathname);
  if (target === undefined) return notFound('UNSUPPORTED', 'no such route');
  if (target.kind === 'manifests') return manifestAnswer(store, target);
  if (target.kind === 'blobs') return blobAnswer(store, target);
  if (!settings.referrersApi) return notFound('UNSUPPORTED', 'no referrers API');
  return referrersAnswer(store, { target, query: url.searchParams, pageSize: settings.pageSize });
}

function manifestAnswer(store: RegistryStore, target: Target): Answer {
  const manifest = store.manifest(target.repository, target.reference);
  if (manifest === undefined) return notFound('MANIFEST_UNKNOWN', 'manifest unknown');
  return {
    status: 200,
    headers: { 'content-type': manifest.mediaType, 'docker-content-digest': manifest.digest },
    body: manifest.bytes,
  };
}

function blobAnswer(store: RegistryStore, target: Target): Answer {
  const body = store.blob(target.reference);
  if (body === undefined) return notFound('BLOB_UNKNOWN', 'blob unknown to registry');
  return {
    status: 200,
    headers: { 'content-type': 'application/octet-stream', 'docker-content-digest': target.reference },
    body,
  };
}

interface ListingRequest {
  readonly target: Target;
  readonly query: URLSearchParams;
  readonly pageSize: number;
}

function referrersAnswer(store: RegistryStore, request: ListingRequest): Answer {
  const { target, query, pageSize } = request;
  const wanted = query.get('artifactType');
  const all = store
    .referrers(target.repository, target.reference)
    .filter((descriptor) => wanted === null || descriptor.artifactType === wanted);
  const start = Number(query.get('last') ?? 0);
  const headers: Record<string, string> = { 'content-type': INDEX_TYPE };
  if (wanted !== null) headers['oci-filters-applied'] = 'artifactType';
  if (start + pageSize < all.length) {
    const next = new URLSearchParams(query);
    next.set('last', String(start + pageSize));
    const path = `/v2/${target.repository}/referrers/${target.reference}?${next.toString()}`;
    headers['link'] = `<${path}>; rel="next"`;
  }
  return { status: 200, headers, body: referrersIndex(all.slice(start, start + pageSize)) };
}

function notFound(code: string, message: string): Answer {
  return json(404, { errors: [{ code, message }] });
}

function json(status: number, value: unknown): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(value)),
  };
}
