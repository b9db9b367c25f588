// What does the real API server say? Starts etcd, kube-apiserver and kube-controller-manager on loopback, without
// nodes: pods are admitted and stay Pending. The binaries are found where KUBEBUILDER_ASSETS says, as for envtest;
// kubectl is taken from there or from PATH. What is installed in it is left to the suites.
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { createClusterAuthority, type KeyPair, privateKeyPem } from './certificates.ts';
import { apiServerArgs, etcdArgs, managerArgs } from './control-plane-flags.ts';
import { createKubectl, type Kubectl } from './kubectl.ts';
import { freePorts, type RunningProcess, startProcess, waitFor } from './processes.ts';

const BINARIES = ['etcd', 'kube-apiserver', 'kube-controller-manager'] as const;
const START_BOUND_MS = 60_000;
const STOP_BOUND_MS = 10_000;

export interface ControlPlane {
  /** Of a member of system:masters. */
  readonly kubeconfig: string;
  readonly server: string;
  /** Removed by `stop`; free for other files of the run. */
  readonly directory: string;
  /** As administrator. */
  readonly kubectl: Kubectl;
  /** Returns when the new one is ready, with these flags more; whoever watched the old one was cut off. */
  readonly restartApiServer: (flags?: readonly string[]) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Ready when it returns: controllers run and the service account of the default namespace exists. */
export async function startControlPlane(): Promise<ControlPlane> {
  const binaries = findBinaries(process.env['KUBEBUILDER_ASSETS']);
  const directory = mkdtempSync(join(tmpdir(), 'model-policy-e2e-'));
  const started = new Map<string, RunningProcess>();
  const stop = async (): Promise<void> => {
    // Newest first, each to its end: an API server whose etcd went first ignores SIGTERM.
    for (const program of [...started.values()].toReversed()) await program.stop(STOP_BOUND_MS);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const [etcdPort = 0, peerPort = 0, apiPort = 0, managerPort = 0] = await freePorts(4);
    const server = `https://127.0.0.1:${apiPort}`;
    const { kubeconfig, manager } = writeCredentials(directory, server);
    const run = (name: keyof Binaries, args: readonly string[]): RunningProcess => {
      const program = startProcess({ name, command: binaries[name], args, directory });
      // A restarted one keeps its place in the order of stopping.
      started.set(name, program);
      return program;
    };
    const kubectl = createKubectl(binaries.kubectl, kubeconfig, directory);
    const etcd = `http://127.0.0.1:${etcdPort}`;
    run('etcd', etcdArgs(directory, etcd, `http://127.0.0.1:${peerPort}`));
    const startApiServer = async (flags: readonly string[] = []): Promise<void> => {
      const program = run('kube-apiserver', [...apiServerArgs(directory, etcd, server), ...flags]);
      const isReady = async (): Promise<boolean> => (await kubectl(['get', '--raw', '/readyz'])).code === 0;
      await waitFor('kube-apiserver', isReady, { boundMs: START_BOUND_MS, program });
    };
    const restartApiServer = async (flags?: readonly string[]): Promise<void> => {
      await started.get('kube-apiserver')?.stop(STOP_BOUND_MS);
      await startApiServer(flags);
    };
    await startApiServer();
    const controllers = run('kube-controller-manager', managerArgs(directory, manager, managerPort));
    const hasAccount = async (): Promise<boolean> =>
      (await kubectl(['get', 'serviceaccount', 'default', '--namespace', 'default'])).code === 0;
    await waitFor('kube-controller-manager', hasAccount, { boundMs: START_BOUND_MS, program: controllers });
    return { kubeconfig, server, directory, kubectl, restartApiServer, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Binaries = Readonly<Record<(typeof BINARIES)[number] | 'kubectl', string>>;

function findBinaries(assets: string | undefined): Binaries {
  if (!assets) {
    throw new Error(
      `KUBEBUILDER_ASSETS is not set: name the directory with ${BINARIES.join(', ')} (setup-envtest makes one)`,
    );
  }
  for (const name of BINARIES) {
    if (!isExecutable(join(assets, name))) throw new Error(`KUBEBUILDER_ASSETS: ${assets} has no ${name}`);
  }
  const kubectl = join(assets, 'kubectl');
  return {
    etcd: join(assets, 'etcd'),
    'kube-apiserver': join(assets, 'kube-apiserver'),
    'kube-controller-manager': join(assets, 'kube-controller-manager'),
    kubectl: isExecutable(kubectl) ? kubectl : 'kubectl',
  };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function writeCredentials(directory: string, server: string): { kubeconfig: string; manager: string } {
  const authority = createClusterAuthority();
  const write = (name: string, text: string): string => {
    const file = join(directory, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const writeKubeconfig = (name: string, pair: KeyPair): string =>
    write(name, toKubeconfig(server, authority.certificate, pair));
  const api = authority.issueServer('kube-apiserver');
  write('ca.crt', authority.certificate);
  write('apiserver.crt', api.certificate);
  write('apiserver.key', api.key);
  const account = generateSigningKey('p256');
  write('service-account.key', privateKeyPem(account));
  write('service-account.pub', account.publicKeyPem.toString());
  mkdirSync(join(directory, 'home'));
  const user = 'system:kube-controller-manager';
  return {
    kubeconfig: writeKubeconfig('admin.kubeconfig', authority.issueClient('admin', 'system:masters')),
    manager: writeKubeconfig('manager.kubeconfig', authority.issueClient(user, user)),
  };
}

/** JSON is YAML. */
function toKubeconfig(server: string, certificate: string, pair: KeyPair): string {
  const encode = (pem: string): string => Buffer.from(pem).toString('base64');
  const cluster = { server, 'certificate-authority-data': encode(certificate) };
  const user = { 'client-certificate-data': encode(pair.certificate), 'client-key-data': encode(pair.key) };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'e2e', cluster }],
    users: [{ name: 'e2e', user }],
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: 'e2e' } }],
    'current-context': 'e2e',
  });
}
