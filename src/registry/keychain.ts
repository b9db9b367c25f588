// Who may have credentials for a repository? The interface of every source of them, and the source that a file is.
// Trying them in order belongs to keychain-client.ts.
import { sha256Hex } from '../lib/digest.ts';
import { selectCredentials, type Credential, type CredentialEntry } from './docker-config.ts';
import type { RepositoryName } from './resource.ts';

/** Most credentials that are tried for one repository (docs: limits). */
export const MAX_CREDENTIALS = 4;

/** What a source has. */
export interface FoundCredentials {
  /** In the order in which they are tried; all of them are for the registry that was asked about. */
  readonly credentials: readonly Credential[];
  /** Why credentials that are configured for this very registry could not be had, one clause each, without secrets. */
  readonly failures: readonly string[];
  /** What might have held credentials and could not be read: nobody knows for which registry. */
  readonly missing: readonly string[];
}

/** One place that credentials come from. Never throws but DeadlineError. */
export interface CredentialSource {
  /** True when every namespace may use it: what was fetched with it may be shown to all. */
  readonly isShared: boolean;
  find(name: RepositoryName, signal: AbortSignal): Promise<FoundCredentials>;
}

/** Nothing, and nothing wrong. */
export const NOTHING_FOUND: FoundCredentials = { credentials: [], failures: [], missing: [] };

/** The source of the controller's own entries. */
export function createEntrySource(entries: readonly CredentialEntry[]): CredentialSource {
  return {
    isShared: true,
    find: (name) => Promise.resolve({ ...NOTHING_FOUND, credentials: selectCredentials(entries, name) }),
  };
}

/**
 * The source of credentials that somebody named for one repository: nothing else is read with them.
 * @param isShared false: they are one namespace's own; default true
 */
export function createRepositorySource(
  { registry, repository }: RepositoryName,
  credentials: readonly Credential[],
  isShared = true,
): CredentialSource {
  return {
    isShared,
    find: (name) => {
      const isMeant = name.registry === registry && name.repository === repository;
      return Promise.resolve(isMeant ? { ...NOTHING_FOUND, credentials } : NOTHING_FOUND);
    },
  };
}

/** Names a credential of a registry without showing it: equal only where everything is equal. */
export function toCredentialId(registry: string, credential: Credential): string {
  const { username, password, registryToken = null } = credential;
  return sha256Hex(Buffer.from(JSON.stringify([registry, username, password, registryToken])));
}
