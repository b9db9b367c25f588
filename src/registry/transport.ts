// How does one bounded HTTP exchange with a registry go? GET or a token POST, capped while streaming, with a time
// limit of its own, without following redirects. Retries, auth and meaning belong to the client.
import { isIP } from 'node:net';
import { Agent, request } from 'undici';
import { DeadlineError } from '../lib/deadline.ts';
import { quote, toErrorMessage } from '../lib/text.ts';
import { BLOCKED_MESSAGE, guardedLookup, isBlockedAddress } from './address-guard.ts';
import { RegistryError } from './error.ts';

/** Time for one registry request, headers and body, in milliseconds (docs: limits). */
export const REQUEST_TIMEOUT_MS = 5000;
/** Requests to one host at once (docs: limits). */
export const MAX_CONNECTIONS_PER_HOST = 32;

/** Bytes of unfinished answers at once, whoever sends them: strangers may stall many large ones. */
export const MAX_BYTES_IN_FLIGHT = 128 * 1024 * 1024;

/** One exchange to make. */
export interface TransportRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Largest body, in bytes; a larger one is cut off while it arrives. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Posted as a form; absent: GET. */
  readonly form?: URLSearchParams;
}

/** A complete answer. Header names are lower case; of repeated headers the first counts. */
export interface TransportResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What a transport needs to know. */
export interface TransportOptions {
  /** `host:port` that are spoken to without TLS and may have any address. */
  readonly plainHttpHosts: ReadonlySet<string>;
  /** Further hosts that an operator named, and that may therefore have any address. */
  readonly configuredHosts: ReadonlySet<string>;
  /** PEM of further certificate authorities, beside the system's. */
  readonly caPem?: string;
  /** Told the status of every exchange (`error` when there was none), for metrics. */
  readonly observe?: (status: string) => void;
}

/** The sender; `close` ends idle connections. */
export interface Transport {
  send(request: TransportRequest): Promise<TransportResponse>;
  isPlainHttp(host: string): boolean;
  close(): Promise<void>;
}

/**
 * Creates a transport with two connection pools: guarded, and for hosts that were configured.
 * @param rootCertificates PEM of the certificate authorities to trust
 */
export function createTransport(options: TransportOptions, rootCertificates: readonly string[]): Transport {
  const ca = [...rootCertificates, ...(options.caPem === undefined ? [] : [options.caPem])];
  const limits = {
    connections: MAX_CONNECTIONS_PER_HOST,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    bodyTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
    maxHeaderSize: 32_768,
  };
  const open = new Agent({ ...limits, connect: { ca, timeout: REQUEST_TIMEOUT_MS } });
  const guarded = new Agent({
    ...limits,
    connect: { ca, timeout: REQUEST_TIMEOUT_MS, lookup: guardedLookup },
  });
  const inFlight: BytesInFlight = { held: 0 };
  const observe = options.observe ?? (() => undefined);
  const isOpen = (host: string): boolean =>
    options.plainHttpHosts.has(host) || options.configuredHosts.has(host);

  return {
    isPlainHttp: (host) => options.plainHttpHosts.has(host),
    async send(wanted) {
      const isConfigured = isOpen(wanted.url.host);
      if (!isConfigured) refuseBlockedLiteral(wanted.url);
      try {
        const response = await exchange(wanted, isConfigured ? open : guarded, inFlight);
        observe(String(response.status));
        return response;
      } catch (error) {
        observe('error');
        throw toTransportError(error, wanted);
      }
    },
    async close() {
      await Promise.all([open.close(), guarded.close()]);
    },
  };
}

// A literal address never passes the resolver, so the guard in `lookup` would not see it.
function refuseBlockedLiteral(url: URL): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && isBlockedAddress(host))
    throw new RegistryError('unreachable', `${quote(url.host)} is refused: ${BLOCKED_MESSAGE}`);
}

/** Bytes of answers that are being received, of all hosts together. */
interface BytesInFlight {
  held: number;
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

async function exchange(
  wanted: TransportRequest,
  dispatcher: Agent,
  inFlight: BytesInFlight,
): Promise<TransportResponse> {
  const signal = AbortSignal.any([wanted.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
  const headers = { 'user-agent': 'model-policy-controller', ...wanted.headers };
  const response = await request(wanted.url, {
    ...(wanted.form === undefined
      ? { method: 'GET', headers }
      : { method: 'POST', headers: { ...headers, ...FORM }, body: wanted.form.toString() }),
    signal,
    dispatcher,
  });
  return {
    status: response.statusCode,
    headers: firstHeaders(response.headers),
    body: await readBody(response.body, wanted.maxBytes, inFlight),
  };
}

// Leaving the loop by a throw closes the connection.
async function readBody(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
  inFlight: BytesInFlight,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      inFlight.held += chunk.length;
      if (size > maxBytes) throw new RegistryError('tooLarge', `the answer is larger than ${maxBytes} bytes`);
      if (inFlight.held > MAX_BYTES_IN_FLIGHT)
        throw new RegistryError('unreachable', 'too much is being received from registries at once');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, size);
  } finally {
    inFlight.held -= size;
  }
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
  if (error instanceof RegistryError) return error;
  if (wanted.signal.aborted) return new DeadlineError('deadline exceeded');
  const isTimeout = error instanceof Error && error.name === 'TimeoutError';
  const why = isTimeout ? `no complete answer within ${REQUEST_TIMEOUT_MS} ms` : quote(toErrorMessage(error));
  return new RegistryError('unreachable', `${quote(wanted.url.host)} could not be asked: ${why}`);
}
