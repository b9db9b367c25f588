// How do we ask the API server something, and tell it? Requests with the credentials of a kubeconfig or of our pod.
// Reading credentials is left to credentials.ts and kubeconfig.ts; how a request runs to transport.ts; staying up to date
// to list-watch.ts.
import { openServiceAccount } from './credentials.ts';
import { KubernetesApiError } from './errors.ts';
import { openKubeconfig } from './kubeconfig.ts';
import { openResponse, readBody } from './transport.ts';

/** One page of 500 large secrets or config maps stays well below; source: etcd refuses objects above 1.5 MiB. */
export const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;
/** An answer that stops arriving for this long is given up. */
export const GET_IDLE_TIMEOUT_MS = 30_000;
/** A write is answered with the object, which etcd bounds; JSON may be several times as large. */
const MAX_WRITTEN_BYTES = 8 * 1024 * 1024;

/** Read-only access to one API server. */
export interface KubernetesClient {
  /** The API server's URL, for messages. */
  readonly server: string;
  /** The namespace of the context; in a cluster the one of our own pod. */
  readonly namespace: string | undefined;
  /**
   * The parsed JSON of a path such as `/api/v1/namespaces/default`; names in it are percent-encoded by the caller.
   * @throws KubernetesApiError for every status but 2xx, a transport failure, an abort, or more than 64 MiB.
   */
  get(path: string, signal: AbortSignal): Promise<unknown>;
  /**
   * The bytes of a 2xx answer as they arrive; leaving the iteration closes the connection.
   * @throws KubernetesApiError as `get`; the iteration throws it too.
   */
  stream(path: string, options: StreamOptions): Promise<AsyncIterable<Uint8Array>>;
}

/** `idleTimeoutMs`: give up after this long without a byte. */
export interface StreamOptions {
  readonly signal: AbortSignal;
  readonly idleTimeoutMs: number;
}

/** One change: `PATCH` is a JSON merge patch (RFC 7386), everything else an object as JSON. */
export interface WriteRequest {
  readonly method: 'POST' | 'PUT' | 'PATCH';
  /** As for `get`. */
  readonly path: string;
  readonly body: object;
}

/** Access to one API server that may change things. */
export interface KubernetesWriter extends KubernetesClient {
  /**
   * Sends one change, once. @returns the object as it is stored now
   * @throws KubernetesApiError as `get`: 409 for a change that another one overtook
   */
  write(request: WriteRequest, signal: AbortSignal): Promise<unknown>;
}

/**
 * A client for the current context of the `kubeconfig` file; without one, for the cluster whose pod we are.
 * Opens no connection yet.
 * @throws KubernetesConfigError when neither can be used.
 */
export function createKubernetesClient(options: { kubeconfig?: string | undefined }): KubernetesWriter {
  const credentials =
    options.kubeconfig === undefined ? openServiceAccount(process.env) : openKubeconfig(options.kubeconfig);
  const { server: base } = credentials;
  const open = async (path: string, { signal, idleTimeoutMs }: StreamOptions) => {
    const requestOptions = await credentials.authenticate();
    return openResponse({ base, path, options: { ...requestOptions, signal, timeout: idleTimeoutMs } });
  };
  return {
    server: base.href.replace(/\/$/u, ''),
    namespace: credentials.namespace,
    get: async (path, signal) => {
      const response = await open(path, { signal, idleTimeoutMs: GET_IDLE_TIMEOUT_MS });
      return parseJson(await readBody(response, MAX_RESPONSE_BYTES), `GET ${path}`);
    },
    stream: open,
    write: async ({ method, path, body }, signal) => {
      const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const options = { ...(await credentials.authenticate()), signal, timeout: GET_IDLE_TIMEOUT_MS };
      const content = { contentType, text: JSON.stringify(body) };
      const response = await openResponse({ base, path, method, body: content, options });
      return parseJson(await readBody(response, MAX_WRITTEN_BYTES), `${method} ${path}`);
    },
  };
}

function parseJson(body: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new KubernetesApiError({
      status: 0,
      reason: 'ResponseMalformed',
      message: `${name}: the answer is not JSON`,
      cause: error,
    });
  }
}
