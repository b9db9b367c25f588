// How are registries reached, and with which credentials? Builds the cached, read-only clients from the options that
// serve and verify share; the order of credentials is decided here.
import type { OpenClients } from '../admission/gather-for-policies.ts';
import type { OptionValues } from '../config.ts';
import { createClientPool } from '../evidence/client-pool.ts';
import type { SignatureRepository } from '../evidence/signature-repository.ts';
import type { PullSecretReader } from '../kubernetes/pull-secret.ts';
import type { PullIdentity } from '../model/pull-identity.ts';
import type { RegistryClient } from '../registry/client.ts';
import { createHelperRunner, createHelperSource } from '../registry/credential-helper.ts';
import {
  DockerConfigError,
  parseDockerConfig,
  type DockerConfig,
  type Keychain,
} from '../registry/docker-config.ts';
import { createKeychainClient } from '../registry/keychain-client.ts';
import { createPullSecretSource, createUnreadSource } from '../registry/keychain-pull-secrets.ts';
import { createEntrySource, createRepositorySource, type CredentialSource } from '../registry/keychain.ts';
import { toNamedHosts, type HostSettingsMap } from '../registry/host-settings.ts';
import type { Transport } from '../registry/transport.ts';
import { textOf, UsageError } from './arguments.ts';
import {
  createGuardedTransport,
  readNamedFile,
  readRegistries,
  type Surroundings,
} from './registry-transport.ts';
import { createCloudSources, toHelperEnvironment } from './cloud-access.ts';

/** Told what registries and caches do, for metrics. */
export interface RegistryObserver {
  observeRegistryRequest(status: string): void;
  observeCache(cache: string, result: string): void;
}

/** Clients and how to let go of them. */
export interface RegistryAccess {
  /**
   * A client for one request, on behalf of the cluster: with the pod's own credentials, and the controller's.
   * @param pullSecrets where the pod's own credentials are read; absent: nowhere
   */
  readonly openClient: (identity: PullIdentity, pullSecrets?: PullSecretReader) => RegistryClient;
  /** The same on behalf of the pod's namespace: with the pod's own credentials and no others. */
  readonly openTenantClient: (identity: PullIdentity, pullSecrets?: PullSecretReader) => RegistryClient;
  /**
   * A client for what one request reads of a signature repository: with what its policy names, then with the
   * controller's own credentials, and never with a pod's.
   */
  readonly openSignatureClient: (repository: SignatureRepository) => RegistryClient;
  /** The same on behalf of one namespace: with what its policy names, and no other credentials. */
  readonly openTenantSignatureClient: (repository: SignatureRepository) => RegistryClient;
  readonly transport: Transport;
}

/** Builds the access. @throws UsageError for files and hosts that cannot be used */
export function createRegistryAccess(
  values: OptionValues,
  observer: RegistryObserver,
  surroundings: Surroundings = {},
): RegistryAccess {
  const configPath = textOf(values, 'registry-config');
  const config = configPath === undefined ? NO_CONFIG : readConfig(configPath);
  const document = readRegistries(values);
  const transport = createGuardedTransport(
    values,
    {
      document,
      // Naming credentials for a host says that it is meant to be spoken to. Only the operator can say so: a Secret
      // of a namespace opens no address.
      configuredHosts: new Set([
        ...config.entries.map(({ host }) => host),
        ...config.helpers.keys(),
        ...toNamedHosts(document.settings),
      ]),
      observe: (status) => observer.observeRegistryRequest(status),
    },
    surroundings,
  );
  const pool = createClientPool(transport, (cache, result) => observer.observeCache(cache, result), {
    settings: document.settings,
    mirrorKeychain: toMirrorKeychain(document.settings, config.entries),
  });
  // Caches of its own: what namespaces ask for crowds out nothing that the cluster's policies need.
  const tenantPool = createClientPool(transport, (cache, result) => observer.observeCache(cache, result), {
    settings: document.settings,
    mirrorKeychain: new Map(),
    share: TENANT_SHARE,
  });
  const entries = createEntrySource(config.entries);
  const far = [
    createHelperSource(config, createHelperRunner(toHelperEnvironment(process.env))),
    ...createCloudSources(textOf(values, 'cloud-keychains')?.split(',') ?? []),
  ];
  return {
    openClient: (identity, pullSecrets) =>
      createKeychainClient({ near: [toOwnSource(identity, pullSecrets), entries], far }, pool),
    openTenantClient: (identity, pullSecrets) =>
      createKeychainClient({ near: [toOwnSource(identity, pullSecrets)], far: [] }, tenantPool),
    openSignatureClient(repository) {
      const named = createRepositorySource(repository, repository.credentials);
      return createKeychainClient({ near: [named, entries], far }, pool);
    },
    openTenantSignatureClient(repository) {
      const named = createRepositorySource(repository, repository.credentials, false);
      return createKeychainClient({ near: [named], far: [] }, tenantPool);
    },
    transport,
  };
}

/** The clients of both sides of a request. @param pullSecrets where pods' own credentials are read; absent: nowhere */
export function toSidedClients(access: RegistryAccess, pullSecrets?: PullSecretReader): OpenClients {
  return {
    openClient: (identity, side) =>
      side === 'Cluster'
        ? access.openClient(identity, pullSecrets)
        : access.openTenantClient(identity, pullSecrets),
    openSignatureClient: (repository, side) =>
      side === 'Cluster'
        ? access.openSignatureClient(repository)
        : access.openTenantSignatureClient(repository),
  };
}

/** The part of the documented memory that evidence for namespaces' own policies may fill beside the cluster's. */
const TENANT_SHARE = 0.25;

function toOwnSource(identity: PullIdentity, pullSecrets: PullSecretReader | undefined): CredentialSource {
  return pullSecrets === undefined
    ? createUnreadSource(identity)
    : createPullSecretSource(pullSecrets, identity);
}

const NO_CONFIG: DockerConfig = { entries: [], helpers: new Map(), store: undefined };

// What a mirror serves to the operator's credentials is for everybody, as the mirror is.
function toMirrorKeychain(settings: HostSettingsMap, entries: DockerConfig['entries']): Keychain {
  const mirrors = new Set(
    [...settings.values()].flatMap(({ mirrors: list }) => list.map(({ host }) => host)),
  );
  const whole = entries.filter(({ host, path }) => mirrors.has(host) && path === '');
  return new Map(whole.map(({ host, credential }) => [host, credential]));
}

function readConfig(path: string): DockerConfig {
  try {
    return parseDockerConfig(readNamedFile(path, 'registry config'));
  } catch (error) {
    if (error instanceof DockerConfigError) throw new UsageError(`registry config ${path}: ${error.message}`);
    throw error;
  }
}
