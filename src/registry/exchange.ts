// How is one registry resource read? Adds authentication, redirects without credentials and bounded retries around
// single exchanges; what the answer means belongs to the client.
import { setTimeout as sleep } from 'node:timers/promises';
import { DeadlineError, waitWithin } from '../lib/deadline.ts';
import { quote } from '../lib/text.ts';
import { describeForeignUrl, RegistryError } from './error.ts';
import type { AuthScope, Authenticator } from './token.ts';
import { toHostKey, type Transport, type TransportResponse } from './transport.ts';

/** Redirects followed for one resource (docs: limits). */
export const MAX_REDIRECTS = 3;
/** Further tries after 429 or 503 with Retry-After. */
export const MAX_RETRIES = 2;
/** Longer waits are not ours to spend: all tries together must fit into one request, in milliseconds. */
const MAX_RETRY_AFTER_MS = 2000;

/** One resource of one repository. */
export interface ResourceRequest {
  readonly scope: AuthScope;
  readonly url: URL;
  readonly accept: string;
  readonly maxBytes: number;
  /** False for listings: a redirect to another host is answered with the redirect itself. */
  readonly followElsewhere: boolean;
  readonly signal: AbortSignal;
}

/** Reads resources; resolves with whatever status was final. */
export type Exchange = (request: ResourceRequest) => Promise<TransportResponse>;

/** Creates the exchange of one client. */
export function createExchange(transport: Transport, authenticator: Authenticator): Exchange {
  async function once(request: ResourceRequest): Promise<TransportResponse> {
    const known = authenticator.known(request.scope);
    const { response, isHome } = await follow(transport, request, known);
    // Only the registry itself may name a realm: a redirect's target could name its own and be sent credentials.
    if (response.status !== 401 || !isHome) return response;
    const challenge = response.headers['www-authenticate'] ?? '';
    const header = await waitWithin(authenticator.answer(request.scope, challenge, known), request.signal);
    return (await follow(transport, request, header)).response;
  }
  return async (request) => {
    for (let tries = 0; ; tries += 1) {
      const response = await once(request);
      const waitMs = toRetryAfterMs(response);
      if (waitMs === undefined || tries === MAX_RETRIES) return response;
      await pause(waitMs, request.signal);
    }
  };
}

async function follow(
  transport: Transport,
  request: ResourceRequest,
  authorization: string | undefined,
): Promise<{ response: TransportResponse; isHome: boolean }> {
  let url = request.url;
  for (let hops = 0; ; hops += 1) {
    // Credentials belong to the registry's own host; a redirect target never sees them (RFC 9110 §15.4).
    const isHome = url.host === request.url.host && url.protocol === request.url.protocol;
    const headers = {
      accept: request.accept,
      ...(isHome && authorization !== undefined ? { authorization } : {}),
    };
    const response = await transport.send({
      url,
      headers,
      maxBytes: request.maxBytes,
      signal: request.signal,
    });
    const next = toRedirect(response, url, transport);
    if (next === undefined || (next.host !== request.url.host && !request.followElsewhere))
      return { response, isHome };
    if (hops === MAX_REDIRECTS)
      throw new RegistryError(
        'unreachable',
        `more than ${MAX_REDIRECTS} redirects from ${quote(request.url.host)}`,
      );
    url = next;
  }
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

function toRedirect(response: TransportResponse, from: URL, transport: Transport): URL | undefined {
  const location = response.headers['location'];
  if (!REDIRECTS.has(response.status) || location === undefined) return undefined;
  const refuse = (why: string): RegistryError =>
    new RegistryError(
      'unreachable',
      `${quote(from.host)} redirects to ${describeForeignUrl(location)}, ${why}`,
    );
  let url: URL;
  try {
    url = new URL(location, from);
  } catch {
    throw refuse('which is no URL');
  }
  if (url.username !== '' || url.password !== '') throw refuse('which carries credentials');
  if (url.protocol === 'https:' || (url.protocol === 'http:' && transport.isPlainHttp(toHostKey(url))))
    return url;
  throw refuse('which is not https');
}

function toRetryAfterMs(response: TransportResponse): number | undefined {
  if (response.status !== 429 && response.status !== 503) return undefined;
  const waitMs = toWaitMs(response.headers['retry-after'] ?? '');
  return waitMs === undefined || waitMs > MAX_RETRY_AFTER_MS ? undefined : waitMs;
}

// RFC 9110 §10.2.3: seconds, or a date in the one form that is written today (§5.6.7).
function toWaitMs(text: string): number | undefined {
  if (/^\d{1,4}$/.test(text)) return Number(text) * 1000;
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
  const waitMs = Date.parse(text) - Date.now();
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch {
    throw new DeadlineError('deadline exceeded');
  }
}
