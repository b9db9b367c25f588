// Where do tests and the demo keep artifacts? An OCI registry in memory behind real HTTP on loopback, which
// records every request and can be told to misbehave. Leaves content to registry-store.ts and routing to
// registry-routes.ts; artifacts.ts and seed-from-layout.ts fill it.
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { deliver, type Fault } from './registry-faults.ts';
import { parseTarget, routeRequest, type Answer } from './registry-routes.ts';
import { RegistryStore, type StoredContent } from './registry-store.ts';
import { TokenGate, type RegistryAccount } from './registry-tokens.ts';

export type { Fault } from './registry-faults.ts';

/** One request as the registry saw it; `status` and `bytes` are 0 until it is answered. */
export interface RegistryRequest {
  readonly method: string;
  /** The path with its query. */
  readonly path: string;
  readonly status: number;
  /** Bytes of the response body. */
  readonly bytes: number;
  readonly authorization?: string;
}

/** How the registry listens and what it offers. */
export interface RegistryOptions {
  readonly host?: string;
  readonly port?: number;
  /** Without the referrers API, referrers are listed under the tag `sha256-<hex>`. */
  readonly referrersApi?: boolean;
  readonly referrersPageSize?: number;
  /** Referrers are listed with their config's media type as `artifactType`, as go-containerregistry does. */
  readonly listsConfigType?: boolean;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Accounts; absent: open to everyone. */
  readonly auth?: RegistryAccount | readonly RegistryAccount[];
}

/** A running registry. */
export interface RegistryHandle {
  /** `host:port`. */
  readonly address: string;
  readonly url: string;
  readonly requests: readonly RegistryRequest[];
  /** Stores a blob for every repository. */
  putBlob(bytes: Buffer): StoredContent;
  /** Stores a manifest under its digest and the tags; returns the digest. */
  putManifest(repository: string, bytes: Buffer, mediaType: string, ...tags: string[]): string;
  /** From now on the manifest with this digest is served with other bytes. */
  replaceManifest(digest: string, bytes: Buffer): void;
  /** From now on the blob with this digest is served with other bytes. */
  replaceBlob(digest: string, bytes: Buffer): void;
  deleteTag(repository: string, tag: string): void;
  /** The function is asked for each request, before it is answered. */
  setFault(fault: ((request: RegistryRequest) => Fault | undefined) | undefined): void;
  /** Drops every connection, hanging ones too. */
  close(): Promise<void>;
}

type Recorded = { -readonly [Key in keyof RegistryRequest]: RegistryRequest[Key] };

/** Starts a registry; without options it listens on a free port of 127.0.0.1, open to everyone. */
export async function startRegistry(options: RegistryOptions = {}): Promise<RegistryHandle> {
  const { host = '127.0.0.1', port = 0, referrersApi = true, listsConfigType = false } = options;
  const store = new RegistryStore({ keepsTagSchema: !referrersApi, listsConfigType });
  const settings = { referrersApi, pageSize: options.referrersPageSize ?? Infinity };
  const requests: Recorded[] = [];
  let gate: TokenGate | undefined;
  let faultFor: ((request: RegistryRequest) => Fault | undefined) | undefined;

  const answer = (request: IncomingMessage, url: URL): Answer => {
    const { authorization } = request.headers;
    if (gate !== undefined && url.pathname === '/token') return gate.token(url.searchParams, authorization);
    const refusal = gate?.challenge(parseTarget(url.pathname)?.repository, authorization);
    if (refusal !== undefined) return refusal;
    if (request.method === 'GET' || request.method === 'HEAD') return routeRequest(store, url, settings);
    return { status: 405, headers: { allow: 'GET, HEAD' }, body: Buffer.alloc(0) };
  };
  const listener: RequestListener = (request, response) => {
    const record = recordRequest(request, response);
    requests.push(record);
    const url = new URL(request.url ?? '/', 'http://registry.invalid');
    void deliver(response, answer(request, url), faultFor?.(record) ?? {});
  };

  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  const address = `${host}:${await listen(server, host, port)}`;
  const url = `${options.tls === undefined ? 'http' : 'https'}://${address}`;
  if (options.auth !== undefined) gate = new TokenGate([options.auth].flat(), url);

  return {
    address,
    url,
    requests,
    putBlob: (bytes) => store.putBlob(bytes),
    putManifest: (repository, bytes, mediaType, ...tags) =>
      store.putManifest(repository, { bytes, mediaType }, tags),
    replaceManifest: (digest, bytes) => store.lie(digest, bytes),
    replaceBlob: (digest, bytes) => store.lie(digest, bytes),
    deleteTag: (repository, tag) => store.deleteTag(repository, tag),
    setFault: (fault) => {
      faultFor = fault;
    },
    close: () => stop(server),
  };
}

// The record is filled in while the answer goes out, so that a hanging request shows as unanswered.
function recordRequest(request: IncomingMessage, response: ServerResponse): Recorded {
  const { authorization } = request.headers;
  const record: Recorded = { method: request.method ?? '', path: request.url ?? '', status: 0, bytes: 0 };
  if (authorization !== undefined) record.authorization = authorization;
  const write = response.write.bind(response);
  response.write = (chunk: Buffer) => {
    record.status = response.statusCode;
    record.bytes += chunk.length;
    return write(chunk);
  };
  response.on('finish', () => {
    record.status = response.statusCode;
  });
  return record;
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
