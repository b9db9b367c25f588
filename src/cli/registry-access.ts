// How are registries reached, and with which credentials? Builds the cached, read-only clients from the options that
// serve and verify share; the order of credentials is decided here.
import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import type { OptionValues } from '../config.ts';
import { createClientPool } from '../evidence/client-pool.ts';
import type { PullSecretReader } from '../kubernetes/pull-secret.ts';
import type { PullIdentity } from '../model/pull-identity.ts';
import { parseRegistry } from '../model/reference.ts';
import type { RegistryClient } from '../registry/client.ts';
import { createHelperRunner, createHelperSource } from '../registry/credential-helper.ts';
import { DockerConfigError, parseDockerConfig, type DockerConfig } from '../registry/docker-config.ts';
import { createKeychainClient } from '../registry/keychain-client.ts';
import { createPullSecretSource, createUnreadSource } from '../registry/keychain-pull-secrets.ts';
import { createEntrySource } from '../registry/keychain.ts';
import { createTransport, type Transport } from '../registry/transport.ts';
import { listOf, textOf, UsageError } from './arguments.ts';
import { createCloudSources, toHelperEnvironment } from './cloud-access.ts';

/** Told what registries and caches do, for metrics. */
export interface RegistryObserver {
  observeRegistryRequest(status: string): void;
  observeCache(cache: string, result: string): void;
}

/** Clients and how to let go of them. */
export interface RegistryAccess {
  /**
   * A client for one request.
   * @param pullSecrets where the pod's own credentials are read; absent: only the controller's are used
   */
  readonly openClient: (identity: PullIdentity, pullSecrets?: PullSecretReader) => RegistryClient;
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

/** Builds the access. @throws UsageError for files and hosts that cannot be used */
export function createRegistryAccess(values: OptionValues, observer: RegistryObserver): RegistryAccess {
  const configPath = textOf(values, 'registry-config');
  const caPath = textOf(values, 'ca-file');
  const config = configPath === undefined ? NO_CONFIG : readConfig(configPath);
  const transport = createTransport(
    {
      plainHttpHosts: toPlainHttpHosts(values),
      // Naming credentials for a host says that it is meant to be spoken to. Only the operator can say so: a Secret
      // of a namespace opens no address.
      configuredHosts: new Set([...config.entries.map(({ host }) => host), ...config.helpers.keys()]),
      ...(caPath === undefined ? {} : { caPem: readNamedFile(caPath, 'CA file').toString('utf8') }),
      observe: (status) => observer.observeRegistryRequest(status),
    },
    getCACertificates('default'),
  );
  const pool = createClientPool(transport, (cache, result) => observer.observeCache(cache, result));
  const entries = createEntrySource(config.entries);
  const far = [
    createHelperSource(config, createHelperRunner(toHelperEnvironment(process.env))),
    ...createCloudSources(textOf(values, 'cloud-keychains')?.split(',') ?? []),
  ];
  return {
    openClient(identity, pullSecrets) {
      const own =
        pullSecrets === undefined
          ? createUnreadSource(identity)
          : createPullSecretSource(pullSecrets, identity);
      return createKeychainClient({ near: [own, entries], far }, pool);
    },
    transport,
  };
}

const NO_CONFIG: DockerConfig = { entries: [], helpers: new Map(), store: undefined };

/** The hosts of --plain-http. @throws UsageError */
export function toPlainHttpHosts(values: OptionValues): ReadonlySet<string> {
  return new Set(listOf(values, 'plain-http').map(toHost));
}

function toHost(text: string): string {
  const host = parseRegistry(text);
  if (host === undefined) throw new UsageError(`--plain-http ${JSON.stringify(text)} is no host and port`);
  return host;
}

function readConfig(path: string): DockerConfig {
  try {
    return parseDockerConfig(readNamedFile(path, 'registry config'));
  } catch (error) {
    if (error instanceof DockerConfigError) throw new UsageError(`registry config ${path}: ${error.message}`);
    throw error;
  }
}
