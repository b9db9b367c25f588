// As whom do we speak to which API server? By the files that the kubelet mounts for our service account. Kubeconfigs are left
// to kubeconfig.ts, whose library takes a third of the time that a replica needs to start: in a cluster it is not loaded.
import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { toErrorMessage } from '../lib/text.ts';
import { KubernetesApiError, KubernetesConfigError } from './errors.ts';

/** Where the kubelet mounts the service account. */
const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

const SERVER = /^https:\/\/(?:[\w.-]+|\[[\da-fA-F:.]+\]):\d+$/;

/** Access to one API server. */
export interface Credentials {
  readonly server: URL;
  /** The namespace of the context; in a cluster the one of our own pod. */
  readonly namespace: string | undefined;
  /** Options of one request, asked anew for each: tokens and certificates rotate. @throws KubernetesApiError */
  authenticate(): Promise<RequestOptions>;
}

/**
 * Credentials of the pod that we are.
 * @param environment where the kubelet says which server
 * @throws KubernetesConfigError when this is no pod
 */
export function openServiceAccount(
  environment: Readonly<Record<string, string | undefined>>,
  directory = SERVICE_ACCOUNT_DIRECTORY,
): Credentials {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  if (host === '')
    throw new KubernetesConfigError(
      'not in a cluster (KUBERNETES_SERVICE_HOST is not set): name a kubeconfig',
    );
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  if (!SERVER.test(server) || !URL.canParse(server))
    throw new KubernetesConfigError(`KUBERNETES_SERVICE_HOST and _PORT name no server: ${server}`);
  return {
    server: new URL(server),
    namespace: readNamespace(directory),
    authenticate: () =>
      new Promise((resolve) => {
        const [ca = '', token = ''] = ['ca.crt', 'token'].map((name) =>
          readCredential(join(directory, name)),
        );
        resolve({ agent: false, ca, headers: { authorization: `Bearer ${token}` } });
      }),
  };
}

function readNamespace(directory: string): string | undefined {
  try {
    return readFileSync(join(directory, 'namespace'), 'utf8').trim();
  } catch {
    // Who needs it is told by an option.
    return undefined;
  }
}

// An empty CA would mean those of the web.
function readCredential(path: string): string {
  try {
    const text = readFileSync(path, 'utf8').trim();
    if (text === '') throw new Error(`${path} is empty`);
    return text;
  } catch (cause) {
    throw toUnreadable(cause);
  }
}

/** The error of credentials that cannot be read. */
export function toUnreadable(cause: unknown): KubernetesApiError {
  return new KubernetesApiError({
    status: 0,
    reason: 'CredentialsUnreadable',
    message: `credentials for the API server: ${toErrorMessage(cause)}`,
    cause,
  });
}
