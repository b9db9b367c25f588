// What does the registry say? A read-only OCI distribution client: manifests, blobs and referrers, every byte capped
// and hashed. It never fetches what it was not asked for, and it knows nothing of models or signatures.
import { isDigest, matchDigest, sha256Hex } from '../lib/digest.ts';
import { quote } from '../lib/text.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  MAX_MANIFEST_BYTES,
  OCI_INDEX,
  OCI_MANIFEST,
  type Descriptor,
} from '../model/manifest.ts';
import type { Keychain } from './docker-config.ts';
import { RegistryError } from './error.ts';
import { createExchange, type Exchange } from './exchange.ts';
import type { HostSettingsMap } from './host-settings.ts';
import { listReferrers, type ReferrersList } from './referrers.ts';
import { requireOk, type FetchedManifest, type RepositoryName } from './resource.ts';
import { createReadInOrder, type ReadKind, type Source } from './sources.ts';
import { createAuthenticator } from './token.ts';
import type { Transport, TransportResponse } from './transport.ts';

const MANIFEST_TYPES = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST];
/** Room for the text of a challenge, redirect or error, which may be longer than a small blob. */
const MIN_ANSWER_BYTES = 64 * 1024;

/** All calls throw RegistryError or DeadlineError; nothing is retried after they return. */
export interface RegistryClient {
  /** @param target a digest, or a tag, which is resolved by the bytes it names and by nothing else */
  fetchManifest(
    name: RepositoryName,
    target: string,
    signal: AbortSignal,
    maxBytes?: number,
  ): Promise<FetchedManifest>;
  /** As fetchManifest for a tag that need not exist; undefined only when the registry says that it does not. */
  findTag(name: RepositoryName, tag: string, signal: AbortSignal): Promise<FetchedManifest | undefined>;
  /** Descriptors of what refers to a digest: from the API, else from the tag schema. */
  listReferrers(name: RepositoryName, digest: string, signal: AbortSignal): Promise<ReferrersList>;
  /** @throws RegistryError `tooLarge` before asking when the descriptor's size exceeds the cap */
  fetchBlob(name: RepositoryName, blob: Descriptor, limit: BlobLimit): Promise<Buffer>;
}

/** How much of a blob may be fetched, and until when. */
export interface BlobLimit {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Creates a client with one keychain's credentials.
 * @param settings of single hosts: mirrors, and what their statuses mean
 */
export function createRegistryClient(
  transport: Transport,
  keychain: Keychain,
  settings: HostSettingsMap = new Map(),
): RegistryClient {
  const exchange = createExchange(transport, createAuthenticator(transport, keychain));
  const readInOrder = createReadInOrder(transport, settings);
  const toKind = (target: string): ReadKind => (isDigest(target) ? 'fixed' : 'named');

  return {
    fetchManifest: (name, target, signal, maxBytes = MAX_MANIFEST_BYTES) =>
      readInOrder({
        name,
        kind: toKind(target),
        signal,
        read: (source, signal) => fetchManifest(exchange, source, { target, signal, maxBytes }),
      }),
    findTag: (name, tag, signal) =>
      readInOrder({
        name,
        kind: 'named',
        signal,
        read: (source, signal) => findTag(exchange, source, { target: tag, signal }),
      }).catch(toUndefined),
    listReferrers: (name, digest, signal) =>
      readInOrder({
        name,
        kind: 'named',
        signal,
        read: (source, signal) =>
          listReferrers({
            firstPage: source.locate(`referrers/${digest}`),
            exchange,
            findTag: (tag) => findTag(exchange, source, { target: tag, signal }).catch(toUndefined),
            digest,
            signal,
          }),
      }),
    async fetchBlob(name, blob, { maxBytes, signal }) {
      if (blob.size > maxBytes)
        throw new RegistryError('tooLarge', `blob ${blob.digest} of ${blob.size} bytes exceeds ${maxBytes}`);
      return readInOrder({
        name,
        kind: 'fixed',
        signal,
        read: (source, signal) => fetchBlob(exchange, source, { blob, signal }),
      });
    },
  };
}

// Only the registry's word that a tag does not exist is its absence.
function toUndefined(error: unknown): undefined {
  if (error instanceof RegistryError && error.kind === 'notFound') return undefined;
  throw error;
}

interface ManifestRead {
  readonly target: string;
  readonly signal: AbortSignal;
  readonly maxBytes?: number;
  readonly absentStatuses?: ReadonlySet<number>;
}

async function fetchManifest(
  exchange: Exchange,
  source: Source,
  read: ManifestRead,
): Promise<FetchedManifest> {
  const { target, signal, maxBytes = MAX_MANIFEST_BYTES, absentStatuses } = read;
  const located = source.locate(`manifests/${target}`);
  const accept = MANIFEST_TYPES.join(', ');
  const response = await exchange({ ...located, accept, maxBytes, followElsewhere: true, signal });
  const { host } = located.scope;
  requireOk(response, { host, what: `manifest ${target}`, ...(absentStatuses && { absentStatuses }) });
  return { bytes: response.body, digest: checkManifestDigest(response, target, host) };
}

function findTag(exchange: Exchange, source: Source, read: ManifestRead): Promise<FetchedManifest> {
  return fetchManifest(exchange, source, { ...read, absentStatuses: source.tagAbsentStatuses });
}

async function fetchBlob(
  exchange: Exchange,
  source: Source,
  { blob, signal }: { blob: Descriptor; signal: AbortSignal },
): Promise<Buffer> {
  const located = source.locate(`blobs/${blob.digest}`);
  const maxBytes = Math.max(blob.size, MIN_ANSWER_BYTES);
  const response = await exchange({ ...located, accept: '*/*', maxBytes, followElsewhere: true, signal });
  const { host } = located.scope;
  requireOk(response, { host, what: `blob ${blob.digest}` });
  if (response.body.length !== blob.size || !matchDigest(response.body, blob.digest))
    throw new RegistryError('mismatch', `${quote(host)} served other bytes for blob ${blob.digest}`);
  return response.body;
}

// The digest is what the bytes hash to. A header that says otherwise shows a registry or proxy at odds with itself.
function checkManifestDigest(response: TransportResponse, target: string, host: string): string {
  const isByDigest = isDigest(target);
  if (isByDigest && !matchDigest(response.body, target))
    throw new RegistryError(
      'mismatch',
      `the manifest that ${quote(host)} served for ${target} hashes to sha256:${sha256Hex(response.body)}`,
    );
  const digest = isByDigest ? target : `sha256:${sha256Hex(response.body)}`;
  const header = response.headers['docker-content-digest'];
  if (header !== undefined && isDigest(header) && !matchDigest(response.body, header))
    throw new RegistryError(
      'mismatch',
      `${quote(host)} says Docker-Content-Digest ${header}, the bytes hash to ${digest}`,
    );
  return digest;
}
