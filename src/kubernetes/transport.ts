// How does one request run? node:https with a bound on size and silence, every failure as a KubernetesApiError.
// Redirects are not followed: the API server sends none, and credentials must not travel elsewhere.
// Which credentials and certificates apply is left to client.ts.
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { KubernetesApiError } from './errors.ts';

/** A `Status` object of the API server is a few hundred bytes. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;
const MAX_ERROR_MESSAGE_CHARACTERS = 512;
/** Below the idle timeouts of cloud load balancers (60 s); client-go uses 30 s too. */
const TCP_KEEP_ALIVE_MS = 30_000;
const VISIBLE_ASCII = /^\/[\u0021-\u007e]*$/u;

/** What a request sends beside its path. */
export interface RequestBody {
  readonly contentType: string;
  readonly text: string;
}

/**
 * `base`: the server, whose own path comes before `path`; `method`: default GET; `options`: TLS material, headers,
 * signal, timeout in ms.
 */
export interface OpenRequest {
  readonly base: URL;
  readonly path: string;
  readonly method?: string;
  readonly body?: RequestBody;
  readonly options: RequestOptions;
}

/**
 * The bytes of a 2xx answer, as they arrive.
 * @throws KubernetesApiError for any other status and for transport failures, also while iterating.
 */
export async function openResponse(request: OpenRequest): Promise<AsyncIterable<Uint8Array>> {
  const response = await send(request);
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return chunks(response, toName(request));
  throw await toStatusError(response, status, toName(request));
}

/** All bytes. @throws KubernetesApiError `ResponseTooLarge` beyond `maximumBytes`. */
export async function readBody(body: AsyncIterable<Uint8Array>, maximumBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.byteLength;
    if (size > maximumBytes) {
      throw new KubernetesApiError({
        status: 0,
        reason: 'ResponseTooLarge',
        message: `the answer is larger than ${maximumBytes} bytes`,
      });
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** A request in messages. */
function toName({ method = 'GET', path }: Pick<OpenRequest, 'method' | 'path'>): string {
  return `${method} ${path}`;
}

function send({ base, path, method = 'GET', body, options }: OpenRequest): Promise<IncomingMessage> {
  assertPath(path);
  const name = toName({ method, path });
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const start = base.protocol === 'http:' ? httpRequest : httpsRequest;
  try {
    const request = start({
      ...options,
      method,
      // URL keeps the brackets of an IPv6 host, a socket wants none.
      hostname: base.hostname.replace(/^\[(.*)\]$/u, '$1'),
      port: base.port,
      path: base.pathname.replace(/\/$/u, '') + path,
      headers: {
        accept: 'application/json',
        'user-agent': 'model-policy-controller',
        ...(body && { 'content-type': body.contentType, 'content-length': Buffer.byteLength(body.text) }),
        ...trimmed(options.headers),
      },
    });
    request.on('socket', (socket) => socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS));
    // Once there is a response, an error given to the request never reaches who reads the body.
    let broken: { destroy: (error: Error) => unknown } = request;
    request.on('response', (response) => {
      broken = response;
      resolve(response);
    });
    request.on('timeout', () => {
      broken.destroy(
        new KubernetesApiError({
          status: 0,
          reason: 'IdleTimeout',
          message: `${name}: nothing received for ${options.timeout ?? 0} ms`,
        }),
      );
    });
    request.on('error', (error) => reject(toTransportError(error, name)));
    request.end(body?.text);
  } catch (error) {
    // An aborted signal, or a header that Node refuses.
    reject(toTransportError(error, name));
  }
  return promise;
}

/** A path is built from names that others chose: a mistake in encoding must not reach another resource. */
function assertPath(path: string): void {
  const segments = path.split('?', 1)[0]?.split('/') ?? [];
  if (!VISIBLE_ASCII.test(path) || path.includes('#') || segments.includes('..') || segments.includes('.')) {
    throw new TypeError(`not an API path: ${JSON.stringify(path)}`);
  }
}

/** A token file may end with a line break, which no header may contain. */
function trimmed(headers: RequestOptions['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => [name, String(value).trim()]),
  );
}

async function* chunks(response: IncomingMessage, name: string): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) yield chunk;
  } catch (error) {
    throw toTransportError(error, name);
  }
}

async function toStatusError(
  response: IncomingMessage,
  status: number,
  name: string,
): Promise<KubernetesApiError> {
  let detail: { reason?: unknown; message?: unknown } = {};
  try {
    const parsed: unknown = JSON.parse(
      Buffer.from(await readBody(chunks(response, name), MAX_ERROR_BODY_BYTES)).toString('utf8'),
    );
    if (typeof parsed === 'object' && parsed !== null) detail = parsed;
  } catch {
    // Proxies answer with HTML; the status alone must do.
  }
  const reason = typeof detail.reason === 'string' && detail.reason !== '' ? detail.reason : `HTTP${status}`;
  const said = typeof detail.message === 'string' ? `: ${detail.message}` : '';
  const message = `${name}: ${status} ${reason}${said}`.slice(0, MAX_ERROR_MESSAGE_CHARACTERS);
  return new KubernetesApiError({ status, reason, message });
}

function toTransportError(error: unknown, name: string): KubernetesApiError {
  if (error instanceof KubernetesApiError) return error;
  const kind = error instanceof Error ? error.name : '';
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'TransportFailed';
  const reason = kind === 'AbortError' || kind === 'TimeoutError' ? 'Aborted' : code;
  const said = error instanceof Error ? error.message : String(error);
  return new KubernetesApiError({ status: 0, reason, message: `${name}: ${said}`, cause: error });
}
