// What does a user see? kubectl with its exit code and both outputs. Which API server it asks, and as whom, is
// left to the kubeconfig.
import { execFile } from 'node:child_process';
import { join } from 'node:path';

const KUBECTL_BOUND_MS = 60_000;

/** `code` is kubectl's exit code, -1 when it was killed after a minute. */
export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Arguments, and what `-f -` reads. */
export type Kubectl = (args: readonly string[], stdin?: string) => Promise<KubectlResult>;

/** `directory` has a subdirectory `home`: no kubectl configuration and no cache of the developer's takes part. */
export function createKubectl(command: string, kubeconfig: string, directory: string): Kubectl {
  const env = { PATH: process.env['PATH'], HOME: join(directory, 'home'), KUBECONFIG: kubeconfig };
  return (args, stdin = '') => {
    const { promise, resolve } = Promise.withResolvers<KubectlResult>();
    const child = execFile(
      command,
      args,
      { env, timeout: KUBECTL_BOUND_MS, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const failed = typeof error?.code === 'number' ? error.code : -1;
        const why = error && typeof error.code !== 'number' ? error.message : '';
        resolve({ code: error ? failed : 0, stdout, stderr: stderr + why });
      },
    );
    // kubectl may end before it read everything, or not start at all: its result says why.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(stdin);
    return promise;
  };
}
