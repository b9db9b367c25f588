// Which objects do the stories apply? Builders of namespaces, policies, pods and of the webhook's registration,
// which keeps the rules of deploy/base and changes only where the API server finds us.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

const DEPLOY = join(import.meta.dirname, '../../deploy');
/** The kustomization that is shipped. */
export const BASE_DIRECTORY = join(DEPLOY, 'base');
export const CRD_DIRECTORY = join(DEPLOY, 'crds');

export const OVERLAYS_DIRECTORY = join(DEPLOY, 'overlays');
export const COMPONENTS_DIRECTORY = join(DEPLOY, 'components');
export const MONITORING_DIRECTORY = join(COMPONENTS_DIRECTORY, 'monitoring');
export const CHART_DIRECTORY = join(DEPLOY, 'chart');

/** A Kubernetes object, as kubectl takes it. */
export type Manifest = Readonly<Record<string, unknown>>;

interface WebhookConfiguration {
  readonly webhooks: readonly (Manifest & {
    readonly clientConfig: { readonly service: { readonly path: string } };
  })[];
}

export function namespace(name: string, labels: Readonly<Record<string, string>> = {}): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

/** A policy for models of one registry in namespaces with the label `tier: prod`, signed by one key. */
export function keyPolicy(name: string, registry: string, pem: string): Manifest {
  return {
    apiVersion: 'modelpolicy.dev/v1alpha1',
    kind: 'ClusterModelPolicy',
    metadata: { name },
    spec: {
      namespaceSelector: { matchLabels: { tier: 'prod' } },
      models: [{ glob: `${registry}/**` }],
      authorities: [{ name: 'release-key', key: { pem } }],
    },
  };
}

/** A pod with an image volume; `reference` undefined: a pod without any model. */
export function pod(name: string, inNamespace: string, reference?: string): Manifest {
  const metadata = { name, namespace: inNamespace };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: podSpec(reference) };
}

/** One replica of the same pod. */
export function deployment(name: string, inNamespace: string, reference: string): Manifest {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: podSpec(reference) };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: inNamespace },
    spec: { replicas: 1, selector: { matchLabels: labels }, template },
  };
}

/** One run of the same pod. */
export function job(name: string, inNamespace: string, reference?: string): Manifest {
  const metadata = { name, namespace: inNamespace };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template: toRun(reference) } };
}

/** The same pod once a year. */
export function cronJob(name: string, inNamespace: string, reference?: string): Manifest {
  const metadata = { name, namespace: inNamespace };
  const jobTemplate = { spec: { template: toRun(reference) } };
  return { apiVersion: 'batch/v1', kind: 'CronJob', metadata, spec: { schedule: '0 0 1 1 *', jobTemplate } };
}

/** An object of modelpolicy.dev. */
export function policyObject(kind: string, name: string, spec: object, inNamespace?: string): Manifest {
  const metadata = { name, ...(inNamespace === undefined ? {} : { namespace: inNamespace }) };
  return { apiVersion: 'modelpolicy.dev/v1alpha1', kind, metadata, spec };
}

/** A ClusterModelPolicy for one namespace, by the label that nobody can change. */
export function policyFor(name: string, inNamespace: string, spec: object): Manifest {
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': inNamespace } };
  return policyObject('ClusterModelPolicy', name, { namespaceSelector, ...spec });
}

/** The registration as shipped, but for the address. */
export function webhookAt(url: string, ca: string): Manifest {
  const shipped = parse(readFileSync(join(BASE_DIRECTORY, 'webhook.yaml'), 'utf8')) as WebhookConfiguration;
  const caBundle = Buffer.from(ca).toString('base64');
  return {
    ...shipped,
    webhooks: shipped.webhooks.map((webhook) => ({
      ...webhook,
      clientConfig: { url: `${url}${webhook.clientConfig.service.path}`, caBundle },
    })),
  };
}

/** The optional policy for volumes as shipped, but for the namespace that it is bound to. */
export function volumePolicyOf(namespaceName: string): readonly Manifest[] {
  const documents = parseAllDocuments(readFileSync(join(DEPLOY, 'volume-types/policy.yaml'), 'utf8'));
  const [policy = {}, binding = {}] = documents.map((document) => document.toJS() as Manifest);
  const values = [namespaceName];
  const matchExpressions = [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }];
  const spec = {
    ...(binding['spec'] as object),
    matchResources: { namespaceSelector: { matchExpressions } },
  };
  return [policy, { ...binding, spec }];
}

/**
 * A new kustomization in `directory` of the base and components, with policies of its own: a map of file names and
 * manifests. @returns its path
 */
export function writeKustomization(
  directory: string,
  components: readonly string[],
  policies: Readonly<Record<string, Manifest>> = {},
): string {
  const path = mkdtempSync(join(directory, 'kustomization-'));
  for (const [file, manifest] of Object.entries(policies))
    writeFileSync(join(path, file), JSON.stringify(manifest));
  const kustomization = {
    resources: [relative(path, BASE_DIRECTORY), ...Object.keys(policies)],
    components: components.map((name) => relative(path, join(COMPONENTS_DIRECTORY, name))),
  };
  writeFileSync(join(path, 'kustomization.yaml'), JSON.stringify(kustomization));
  return path;
}

/** A definition of somebody else's kind whose objects may hold anything, for what deploy/components say to operators. */
export function foreignDefinition(group: string, kind: string, plural: string): Manifest {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: anything } }],
    },
  };
}

/** Kinds that deploy/components use and a bare cluster has not got. */
export const FOREIGN_DEFINITIONS: readonly Manifest[] = [
  foreignDefinition('cert-manager.io', 'Certificate', 'certificates'),
  foreignDefinition('cert-manager.io', 'Issuer', 'issuers'),
  foreignDefinition('monitoring.coreos.com', 'ServiceMonitor', 'servicemonitors'),
  foreignDefinition('monitoring.coreos.com', 'PrometheusRule', 'prometheusrules'),
];

/** Documents as `kubectl apply -f -` reads them; JSON is YAML, but several are only read as such behind a separator. */
export function toDocuments(...manifests: readonly Manifest[]): string {
  return manifests.map((manifest) => `---\n${JSON.stringify(manifest)}\n`).join('');
}

function toRun(reference: string | undefined): object {
  return { spec: { ...podSpec(reference), restartPolicy: 'Never' } };
}

function podSpec(reference: string | undefined): Manifest {
  const volumes = reference === undefined ? [] : [{ name: 'model', image: { reference } }];
  const volumeMounts = reference === undefined ? [] : [{ name: 'model', mountPath: '/model' }];
  return { containers: [{ name: 'app', image: 'registry.example/app:1', volumeMounts }], volumes };
}
