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
import { listReferrers, type ReferrersList } from './referrers.ts';
import { requireOk, type FetchedManifest, type Located, type RepositoryName } from './resource.ts';
import { createAuthenticator } from './token.ts';
import type { Transport, TransportResponse } from './transport.ts';

const MANIFEST_TYPES = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST];
/** Room for the text of a challenge, redirect or error, which may be longer than a small blob. */
const MIN_ANSWER_BYTES = 64 * 1024;
const DOCKER_HUB_API_HOST = 'registry-1.docker.io';

/** All calls throw RegistryError or DeadlineError; nothing is retried after they return. */
export interface RegistryClient {
  /** @param target a digest, or a tag, which is resolved by the bytes it names and by nothing else */
  fetchManifest(name: RepositoryName, target: string, signal: AbortSignal): Promise<FetchedManifest>;
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

/** Creates a client with one keychain's credentials. */
export function createRegistryClient(transport: Transport, keychain: Keychain): RegistryClient {
  const exchange = createExchange(transport, createAuthenticator(transport, keychain));
  const locate = createLocator(transport);

  const client: RegistryClient = {
    async fetchManifest(name, target, signal) {
      const response = await exchange({
        ...locate(name, `manifests/${target}`),
        accept: MANIFEST_TYPES.join(', '),
        maxBytes: MAX_MANIFEST_BYTES,
        followElsewhere: true,
        signal,
      });
      requireOk(response, name, `manifest ${target}`);
      return { bytes: response.body, digest: checkManifestDigest(response, target) };
    },
    async findTag(name, tag, signal) {
      try {
        return await client.fetchManifest(name, tag, signal);
      } catch (error) {
        if (error instanceof RegistryError && error.kind === 'notFound') return undefined;
        throw error;
      }
    },
    listReferrers: (name, digest, signal) =>
      listReferrers({
        firstPage: locate(name, `referrers/${digest}`),
        exchange: exchange satisfies Exchange,
        fetchTag: (tag) => client.fetchManifest(name, tag, signal),
        digest,
        signal,
      }),
    async fetchBlob(name, blob, { maxBytes, signal }) {
      if (blob.size > maxBytes)
        throw new RegistryError('tooLarge', `blob ${blob.digest} of ${blob.size} bytes exceeds ${maxBytes}`);
      const response = await exchange({
        ...locate(name, `blobs/${blob.digest}`),
        accept: '*/*',
        maxBytes: Math.max(blob.size, MIN_ANSWER_BYTES),
        followElsewhere: true,
        signal,
      });
      requireOk(response, name, `blob ${blob.digest}`);
      if (response.body.length !== blob.size || !matchDigest(response.body, blob.digest))
        throw new RegistryError(
          'mismatch',
          `${quote(name.registry)} served other bytes for blob ${blob.digest}`,
        );
      return response.body;
    },
  };
  return client;
}

function createLocator(transport: Transport): (name: RepositoryName, path: string) => Located {
  return ({ registry, repository }, path) => {
    const host = registry === 'docker.io' ? DOCKER_HUB_API_HOST : registry;
    const scheme = transport.isPlainHttp(host) ? 'http' : 'https';
    return {
      scope: { registry, host, repository },
      url: new URL(`${scheme}://${host}/v2/${repository}/${path}`),
    };
  };
}

// The digest is what the bytes hash to. A header that says otherwise shows a registry or proxy at odds with itself.
function checkManifestDigest(response: TransportResponse, target: string): string {
  const isByDigest = isDigest(target);
  if (isByDigest && !matchDigest(response.body, target))
    throw new RegistryError(
      'mismatch',
      `the manifest served for ${target} hashes to sha256:${sha256Hex(response.body)}`,
    );
  const digest = isByDigest ? target : `sha256:${sha256Hex(response.body)}`;
  const header = response.headers['docker-content-digest'];
  if (header !== undefined && isDigest(header) && !matchDigest(response.body, header))
    throw new RegistryError('mismatch', `Docker-Content-Digest says ${header}, the bytes hash to ${digest}`);
  return digest;
}
