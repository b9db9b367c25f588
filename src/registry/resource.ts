// What is read from a registry? Names, places and statuses that the client and its listings share.
import { quote } from '../lib/text.ts';
import { RegistryError } from './error.ts';
import type { AuthScope } from './token.ts';
import type { TransportResponse } from './transport.ts';

/** A repository on a registry, both canonical. */
export interface RepositoryName {
  readonly registry: string;
  readonly repository: string;
}

/** Manifest bytes that hash to `digest`. */
export interface FetchedManifest {
  readonly bytes: Buffer;
  readonly digest: string;
}

/** Where a repository's resources are. */
export type Located = { readonly scope: AuthScope; readonly url: URL };

/** Turns every status but 200 into the error it stands for. @throws RegistryError */
export function requireOk(response: TransportResponse, { registry }: RepositoryName, what: string): void {
  const { status, headers } = response;
  if (status === 200) return;
  const text = `${quote(registry)} answered ${status} for ${what}`;
  if (status === 404) throw new RegistryError('notFound', text);
  if (status === 401 || status === 403) throw new RegistryError('unauthorized', text);
  // A 503 that says when to come back is a limit, not an outage (RFC 9110 §10.2.3).
  if (status === 429 || (status === 503 && 'retry-after' in headers))
    throw new RegistryError('throttled', text);
  throw new RegistryError('unreachable', text);
}
