// How long is a replica away when it is replaced? From the start of the process to the first 200 of /readyz, with the
// options of deploy/base and many policies. The API server is a real one where KUBEBUILDER_ASSETS is set, else the one in
// memory of the tests; it says which. With a real one, root gets a service account's files where a pod has them, as in a
// cluster; else there is a kubeconfig. Prints; asserts nothing about time.
// Run: node bench/start.ts [rounds] [policies]
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { get } from 'node:http';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startControlPlane } from '../e2e/support/control-plane.ts';
import {
  BASE_DIRECTORY,
  CRD_DIRECTORY,
  type Manifest,
  namespace,
  toDocuments,
  webhookAt,
} from '../e2e/support/manifests.ts';
import { freePorts } from '../e2e/support/processes.ts';
import { generateSigningKey } from '../src/demo/keys.ts';
import { startFakeStore } from '../test/kubernetes/fake-store.ts';

const ROOT = join(import.meta.dirname, '..');
const NODE = join(ROOT, 'node_modules/node/bin/node');
const [rounds, policyCount] = [Number(process.argv[2] ?? 7), Number(process.argv[3] ?? 100)];
const OWN_NAMESPACE = 'model-policy-system';
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const MOUNT = `mount -t tmpfs tmpfs /var/run && mkdir -p ${ACCOUNT} && cp "$0"/* ${ACCOUNT} && exec "$@"`;
const POLL_MS = 5;
const START_BOUND_MS = 60_000;

interface Cluster {
  readonly what: string;
  readonly kubeconfig: string;
  /** Starts as a pod does: the directory of its service account, and its environment; undefined: with the kubeconfig. */
  readonly pod?: { readonly directory: string; readonly environment: Readonly<Record<string, string>> };
  put(manifests: readonly Manifest[]): Promise<void>;
  stop(): Promise<void>;
}

async function openCluster(): Promise<Cluster> {
  if (process.env['KUBEBUILDER_ASSETS'] === undefined) return openStandIn();
  const { kubeconfig, kubectl, stop, server, directory } = await startControlPlane();
  const run = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await kubectl(args, stdin);
    if (code !== 0) throw new Error(stderr);
    return stdout;
  };
  await run(['apply', '--filename', CRD_DIRECTORY]);
  await run(['wait', '--for=condition=established', 'crd', '--all', '--timeout=30s']);
  const put = async (manifests: readonly Manifest[]): Promise<void> =>
    void (await run(['apply', '--filename', '-'], toDocuments(...manifests)));
  await put([namespace(OWN_NAMESPACE)]);
  const cluster = { kubeconfig, put, stop };
  if (process.getuid?.() !== 0) return { ...cluster, what: 'a real API server, by a kubeconfig' };
  const own = ['--namespace', OWN_NAMESPACE];
  await run(['apply', '--filename', join(BASE_DIRECTORY, 'serviceaccount.yaml'), ...own]);
  await run(['apply', '--filename', join(BASE_DIRECTORY, 'rbac.yaml')]);
  const account = join(directory, 'serviceaccount');
  mkdirSync(account);
  writeFileSync(join(account, 'token'), await run(['create', 'token', 'model-policy-controller', ...own]));
  copyFileSync(join(directory, 'ca.crt'), join(account, 'ca.crt'));
  const { hostname, port } = new URL(server);
  const environment = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  return { ...cluster, what: 'a real API server, as a pod', pod: { directory: account, environment } };
}

async function openStandIn(): Promise<Cluster> {
  const store = await startFakeStore();
  const plurals: Readonly<Record<string, string>> = {
    Namespace: '/api/v1/namespaces',
    ClusterModelPolicy: '/apis/modelpolicy.dev/v1alpha1/clustermodelpolicies',
    TrustRoot: '/apis/modelpolicy.dev/v1alpha1/trustroots',
    ValidatingWebhookConfiguration: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  };
  return {
    what: 'an API server in memory',
    kubeconfig: store.api.kubeconfig,
    put: (manifests) => {
      for (const manifest of manifests) {
        const { name } = manifest['metadata'] as { name: string };
        store.put(`${plurals[String(manifest['kind'])]}/${name}`, {
          ...manifest,
          metadata: { name, generation: 1 },
        });
      }
      return Promise.resolve();
    },
    stop: () => store.api.stop(),
  };
}

