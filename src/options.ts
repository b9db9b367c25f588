// What can be configured? Every option in one table: flag, environment variable, default, bounds, meaning. The same
// table parses command lines, checks values, and prints help; docs/configuration.md is held to it by a test.
import type { OptionSpec } from './config.ts';

const HOST_PORT = '^(\\[[0-9a-fA-F:.]+\\]|[^:\\s]+):\\d{1,5}$';
const DRIVER_NAME = '^[a-zA-Z0-9]([-a-zA-Z0-9._]*[a-zA-Z0-9])?$';
const NAME = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';

/** Options of how registries are read and what is done where no policy speaks: shared by serve and verify. */
export const REGISTRY_OPTIONS = [
  { flag: 'registry-config', value: 'FILE', description: 'docker config.json with registry credentials' },
  {
    flag: 'cloud-keychains',
    value: 'ECR,GAR,ACR',
    pattern: '^(?:ECR|GAR|ACR)(?:,(?:ECR|GAR|ACR))*$',
    description: 'clouds whose registries are read as this workload (default: none)',
  },
  { flag: 'ca-file', value: 'FILE', description: 'PEM of further certificate authorities for registries' },
  {
    flag: 'plain-http',
    value: 'HOST:PORT',
    multiple: true,
    pattern: HOST_PORT,
    description: 'registry spoken to without TLS, at any address (repeatable)',
  },
  {
    flag: 'registries',
    value: 'FILE',
    description: 'mirrors, certificates and habits of single registries, YAML (docs/registries.md)',
  },
  {
    flag: 'blocked-ranges',
    value: 'CIDR',
    multiple: true,
    description:
      'addresses not dialled for hosts that nobody configured, e.g. of services, pods (repeatable)',
  },
  {
    flag: 'no-match-policy',
    value: 'Deny|Warn|Allow',
    default: 'Deny',
    choices: ['Deny', 'Warn', 'Allow'],
    description: 'what happens to models that no enforcing policy selects',
  },
  {
    flag: 'short-names',
    value: 'Deny|DockerHub',
    default: 'Deny',
    choices: ['Deny', 'DockerHub'],
    description: 'how model references without a registry are read',
  },
  {
    flag: 'controller-namespace',
    value: 'NAME',
    default: 'model-policy-system',
    pattern: NAME,
    description: 'namespace of the Secrets and ConfigMaps that policies name',
  },
  {
    flag: 'trust-cache',
    value: 'DIR',
    description: 'where TUF metadata of TrustRoots is kept (default: a private temporary directory)',
  },
  {
    flag: 'second-opinion',
    value: 'before|after|off',
    default: 'before',
    choices: ['before', 'after', 'off'],
    description: 'when @sigstore/verify is asked about new evidence: before or after the answer, or never',
  },
  { flag: 'offline', description: 'never refresh TrustRoots: use what is shipped, pinned or cached' },
] as const satisfies readonly OptionSpec[];

/** Options of serve. */
export const SERVE_OPTIONS = [
  {
    flag: 'policies',
    value: 'PATH…',
    multiple: true,
    description: 'files or directories of policies: standalone mode; reloaded on change',
  },
  {
    flag: 'kubeconfig',
    value: 'FILE',
    description: 'watch the cluster of this kubeconfig (default: in-cluster)',
  },
  {
    flag: 'namespaces',
    value: 'FILE',
    description: 'Namespace objects for standalone mode (default: every namespace exists)',
  },
  {
    flag: 'listen',
    value: 'HOST:PORT',
    default: '127.0.0.1:8443',
    pattern: HOST_PORT,
    description: 'address of POST /validate (HTTPS)',
  },
  {
    flag: 'metrics-listen',
    value: 'HOST:PORT',
    default: '127.0.0.1:9090',
    pattern: HOST_PORT,
    description: 'address of /metrics, /healthz and /readyz (plain HTTP)',
  },
  {
    flag: 'tls-cert',
    value: 'FILE',
    description: 'serving certificate, PEM; reloaded on change (default: self-signed)',
  },
  { flag: 'tls-key', value: 'FILE', description: 'its private key, PEM' },
  { flag: 'ca-out', value: 'FILE', description: 'where to write the CA of the self-signed certificate' },
  {
    flag: 'client-ca',
    value: 'FILE',
    description: 'PEM of the CA that clients must have a certificate from; reloaded on change',
  },
  {
    flag: 'drain-delay',
    value: 'SECONDS',
    default: '0',
    pattern: '^(?:[0-9]|[1-5][0-9]|60)$',
    description: 'how long to go on answering after SIGTERM while nobody is sent here any more, up to 60',
  },
  {
    flag: 'self-managed-certs',
    description: 'serve with a certificate from a Secret that the leading replica makes and renews',
  },
  {
    flag: 'webhook-config',
    value: 'Manage|Watch|Off',
    default: 'Off',
    choices: ['Manage', 'Watch', 'Off'],
    description: 'what the leading replica does about changes of the webhook configuration: put back, tell',
  },
  {
    flag: 'write-status',
    description:
      'write conditions and events of policies, trust roots and exceptions, when this replica leads',
  },
  {
    flag: 'workloads',
    value: 'Warn|Deny|Off',
    default: 'Warn',
    choices: ['Warn', 'Deny', 'Off'],
    description: 'what Deployments and other workloads get for what would deny their pods',
  },
  {
    flag: 'model-csi-driver',
    value: 'NAME',
    multiple: true,
    pattern: DRIVER_NAME,
    description: 'CSI driver that mounts models, beside model.csi.modelpack.org (repeatable)',
  },
  {
    flag: 'model-storage-class',
    value: 'NAME',
    multiple: true,
    pattern: DRIVER_NAME,
    description: 'StorageClass whose volumes hold a model (repeatable)',
  },
  {
    flag: 'verify-threads',
    value: 'N',
    default: '1',
    pattern: '^(?:[0-9]|1[0-6])$',
    description: 'threads that verify signatures, up to 16; 0: the thread that answers',
  },
  {
    flag: 'pull-secrets',
    value: 'Pod|Off',
    default: 'Off',
    choices: ['Pod', 'Off'],
    description: 'whether models are read with the pull secrets of the pod and its service account',
  },
  ...REGISTRY_OPTIONS,
] as const satisfies readonly OptionSpec[];

