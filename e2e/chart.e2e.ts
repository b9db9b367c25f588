// Is the Helm chart the same as the kustomizations? Renders both with the real programs and compares them as objects; then
// installs, steps on and uninstalls with helm. Runs where helm is found, in HELM or PATH, and says so where it is not.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { listObjects } from './support/cluster-objects.ts';
import { type ControlPlane, startControlPlane } from './support/control-plane.ts';
import {
  CHART_DIRECTORY,
  COMPONENTS_DIRECTORY,
  FOREIGN_DEFINITIONS,
  toDocuments,
  writeKustomization,
} from './support/manifests.ts';

const HELM = process.env['HELM'] ?? 'helm';
const RELEASE = ['model-policy-controller', CHART_DIRECTORY, '--namespace', 'default'];
/** Without a cluster helm takes the version that it was built with; one built from source has 1.20. */
const KUBE_VERSION = ['--kube-version', '1.32.0'];
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
const COMPONENTS = readdirSync(COMPONENTS_DIRECTORY);
const run = promisify(execFile);

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: {
    readonly replicas: number;
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly image: string; readonly args: string[] }[] };
    };
  };
}

/** Objects by identity, in no order: neither kustomize nor Helm means anything by it. */
function toObjects(text: string): ReadonlyMap<string, Rendered> {
  const objects = parseAllDocuments(text)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
  return new Map(
    objects.map((object) => [
      `${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`,
      object,
    ]),
  );
}

const toSettings = (...values: readonly string[]): readonly string[] =>
  values.flatMap((value) => ['--set', value]);
const toFlags = (components: readonly string[]): readonly string[] =>
  toSettings(...components.map((component) => `components.${component}=true`));

describe('deploy/chart', () => {
  let directory = '';
  let cluster: ControlPlane | undefined;

  const helm = async (args: readonly string[], kubeconfig = '/dev/null'): Promise<string> => {
    const env = { PATH: process.env['PATH'], HOME: directory, KUBECONFIG: kubeconfig };
    const { stdout } = await run(HELM, args, { env, maxBuffer: MAX_OUTPUT_BYTES });
    return stdout;
  };
  const template = async (...flags: readonly string[]): Promise<ReadonlyMap<string, Rendered>> =>
    toObjects(await helm(['template', ...RELEASE, ...flags, ...KUBE_VERSION]));
  const kustomize = async (components: readonly string[]): Promise<ReadonlyMap<string, Rendered>> => {
    // Of the control plane, if it brings one.
    const path = [process.env['KUBEBUILDER_ASSETS'], process.env['PATH']].filter(Boolean).join(delimiter);
    const args = ['kustomize', writeKustomization(directory, components)];
    const env = { PATH: path, HOME: directory };
    const { stdout } = await run('kubectl', args, { env, maxBuffer: MAX_OUTPUT_BYTES });
    return toObjects(stdout);
  };

  before(async function () {
    directory = mkdtempSync(join(tmpdir(), 'model-policy-chart-'));
    try {
      await helm(['version', '--short']);
    } catch {
      console.error(`deploy/chart: no helm in HELM or PATH (${HELM}); the chart was not rendered`);
      this.skip();
    }
  });

  after(async () => {
    await cluster?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const components of [
    [],
    ...COMPONENTS.map((component) => [component]),
    COMPONENTS.filter((component) => component !== 'warn'),
    ['cert-manager', 'high-availability', 'warn'],
  ])
    it(`renders what kustomize renders with ${components.join(', ') || 'no component'}`, async () => {
      assert.deepEqual(await template(...toFlags(components)), await kustomize(components));
    });

  it('puts in image, replicas and options', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const objects = await template(
      ...toFlags(['audit', 'high-availability']),
      ...toSettings('image.repository=r.example/c', `image.digest=${digest}`, 'replicas=5'),
      ...toSettings('extraArgs={--blocked-ranges,10.96.0.0/12}'),
    );
    const deployment = objects.get('Deployment model-policy-system/model-policy-controller');
    assert.equal(deployment?.spec.replicas, 5);
    const [container] = deployment.spec.template.spec.containers;
    assert.equal(container?.image, `r.example/c@${digest}`);
    const added = '--workloads Off --webhook-config Watch --blocked-ranges 10.96.0.0/12';
    assert.deepEqual(container.args.slice(-6), added.split(' '));
  });

  for (const [what, flags, message] of [
    ['two steps of a roll-out at once', toFlags(['audit', 'warn']), /audit and warn are steps/u],
    ['its own namespace', ['--namespace', 'model-policy-system'], /keep the release in another namespace/u],
    ['values that it does not know', ['--set', 'replica=3'], /replica/u],
  ] as const)
    it(`refuses ${what}`, async () => {
      await assert.rejects(template(...flags), message);
    });

  it('installs, goes on to the next step, and leaves nothing behind', async () => {
    cluster = await startControlPlane();
    const { kubectl, kubeconfig } = cluster;
    const failurePolicy = async (): Promise<string> => {
      const path = '--output=jsonpath={.webhooks[0].failurePolicy}';
      const name = ['validatingwebhookconfiguration', 'model-policy-controller'];
      return (await kubectl(['get', ...name, path])).stdout;
    };
    await kubectl(['apply', '--filename', '-'], toDocuments(...FOREIGN_DEFINITIONS));
    await kubectl(['wait', '--for=condition=established', 'crd', '--all', '--timeout=30s']);
    const before = await listObjects(kubectl);
    await helm(['install', ...RELEASE, ...toFlags(['audit', 'cert-manager', 'monitoring'])], kubeconfig);
    assert.equal(await failurePolicy(), 'Ignore');
    await helm(['upgrade', ...RELEASE, ...toFlags(['cert-manager', 'monitoring'])], kubeconfig);
    assert.equal(await failurePolicy(), 'Fail');
    const uninstall = ['uninstall', 'model-policy-controller', '--namespace', 'default'];
    await helm([...uninstall, '--wait', '--timeout=60s'], kubeconfig);
    await kubectl(['wait', '--for=delete', 'namespace/model-policy-system', '--timeout=60s']);
    const left = (await listObjects(kubectl)).filter((name) => !before.includes(name));
    assert.deepEqual(left, []);
  });
});
