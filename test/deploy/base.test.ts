// Does the deployment start what the source is? Options, ports, probes and the user of the image, against the options of
// serve, the listeners and the Dockerfile; and what the pod may do.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { parseArguments } from '../../src/cli/arguments.ts';
import { SERVE } from '../../src/cli/serve.ts';
import { toArray, toRecord } from '../../src/lib/text.ts';
import { ROOT } from '../meta/source-files.ts';

interface Named {
  readonly name: string;
}
interface Container {
  readonly args: readonly string[];
  readonly image: string;
  readonly env: readonly Named[];
  readonly ports: readonly (Named & { readonly containerPort: number })[];
  readonly volumeMounts: readonly (Named & { readonly mountPath: string; readonly readOnly?: boolean })[];
  readonly securityContext: object;
  readonly resources: { readonly requests: object; readonly limits: object };
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string; readonly port: string } };
}
interface PodSpec {
  readonly containers: readonly [Container];
  readonly volumes: readonly (Named & Record<string, unknown>)[];
  readonly securityContext: object;
  readonly priorityClassName: string;
  readonly terminationGracePeriodSeconds: number;
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const objectOf = (path: string): Record<string, unknown> => toRecord(parse(read(path)));
const spec = toRecord(objectOf('deploy/base/deployment.yaml')['spec']);
const template = toRecord(spec['template']) as { spec: PodSpec; metadata: { labels: object } };
const pod = template.spec;
const [container] = pod.containers;

const { namespace } = objectOf('deploy/base/kustomization.yaml');
/** As the kubelet expands them. */
const args = container.args.map((arg) => arg.replace('$(POD_NAMESPACE)', String(namespace)));

/** Values of the options that a component adds to those of the base. */
function argumentsWith(component: string): Record<string, unknown> {
  const { changes = [] } = parse(read(`deploy/chart/rendered/${component}.yaml`)) as {
    changes?: readonly { key: string; append: readonly string[] }[];
  };
  const added = changes.filter(({ key }) => key === 'args').flatMap(({ append }) => append);
  return { ...parseArguments(SERVE, [...args.slice(1), ...added], {}).values };
}

describe('deploy/base/deployment.yaml', () => {
  const values = argumentsWith('warn');

  it('calls serve with options that it takes', () => {
    assert.equal(container.args[0], 'serve');
    assert.equal(values['no-match-policy'], 'Warn');
    assert.equal(values['controller-namespace'], namespace);
    const variables = container.args.flatMap((arg) =>
      [...arg.matchAll(/\$\((\w+)\)/g)].map(([, name]) => name),
    );
    assert.deepEqual(
      container.env.map(({ name }) => name),
      variables,
    );
  });

  it('opens the ports on which serve listens, on every address, and those that the image names', () => {
    const ports = Object.fromEntries(
      container.ports.map(({ name, containerPort }) => [name, `0.0.0.0:${containerPort}`]),
    );
    assert.deepEqual(ports, { https: values['listen'], metrics: values['metrics-listen'] });
    const exposed = /^EXPOSE (.*)$/m.exec(read('Dockerfile'))?.[1];
    assert.equal(container.ports.map(({ containerPort }) => containerPort).join(' '), exposed);
  });

  it('is probed where the metrics listener answers', () => {
    const served = [...read('src/server/metrics-app.ts').matchAll(/app\.get\('([^']+)'/g)].map(
      ([, path]) => path,
    );
    for (const [probe, path] of [
      ['startupProbe', '/healthz'],
      ['livenessProbe', '/healthz'],
      ['readinessProbe', '/readyz'],
    ] as const) {
      const { httpGet } = container[probe] ?? assert.fail(probe);
      assert.deepEqual([httpGet.path, httpGet.port], [path, 'metrics']);
      assert.ok(served.includes(path), path);
    }
  });

  it('runs as the user of the image, who may do nothing more, on a root that nobody writes to', () => {
    const [, user, group] = /^USER (\d+):(\d+)$/m.exec(read('Dockerfile')) ?? [];
    assert.deepEqual(pod.securityContext, {
      runAsNonRoot: true,
      runAsUser: Number(user),
      runAsGroup: Number(group),
      fsGroup: Number(group),
      seccompProfile: { type: 'RuntimeDefault' },
    });
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('can write to a bounded temporary directory and to nothing else', () => {
    const writable = container.volumeMounts.filter(({ readOnly }) => readOnly !== true);
    assert.deepEqual(
      writable.map(({ mountPath }) => mountPath),
      ['/tmp'],
    );
    const volume = pod.volumes.find(({ name }) => name === writable[0]?.name);
    assert.ok(toRecord(volume?.['emptyDir'])['sizeLimit']);
  });

  it('asks for what it needs, and is held to a limit of memory', () => {
    assert.deepEqual(Object.keys(container.resources.requests).toSorted(), ['cpu', 'memory']);
    assert.deepEqual(Object.keys(container.resources.limits), ['memory']);
  });

  it('has the priority and the disruption budget that the base ships, and never fewer replicas in an update', () => {
    const { metadata, value } = objectOf('deploy/base/priorityclass.yaml');
    assert.equal(pod.priorityClassName, toRecord(metadata)['name']);
    assert.equal(value, 1_000_000_000);
    const budget = toRecord(objectOf('deploy/base/poddisruptionbudget.yaml')['spec']);
    assert.equal(budget['maxUnavailable'], 1);
    assert.deepEqual(toRecord(budget['selector'])['matchLabels'], template.metadata.labels);
    assert.ok(Number(spec['replicas']) >= 2);
    assert.equal(toRecord(toRecord(spec['strategy'])['rollingUpdate'])['maxUnavailable'], 0);
  });

  it('lets in the ports that it opens, and out what it asks', () => {
    const { ingress, egress, podSelector } = toRecord(objectOf('deploy/base/networkpolicy.yaml')['spec']);
    const portsOf = (rules: unknown): readonly unknown[] =>
      toArray(rules).flatMap((rule) =>
        toArray(toRecord(rule)['ports']).map((port) => toRecord(port)['port']),
      );
    assert.deepEqual(
      portsOf(ingress),
      container.ports.map(({ name }) => name),
    );
    assert.deepEqual(portsOf(egress), [53, 53, 443, 6443]);
    assert.deepEqual(toRecord(podSelector)['matchLabels'], template.metadata.labels);
  });

  it('starts the image of this version', () => {
    const [image] = toArray(objectOf('deploy/base/kustomization.yaml')['images']).map(toRecord);
    assert.equal(image?.['name'], container.image);
    assert.equal(image['newTag'], toRecord(JSON.parse(read('package.json')))['version']);
  });
});

describe('deploy/components', () => {
  for (const [component, expected] of [
    ['audit', { 'no-match-policy': 'Allow', workloads: 'Off' }],
    ['warn', { 'no-match-policy': 'Warn', workloads: 'Warn' }],
    ['air-gap', { offline: true, registries: '/etc/model-policy/registries/registries.yaml' }],
    ['pull-secrets', { 'pull-secrets': 'Pod' }],
    ['client-ca', { 'client-ca': '/etc/model-policy/client-ca/ca.crt' }],
  ] as const)
    it(`${component} gives serve options that it takes`, () => {
      const values = argumentsWith(component);
      const given = Object.fromEntries(Object.keys(expected).map((flag) => [flag, values[flag]]));
      assert.deepEqual(given, expected);
    });

  it('are named by docs/install.md, with the overlays', () => {
    const text = read('docs/install.md');
    for (const component of readdirSync(join(ROOT, 'deploy/components')))
      assert.match(text, new RegExp(`[\`/]${component}\``), component);
  });

  it('have an overlay each, but for what is added to any', () => {
    const list = (directory: string): readonly string[] => readdirSync(join(ROOT, 'deploy', directory));
    const overlays = list('overlays');
    assert.deepEqual(
      list('components').filter((component) => !overlays.includes(component)),
      ['client-ca', 'monitoring', 'pull-secrets', 'tenant-policies'],
    );
  });
});