/** Options of verify. */
export const VERIFY_OPTIONS = [
  {
    flag: 'policy',
    value: 'PATH…',
    multiple: true,
    description: 'files or directories of policies; - is standard input',
  },
  {
    flag: 'namespace',
    value: 'NAME',
    default: 'default',
    pattern: NAME,
    description: 'namespace of the pod',
  },
  { flag: 'namespaces', value: 'FILE', description: 'Namespace objects (default: every namespace exists)' },
  { flag: 'json', description: 'print the verdict as one line of JSON' },
  ...REGISTRY_OPTIONS,
] as const satisfies readonly OptionSpec[];

/** Options of explain. */
export const EXPLAIN_OPTIONS = [
  ...VERIFY_OPTIONS.filter(({ flag }) => flag === 'policy' || flag === 'namespaces'),
  {
    flag: 'namespace',
    value: 'NAME',
    pattern: NAME,
    description: 'namespace of the object (default: the one that it names, else default)',
  },
  {
    flag: 'recordings',
    value: 'PATH…',
    multiple: true,
    description: 'recorded registry answers, files or directories: nothing else is asked',
  },
  { flag: 'json', description: 'print the explanation as one line of JSON' },
  ...SERVE_OPTIONS.filter(({ flag }) => flag === 'model-csi-driver' || flag === 'model-storage-class'),
  ...REGISTRY_OPTIONS,
] as const satisfies readonly OptionSpec[];

/** Options of migrate. */
export const MIGRATE_OPTIONS = [
  { flag: 'out', value: 'FILE', description: 'where to write the policies (default: standard output)' },
] as const satisfies readonly OptionSpec[];

/** Options of record. */
export const RECORD_OPTIONS = [
  { flag: 'out', value: 'FILE', description: 'where to write the recording (default: standard output)' },
  {
    flag: 'signature-repository',
    value: 'REPOSITORY',
    multiple: true,
    description: 'registry/repository that a policy names for signatures, recorded too (repeatable)',
  },
  ...REGISTRY_OPTIONS.filter(({ flag }) =>
    ['registry-config', 'ca-file', 'plain-http', 'short-names'].includes(flag),
  ),
] as const satisfies readonly OptionSpec[];

/** Options of test. */
export const TEST_OPTIONS = [
  { flag: 'junit', value: 'FILE', description: 'where to write the results as JUnit XML' },
  { flag: 'only', value: 'TEXT', description: 'run cases whose full name holds the text' },
  {
    flag: 'controller-namespace',
    value: 'NAME',
    default: 'model-policy-system',
    pattern: NAME,
    description: 'namespace of the Secrets and ConfigMaps that policies name',
  },
] as const satisfies readonly OptionSpec[];

/** Options of admit. */
export const ADMIT_OPTIONS = [
  {
    flag: 'server',
    value: 'URL',
    default: 'https://127.0.0.1:8443',
    pattern: '^https?://',
    description: 'server to ask',
  },
  { flag: 'ca', value: 'FILE', description: 'PEM of the CA of the server (default: the system’s)' },
  {
    flag: 'namespace',
    value: 'NAME',
    default: 'default',
    pattern: NAME,
    description: 'namespace of objects that name none',
  },
  {
    flag: 'operation',
    value: 'CREATE|UPDATE|DELETE',
    default: 'CREATE',
    choices: ['CREATE', 'UPDATE', 'DELETE'],
    description: 'operation to ask about',
  },
  { flag: 'json', description: 'print each verdict as one line of JSON' },
] as const satisfies readonly OptionSpec[];
