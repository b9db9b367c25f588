// How does the controller run in most stories? As its own service account with the rights of deploy/base, one replica
// that writes status, registered as shipped, beside a registry. What it must answer is left to the suites.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { type RegistryHandle, startRegistry } from '../../src/demo/registry.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import type { Kubectl, KubectlResult } from './kubectl.ts';
import {
  BASE_DIRECTORY,
  COMPONENTS_DIRECTORY,
  CRD_DIRECTORY,
  type Manifest,
  namespace,
  toDocuments,
  webhookAt,
} from './manifests.ts';
import { waitFor } from './processes.ts';
import { type Service, startService } from './service.ts';

/** Long enough for a busy machine; the cluster tells us within milliseconds. */
export const EFFECT_BOUND_MS = 20_000;
/** Namespace of the controller. */
export const SYSTEM = 'model-policy-system';

/** `components` of deploy/ whose rights are granted; `namespaces` have their service account when it is ready. */
export interface InstallationOptions {
  readonly namespaces: readonly string[];
  readonly components?: readonly string[];
  /** Spoken to without TLS beside the registry, `host:port`. */
  readonly plainHttp?: readonly string[];
  /** Further options of the first replica. */
  readonly args?: readonly string[];
}

interface KubeConfigFile {
  readonly users: { user: object }[];
}

/** Everything that a story needs. */
export interface Installation {
  readonly cluster: ControlPlane;
  readonly registry: RegistryHandle;
  /** The replica that is registered first. */
  readonly service: Service;
  /** As administrator. */
  readonly kubectl: Kubectl;
  /** Standard output, as administrator. @throws AssertionError with both outputs when kubectl fails */
  readonly succeed: (...args: readonly string[]) => Promise<string>;
  readonly apply: (...manifests: readonly Manifest[]) => Promise<KubectlResult>;
  /** As apply. @throws AssertionError with both outputs when kubectl fails */
  readonly applied: (...manifests: readonly Manifest[]) => Promise<KubectlResult>;
  /** Asks for a verdict without making anything. */
  readonly ask: (manifest: Manifest) => Promise<KubectlResult>;
  /** Applies policies or trust roots of the cluster, and returns when they are in force. */
  readonly enforce: (...manifests: readonly Manifest[]) => Promise<void>;
  readonly within: (what: string, condition: () => Promise<boolean>, boundMs?: number) => Promise<void>;
  /** kubectl as a service account, by a token of its own. */
  readonly userOf: (inNamespace: string, account: string) => Promise<Kubectl>;
  /** Another process of the same service account. */
  readonly serve: (name: string, args: readonly string[]) => Promise<Service>;
  /** Lets the API server ask another process; it does so some time later. */
  readonly register: (service: Service) => Promise<KubectlResult>;
  readonly stop: () => Promise<void>;
}

