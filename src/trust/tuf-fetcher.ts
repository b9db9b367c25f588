// How does tuf-js reach a mirror? Its Fetcher over an injected exchange: no retries, no redirects, a time limit per
// request, only top-level roles, and every metadata file counted by key material before tuf-js may keep it.
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metadata, Root } from '@tufjs/models';
import type { Fetcher } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import { quote, toErrorMessage } from '../lib/text.ts';
import { TufRefreshError } from './tuf-error.ts';
import { parseTufRoot, requireSignedBy, type TopLevelRole } from './tuf-signers.ts';

/** Time for one request to a mirror, headers and body, in milliseconds (docs: limits). */
export const TUF_REQUEST_TIMEOUT_MS = 3000;

/** A mirror's complete answer. */
export interface TrustResponse {
  readonly status: number;
  readonly body: Buffer;
  /** The mirror's clock, from its `Date` header. */
  readonly date?: Date;
}

/** One GET, without redirects, capped at `maxBytes` while it arrives; rejects when there is no complete answer. */
export type TrustFetch = (
  url: URL,
  options: { readonly maxBytes: number; readonly signal: AbortSignal },
) => Promise<TrustResponse>;

/** What a fetcher works with. */
export interface TufFetcherOptions {
  readonly fetch: TrustFetch;
  readonly signal: AbortSignal;
  /** The root that is trusted before anything is fetched. */
  readonly root: Metadata<Root>;
  /** Where a target may lie while it is checked. */
  readonly directory: string;
  /** Told the mirror's clock with every answer. */
  readonly onDate: (date: Date) => void;
}

/** Fetches one document of a mirror. @throws TufRefreshError without an answer, DownloadHTTPError for other statuses */
export async function fetchDocument(
  url: URL,
  maxBytes: number,
  { fetch, signal, onDate }: Pick<TufFetcherOptions, 'fetch' | 'signal' | 'onDate'>,
): Promise<Buffer> {
  const timed = AbortSignal.any([signal, AbortSignal.timeout(TUF_REQUEST_TIMEOUT_MS)]);
  const { status, body, date } = await fetch(url, { maxBytes, signal: timed }).catch((error: unknown) => {
    throw new TufRefreshError(`${toPlace(url)} could not be fetched: ${quote(toErrorMessage(error), 160)}`);
  });
  if (date !== undefined) onDate(date);
  if (status !== 200) throw new DownloadHTTPError(`${toPlace(url)} answered ${status}`, status);
  if (body.length > maxBytes) throw new TufRefreshError(`${toPlace(url)} is larger than ${maxBytes} bytes`);
  return body;
}

/** Creates the fetcher of one refresh. */
export function createTufFetcher(options: TufFetcherOptions): Fetcher {
  let { root } = options;
  function inspect(url: URL, bytes: Buffer): void {
    const role = toRole(url);
    requireSignedBy(root, role, bytes);
    // A new root must satisfy the old one and itself (TUF specification 5.3.4 and 5.3.5).
    if (role === 'root') root = parseTufRoot(bytes);
  }
  return {
    async downloadBytes(text, maxLength) {
      const url = new URL(text);
      toRole(url);
      const bytes = await fetchDocument(url, maxLength, options);
      inspect(url, bytes);
      return bytes;
    },
    async downloadFile(text, maxLength, handle) {
      const path = join(options.directory, `.download-${randomUUID()}`);
      try {
        await writeFile(path, await fetchDocument(new URL(text), maxLength, options));
        return await handle(path);
      } finally {
        await rm(path, { force: true });
      }
    },
  };
}

/** A fetcher that asks nobody: what is on disk must suffice. */
export const REFUSING_FETCHER: Fetcher = {
  downloadBytes: () => Promise.reject(new TufRefreshError('it is not in the cache')),
  downloadFile: () => Promise.reject(new TufRefreshError('it is not in the cache')),
};

function toRole(url: URL): TopLevelRole {
  const name = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
  const [, role] = /^(?:\d{1,9}\.)?(root|timestamp|snapshot|targets)\.json$/.exec(name) ?? [];
  if (role === undefined)
    throw new TufRefreshError(`${quote(name, 80)} is a delegated role, which is not followed`);
  return role as TopLevelRole;
}

// Foreign URLs stand in messages escaped and bounded.
function toPlace(url: URL): string {
  return quote(`${url.host}${url.pathname}`, 160);
}
