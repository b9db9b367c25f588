// How does one bounded HTTP exchange with a registry go? GET or a token POST, capped while streaming, with a time
// limit of its own, without following redirects. Retries, auth and meaning belong to the client.
import { isIP } from 'node:net';
import { request, type Dispatcher } from 'undici';
import { DeadlineError } from '../lib/deadline.ts';
import { quote, toText } from '../lib/text.ts';
import { parseRegistry } from '../model/reference.ts';
import { BLOCKED_MESSAGE, createAddressGuard, type AddressGuard } from './address-guard.ts';
import { RegistryError } from './error.ts';
import type { TlsByHost } from './host-settings.ts';
import { createIntakes, type Intake } from './intake.ts';
import { createPools } from './pools.ts';
import type { FindProxy } from './proxy.ts';

/** Time for one registry request, headers and body, in milliseconds (docs: limits). */
export const REQUEST_TIMEOUT_MS = 5000;

/** One exchange to make. */
export interface TransportRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Posted to a token service; absent: a GET. */
  readonly form?: URLSearchParams;
  /** Largest body, in bytes; a larger one is cut off while it arrives. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** A complete answer. Header names are lower case; of repeated headers the first counts. */
export interface TransportResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What a transport needs to know. */
export interface TransportOptions {
  /** Canonical `host[:port]` that are spoken to without TLS and may have any address. */
  readonly plainHttpHosts: ReadonlySet<string>;
  /** Further hosts that an operator named, and that may therefore have any address. */
  readonly configuredHosts: ReadonlySet<string>;
  /** PEM of further certificate authorities, beside the system's. */
  readonly caPem?: string;
  /** Certificates for single hosts. */
  readonly tlsByHost?: TlsByHost;
  /** Decides which addresses are dialled, by default all that are not special. */
  readonly guard?: AddressGuard;
  /** By default there is no proxy. */
  readonly findProxy?: FindProxy;
  /** Told the status of every exchange (`error` when there was none), for metrics. */
  readonly observe?: (status: string) => void;
}

/** The sender; `close` ends idle connections. */
export interface Transport {
  send(request: TransportRequest): Promise<TransportResponse>;
  /** @param host canonical, as {@link toHostKey} writes it */
  isPlainHttp(host: string): boolean;
  close(): Promise<void>;
}

/** The canonical `host[:port]` of a URL, as configuration names it: only the port of HTTPS is left out. */
export function toHostKey({ host, port, protocol }: URL): string {
  return parseRegistry(protocol === 'http:' && port === '' ? `${host}:80` : host) ?? host;
}

/**
 * Creates a transport: hosts that nobody configured are dialled at unsuspicious addresses only.
 * @param rootCertificates PEM of the certificate authorities to trust
 */
export function createTransport(options: TransportOptions, rootCertificates: readonly string[]): Transport {
  const guard = options.guard ?? createAddressGuard();
  const pools = createPools({
    ca: [...rootCertificates, ...(options.caPem === undefined ? [] : [options.caPem])],
    tlsByHost: options.tlsByHost ?? new Map(),
    guard,
    findProxy: options.findProxy ?? (() => undefined),
    timeoutMs: REQUEST_TIMEOUT_MS,
  });
  const openIntake = createIntakes();
  const observe = options.observe ?? (() => undefined);
  const isOpen = (host: string): boolean =>
    options.plainHttpHosts.has(host) || options.configuredHosts.has(host);
  let isClosed = false;

  return {
    isPlainHttp: (host) => options.plainHttpHosts.has(host),
    async send(wanted) {
      const host = toHostKey(wanted.url);
      const isConfigured = isOpen(host);
      if (!isConfigured) refuseBlockedLiteral(wanted.url, guard);
      try {
        if (isClosed) throw new Error('the connections are closed');
        const response = await exchange(
          wanted,
          pools.select(wanted.url, host, isConfigured),
          openIntake(host),
        );
        observe(String(response.status));
        return response;
      } catch (error) {
        observe('error');
        throw toTransportError(error, wanted);
      }
    },
    async close() {
      isClosed = true;
      await pools.close();
    },
  };
}

// A literal address never passes the resolver, so the guard in `lookup` would not see it.
function refuseBlockedLiteral(url: URL, guard: AddressGuard): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && guard.isBlocked(host))
    throw new RegistryError('unreachable', `${describeTarget(url)} is refused: ${BLOCKED_MESSAGE}`);
}

async function exchange(
  wanted: TransportRequest,
  dispatcher: Dispatcher,
  intake: Intake,
): Promise<TransportResponse> {
  const signal = AbortSignal.any([wanted.signal, intake.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
  try {
    const response = await sendTwice(() => request(wanted.url, toRequestOptions(wanted, dispatcher, signal)));
    return {
      status: response.statusCode,
      headers: firstHeaders(response.headers),
      body: await readBody(response.body, wanted.maxBytes, intake),
    };
  } catch (error) {
    throw intake.signal.aborted ? intake.signal.reason : error;
  } finally {
    intake.end();
  }
}

function toRequestOptions(
  { headers, form }: TransportRequest,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Parameters<typeof request>[1] {
  const common = { 'user-agent': 'model-policy-controller', ...headers };
  if (form === undefined) return { method: 'GET', headers: common, signal, dispatcher };
  const type = 'application/x-www-form-urlencoded';
  return {
    method: 'POST',
    headers: { ...common, 'content-type': type },
    body: form.toString(),
    signal,
    dispatcher,
  };
}

/** How undici and Node name a connection that ended before there was an answer. */
const RESETS = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'ERR_HTTP2_STREAM_ERROR']);

// A kept connection may be closed by the other side just as it is used again (RFC 9112 §9.3.1): nothing was answered,
// reading has no effects, and one further try tells this from a host that is down.
async function sendTwice<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (!RESETS.has(codeOf(error) ?? '')) throw error;
    return send();
  }
}

// Leaving the loop by a throw closes the connection.
async function readBody(body: AsyncIterable<Buffer>, maxBytes: number, intake: Intake): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new RegistryError('tooLarge', `the answer is larger than ${maxBytes} bytes`);
    intake.add(chunk.length);
    intake.signal.throwIfAborted();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function firstHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const first: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const text = Array.isArray(value) ? value[0] : value;
    if (text !== undefined) first[name] = text;
  }
  return first;
}

function toTransportError(error: unknown, wanted: TransportRequest): Error {
  const what = describeTarget(wanted.url);
  if (error instanceof RegistryError) return new RegistryError(error.kind, `${what}: ${error.message}`);
  if (wanted.signal.aborted) return new DeadlineError('deadline exceeded');
  const isTimeout = error instanceof Error && error.name === 'TimeoutError';
  const why = isTimeout ? `no complete answer within ${REQUEST_TIMEOUT_MS} ms` : quote(describeCause(error));
  return new RegistryError('unreachable', `${what} could not be asked: ${why}`);
}

// Queries may hold what a redirect signed: they are nobody else's.
function describeTarget({ host, pathname }: URL): string {
  return quote(`${host}${pathname}`, 220);
}

// Trouble with several addresses of a name has no message of its own.
function describeCause(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message === '' ? (codeOf(error) ?? 'no connection') : message;
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return toText((error as NodeJS.ErrnoException).code) ?? codeOf(error.cause);
}
