// How are registries reached? Builds the cached, read-only client from the options that serve and verify share.
import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import type { OptionValues } from '../config.ts';
import { createCachingClient } from '../evidence/caching-client.ts';
import { parseRegistry } from '../model/reference.ts';
import { createRegistryClient, type RegistryClient } from '../registry/client.ts';
import { DockerConfigError, parseDockerConfig, type Keychain } from '../registry/docker-config.ts';
import { createTransport, type Transport } from '../registry/transport.ts';
import { listOf, textOf, UsageError } from './arguments.ts';

/** Told what registries and caches do, for metrics. */
export interface RegistryObserver {
  observeRegistryRequest(status: string): void;
  observeCache(cache: string, result: string): void;
}

/** A client and how to let go of it. */
export interface RegistryAccess {
  readonly client: RegistryClient;
  readonly transport: Transport;
}

/** Reads a file that the user named. @throws UsageError */
export function readNamedFile(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    throw new UsageError(`cannot read ${what} ${path}`);
  }
}

/** Builds the client. @throws UsageError for files and hosts that cannot be used */
export function createRegistryAccess(values: OptionValues, observer: RegistryObserver): RegistryAccess {
  const configPath = textOf(values, 'registry-config');
  const caPath = textOf(values, 'ca-file');
  const keychain: Keychain = configPath === undefined ? new Map() : readKeychain(configPath);
  const transport = createTransport(
    {
      plainHttpHosts: toPlainHttpHosts(values),
      // Naming credentials for a host says that it is meant to be spoken to.
      configuredHosts: new Set(keychain.keys()),
      ...(caPath === undefined ? {} : { caPem: readNamedFile(caPath, 'CA file').toString('utf8') }),
      observe: (status) => observer.observeRegistryRequest(status),
    },
    getCACertificates('default'),
  );
  const client = createCachingClient(createRegistryClient(transport, keychain), (cache, result) =>
    observer.observeCache(cache, result),
  );
  return { client, transport };
}

/** The hosts of --plain-http. @throws UsageError */
export function toPlainHttpHosts(values: OptionValues): ReadonlySet<string> {
  return new Set(listOf(values, 'plain-http').map(toHost));
}

function toHost(text: string): string {
  const host = parseRegistry(text);
  if (host === undefined) throw new UsageError(`--plain-http ${JSON.stringify(text)} is no host and port`);
  return host;
}

function readKeychain(path: string): Keychain {
  try {
    return parseDockerConfig(readNamedFile(path, 'registry config'));
  } catch (error) {
    if (error instanceof DockerConfigError) throw new UsageError(`registry config ${path}: ${error.message}`);
    throw error;
  }
}