/** Returns when every pod and policy is judged. */
export async function install(options: InstallationOptions): Promise<Installation> {
  const cluster = await startControlPlane();
  const registry = await startRegistry();
  const services: Service[] = [];
  const stop = async (): Promise<void> => {
    for (const service of services) await service.stop();
    await cluster.stop();
    await registry.close();
  };
  const { kubectl } = cluster;
  const succeed = async (...args: readonly string[]): Promise<string> =>
    succeeded(await kubectl(args)).stdout;
  const apply = (...manifests: readonly Manifest[]): Promise<KubectlResult> =>
    kubectl(['apply', '--filename', '-'], toDocuments(...manifests));
  const within: Installation['within'] = (what, condition, boundMs = EFFECT_BOUND_MS) =>
    waitFor(what, condition, { boundMs });
  const kubeconfigOf = async (inNamespace: string, account: string): Promise<string> => {
    const token = (await succeed('create', 'token', account, '--namespace', inNamespace)).trim();
    const config = parse(readFileSync(cluster.kubeconfig, 'utf8')) as KubeConfigFile;
    for (const user of config.users) user.user = { token };
    const file = join(cluster.directory, `${inNamespace}-${account}.kubeconfig`);
    writeFileSync(file, stringify(config), { mode: 0o600 });
    return file;
  };
  const serve = async (name: string, args: readonly string[]): Promise<Service> => {
    const directory = join(cluster.directory, name);
    mkdirSync(directory);
    const kubeconfig = await kubeconfigOf(SYSTEM, 'model-policy-controller');
    const plainHttp = [registry.address, ...(options.plainHttp ?? [])];
    const service = await startService({ kubeconfig, directory, plainHttp, args });
    services.push(service);
    return service;
  };
  const register = async (service: Service): Promise<KubectlResult> =>
    succeeded(await apply(webhookAt(service.url, service.ca)));
  try {
    await installObjects(succeed, options);
    succeeded(await apply(...options.namespaces.map((name) => namespace(name))));
    const service = await serve('controller', ['--write-status', ...(options.args ?? [])]);
    await register(service);
    const accounts = ['get', 'serviceaccounts', '--all-namespaces', '--no-headers'];
    const columns = '--output=custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name';
    await within('service accounts', async () => {
      const rows = (await succeed(...accounts, columns)).split('\n').map((row) => row.split(/ +/u).join('/'));
      return options.namespaces.every((name) => rows.includes(`${name}/default`));
    });
    const broken = { metadata: { name: 'question' }, spec: { models: [{ glob: 'm' }], authorities: STATIC } };
    await within('the webhook in force', async () =>
      (
        await kubectl(
          ['apply', '--dry-run=server', '--filename', '-'],
          toDocuments({ apiVersion: 'modelpolicy.dev/v1alpha1', kind: 'ClusterModelPolicy', ...broken }),
        )
      ).stderr.includes('policy.modelpolicy.dev'),
    );
    return {
      cluster,
      registry,
      service,
      kubectl,
      succeed,
      apply,
      applied: async (...manifests) => succeeded(await apply(...manifests)),
      ask: (manifest) => kubectl(['apply', '--dry-run=server', '--filename', '-'], toDocuments(manifest)),
      enforce: async (...manifests) => {
        succeeded(await apply(...manifests));
        const targets = manifests.map((manifest) => toTarget(manifest));
        await succeed('wait', '--for=condition=Ready', '--timeout=20s', ...targets);
      },
      within,
      userOf: async (inNamespace, account) => {
        const kubeconfig = await kubeconfigOf(inNamespace, account);
        return (args, stdin) => kubectl(['--kubeconfig', kubeconfig, ...args], stdin);
      },
      serve,
      register,
      stop,
    };
  } catch (error) {
    for (const service of services) console.error(service.log().slice(-4000));
    await stop();
    throw error;
  }
}

const STATIC = [{ name: 'a', static: { action: 'Fail' } }];

/** The result of a command that must not fail. @throws AssertionError with both outputs */
export function succeeded(result: KubectlResult): KubectlResult {
  assert.equal(result.code, 0, result.stderr + result.stdout);
  return result;
}

async function installObjects(
  succeed: Installation['succeed'],
  { components = [] }: InstallationOptions,
): Promise<void> {
  await succeed('apply', '--filename', CRD_DIRECTORY);
  await succeed('wait', '--for=condition=established', 'crd', '--all', '--timeout=30s');
  const base = ['namespace.yaml', 'serviceaccount.yaml', 'rbac.yaml'].map((name) =>
    join(BASE_DIRECTORY, name),
  );
  const granted = components.map((name) => join(COMPONENTS_DIRECTORY, name, 'rbac.yaml'));
  for (const file of [...base, ...granted]) {
    const where = file.endsWith('serviceaccount.yaml') ? ['--namespace', SYSTEM] : [];
    await succeed('apply', '--filename', file, ...where);
  }
}

function toTarget({ kind, metadata }: Manifest): string {
  return `${String(kind).toLowerCase()}/${(metadata as { name: string }).name}`;
}
