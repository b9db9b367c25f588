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

/** What was asked, and of whom, for messages. */
export interface Asked {
  readonly host: string;
  readonly what: string;
  /** Statuses beside 404 that mean that it does not exist. */
  readonly absentStatuses?: ReadonlySet<number>;
}

/** Turns every status but 200 into the error it stands for. @throws RegistryError */
export function requireOk(response: TransportResponse, { host, what, absentStatuses }: Asked): void {
  const { status, headers } = response;
  if (status === 200) return;
  const text = `${quote(host)} answered ${status} for ${what}`;
  if (status === 404 || absentStatuses?.has(status) === true) throw new RegistryError('notFound', text);
  if (status === 401 || status === 403) throw new RegistryError('unauthorized', text);
  // A 503 that says when to come back is a limit, not an outage (RFC 9110 §10.2.3).
  if (status === 429 || (status === 503 && 'retry-after' in headers))
    throw new RegistryError('throttled', text);
  throw new RegistryError('unreachable', text);
}