/** Policies of all sorts: keys, identities, and rules. */
function toPolicies(count: number): readonly Manifest[] {
  const workflow = 'https://github.com/acme/models/.github/workflows/release.yaml@refs/heads/';
  const identity = { issuer: 'https://token.actions.githubusercontent.com', subject: `${workflow}main` };
  const keyless = { trustRootRef: { name: 'public-good' }, identities: [identity] };
  const validations = [
    { expression: "model.layers.all(l, l.title.endsWith('.safetensors') || l.title.endsWith('.json'))" },
    { expression: 'model.layers.map(l, l.size).sum() < 100000000000' },
    { expression: "signatures.exists(s, s.issuer != '' || s.keyFingerprint != '')" },
  ];
  const policies = Array.from({ length: count }, (_, index): Manifest => ({
    apiVersion: 'modelpolicy.dev/v1alpha1',
    kind: 'ClusterModelPolicy',
    metadata: { name: `policy-${index}` },
    spec: {
      namespaceSelector: { matchLabels: { team: `team-${index % 20}` } },
      models: [{ glob: `registry-${index % 10}.example.com/team-${index}/**` }],
      authorities: [
        index % 2 === 0
          ? { name: 'key', key: { pem: generateSigningKey('p256').publicKeyPem.toString() } }
          : { name: 'workflow', keyless },
      ],
      ...(index % 3 === 0 ? { validations } : {}),
    },
  }));
  const root = {
    apiVersion: 'modelpolicy.dev/v1alpha1',
    kind: 'TrustRoot',
    metadata: { name: 'public-good' },
    spec: { sigstorePublicGood: {} },
  };
  return [root, ...policies];
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    get({ port, host: '127.0.0.1', path: '/readyz', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on('error', () => resolve(false));
  });
}

// proc_pid_stat(5): utime and stime, in hundredths of a second, are the 12th and 13th behind the name. Linux only.
function readProcessorSeconds(pid: number | undefined): number {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return NaN;
  const fields = readFileSync(file, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Seconds from the start of the process until it is ready. */
interface Start {
  readonly seconds: number;
  /** Of processor time, of all threads: what a machine with nothing else to do needs at most. */
  readonly processorSeconds: number;
}

async function measureStart(main: string, { kubeconfig, pod }: Cluster, directory: string): Promise<Start> {
  const [port = 0, metricsPort = 0] = await freePorts(2);
  const options =
    `${pod ? '' : `--kubeconfig ${kubeconfig} `}--controller-namespace ${OWN_NAMESPACE} --listen 127.0.0.1:${port} ` +
    `--metrics-listen 127.0.0.1:${metricsPort} --write-status --self-managed-certs --webhook-config Manage`;
  const env = {
    HOME: directory,
    TMPDIR: directory,
    TZ: 'UTC',
    NODE_ENV: 'production',
    MODEL_POLICY_LOG_LEVEL: 'error',
    PATH: process.env['PATH'],
    ...pod?.environment,
  };
  const command = [NODE, main, 'serve', '--offline', ...options.split(' ')];
  // In a mount namespace of its own; each program becomes the next, so the process is the one that was started.
  const asPod = ['unshare', '--mount', 'sh', '-c', MOUNT, pod?.directory ?? '', ...command];
  const [program = '', ...args] = pod === undefined ? command : asPod;
  const startedMs = performance.now();
  const child = spawn(program, args, { env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  try {
    while (!(await isReady(metricsPort))) {
      if (child.exitCode !== null || performance.now() - startedMs > START_BOUND_MS)
        throw new Error(`${main} does not become ready`);
      await sleep(POLL_MS);
    }
    const seconds = (performance.now() - startedMs) / 1000;
    return { seconds, processorSeconds: readProcessorSeconds(child.pid) };
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

const cluster = await openCluster();
const directory = mkdtempSync(join(tmpdir(), 'model-policy-start-'));
try {
  await cluster.put(toPolicies(policyCount));
  await cluster.put([webhookAt('https://127.0.0.1:9', '')]);
  const model = cpus()[0]?.model ?? 'unknown';
  console.info(
    `${policyCount} policies on ${cluster.what}; ${process.version}, ${cpus().length} × ${model}, load ${loadavg()[0]?.toFixed(1)}`,
  );
  const programs = ['src/main.ts', 'dist/main.js'].filter((file) => existsSync(join(ROOT, file)));
  for (const program of programs) {
    // The first makes the certificate that the others find.
    const first = await measureStart(join(ROOT, program), cluster, directory);
    const starts: Start[] = [];
    for (let round = 0; round < rounds; round += 1)
      starts.push(await measureStart(join(ROOT, program), cluster, directory));
    console.info(
      `${program}: first ${first.seconds.toFixed(2)} s, then ${toRange(starts.map(({ seconds }) => seconds))}, ` +
        `processor ${toRange(starts.map(({ processorSeconds }) => processorSeconds))}`,
    );
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
  await cluster.stop();
}

/** Median and range. */
function toRange(seconds: readonly number[]): string {
  const sorted = seconds.toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor((sorted.length - 1) * part)] ?? NaN).toFixed(2);
  return `${at(0.5)} s (${at(0)}–${at(1)})`;
}
