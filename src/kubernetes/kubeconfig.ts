// What does a kubeconfig say? Tokens that rotate, exec plugins, proxies and client certificates are read by
// @kubernetes/client-node, which is loaded here, and only when there is a kubeconfig.
import { createRequire } from 'node:module';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { toErrorMessage } from '../lib/text.ts';
import { toUnreadable, type Credentials } from './credentials.ts';
import { KubernetesConfigError } from './errors.ts';

interface Library {
  readonly KubeConfig: new () => KubeConfig;
}

/** Credentials of the current context of a file. @throws KubernetesConfigError */
export function openKubeconfig(path: string): Credentials {
  const config = load(path);
  const cluster = config.getCurrentCluster();
  if (!cluster || !URL.canParse(cluster.server))
    throw new KubernetesConfigError(`${path}: the current context names no cluster with a server URL`);
  return {
    server: new URL(cluster.server),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    authenticate: () => authenticate(config),
  };
}

function load(path: string): KubeConfig {
  const library = createRequire(import.meta.url)('@kubernetes/client-node') as Library;
  const config = new library.KubeConfig();
  try {
    config.loadFromFile(path);
  } catch (error) {
    throw new KubernetesConfigError(`${path}: ${toErrorMessage(error)}`, { cause: error });
  }
  return config;
}

// The library re-reads token and certificate files.
async function authenticate(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = { headers: {} };
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw toUnreadable(error);
  }
  // The library caches one agent per user with the certificates of the first request: after a rotation it would
  // go on with the old ones. Only its proxy agents are kept.
  if (!config.getCurrentCluster()?.proxyUrl) options.agent = false;
  return options;
}
