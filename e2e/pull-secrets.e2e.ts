// Are models of a protected registry read with what their pods pull with, and with no more rights than deploy/ grants?
// The service runs as its own service account, under real RBAC.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import { attachBundle, type PackedModel, packModel } from '../src/demo/artifacts.ts';
import { generateSigningKey } from '../src/demo/keys.ts';
import { type RegistryHandle, startRegistry } from '../src/demo/registry.ts';
import { signBundleWithKey } from '../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../src/demo/statement.ts';
import { type ControlPlane, startControlPlane } from './support/control-plane.ts';
import type { KubectlResult } from './support/kubectl.ts';
import {
  BASE_DIRECTORY,
  CRD_DIRECTORY,
  keyPolicy,
  namespace,
  pod,
  toDocuments,
  webhookAt,
} from './support/manifests.ts';
import { waitFor } from './support/processes.ts';
import { type Service, startService } from './support/service.ts';

const EFFECT_BOUND_MS = 15_000;
const COMPONENT_DIRECTORY = join(BASE_DIRECTORY, '../components/pull-secrets');
const SYSTEM = ['--namespace', 'model-policy-system'];
const ACCOUNT = { username: 'reader', password: 'secret' };

interface KubeConfigFile {
  readonly users: { user: object }[];
}

describe('a cluster with pull secrets', () => {
  const key = generateSigningKey('p256');
  let cluster: ControlPlane | undefined;
  let registry: RegistryHandle | undefined;
  let service: Service | undefined;
  let model: PackedModel;

  const kubectl = async (args: readonly string[], stdin?: string): Promise<KubectlResult> => {
    assert.ok(cluster);
    return cluster.kubectl(args, stdin);
  };
  const succeed = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await kubectl(args, stdin);
    assert.equal(code, 0, stderr + stdout);
    return stdout;
  };
  /** Asks for a verdict without making the pod. */
  const ask = (inNamespace: string, ...secrets: readonly string[]): Promise<KubectlResult> => {
    const manifest = pod('question', inNamespace, model.reference) as { spec: object };
    const imagePullSecrets = secrets.map((name) => ({ name }));
    const asked = { ...manifest, spec: { ...manifest.spec, imagePullSecrets } };
    return kubectl(['apply', '--dry-run=server', '--filename', '-'], JSON.stringify(asked));
  };
  const isAllowedTo = async (verb: string, resource: string): Promise<boolean> => {
    const who = '--as=system:serviceaccount:model-policy-system:model-policy-controller';
    const { stdout } = await kubectl(['auth', 'can-i', verb, resource, '--namespace', 'team-a', who]);
    return stdout.trim() === 'yes';
  };

  before(async () => {
    cluster = await startControlPlane();
    registry = await startRegistry({ auth: ACCOUNT });
    model = packModel(registry, 'models/signed', { 'model.safetensors': 'x', 'config.json': '{}' });
    attachBundle(registry, model, signBundleWithKey(cosignSignStatement(model.digest), key));
    await succeed(['apply', '--filename', CRD_DIRECTORY]);
    await succeed(['wait', '--for=condition=established', 'crd', '--all', '--timeout=30s']);
    for (const file of ['namespace.yaml', 'serviceaccount.yaml', 'rbac.yaml'])
      await succeed([
        'apply',
        '--filename',
        join(BASE_DIRECTORY, file),
        ...(file === 'serviceaccount.yaml' ? SYSTEM : []),
      ]);
    const policy = keyPolicy('prod-models', registry.address, key.publicKeyPem.toString());
    const tenants = ['team-a', 'team-b'].map((name) => namespace(name, { tier: 'prod' }));
    for (const manifest of [...tenants, policy])
      await succeed(['apply', '--filename', '-'], toDocuments(manifest));
    for (const name of ['team-a', 'team-b']) {
      const account = ['get', 'serviceaccount', 'default', '--namespace', name];
      await waitFor('a service account', async () => (await kubectl(account)).code === 0, {
        boundMs: EFFECT_BOUND_MS,
      });
    }
    await succeed([
      'create',
      'secret',
      'docker-registry',
      'regcred',
      '--namespace=team-a',
      `--docker-server=${registry.address}`,
      `--docker-username=${ACCOUNT.username}`,
      `--docker-password=${ACCOUNT.password}`,
    ]);
    const token = (await succeed(['create', 'token', 'model-policy-controller', ...SYSTEM])).trim();
    const config = parse(readFileSync(cluster.kubeconfig, 'utf8')) as KubeConfigFile;
    for (const user of config.users) user.user = { token };
    const kubeconfig = join(cluster.directory, 'controller.kubeconfig');
    writeFileSync(kubeconfig, stringify(config), { mode: 0o600 });
    service = await startService({
      kubeconfig,
      directory: cluster.directory,
      plainHttp: [registry.address],
      args: ['--pull-secrets', 'Pod'],
    });
    await succeed(['apply', '--filename', '-'], JSON.stringify(webhookAt(service.url, service.ca)));
    await waitFor('the webhook in force', async () => (await ask('team-a')).code === 1, {
      boundMs: EFFECT_BOUND_MS,
    });
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed' && service) console.error(service.log().slice(-4000));
  });

  after(async () => {
    await service?.stop();
    await cluster?.stop();
    await registry?.close();
  });

  it('denies with the rights of deploy/base, and says which Secret may not be read', async () => {
    assert.equal(await isAllowedTo('get', 'secrets'), false);
    const { stderr } = await ask('team-a', 'regcred');
    assert.match(stderr, /RegistryUnauthorized.*pull secret team-a\/regcred may not be read/u);
  });

  it('admits with the rights of deploy/components/pull-secrets, which list nothing', async () => {
    await succeed(['apply', '--filename', join(COMPONENT_DIRECTORY, 'rbac.yaml')]);
    const isAdmitted = async (): Promise<boolean> => (await ask('team-a', 'regcred')).code === 0;
    await waitFor('the rights to count', isAdmitted, { boundMs: EFFECT_BOUND_MS });
    assert.equal(await isAllowedTo('get', 'secrets'), true);
    for (const verb of ['list', 'watch', 'update', 'create', 'delete'])
      assert.equal(await isAllowedTo(verb, 'secrets'), false, verb);
  });

  it('denies another namespace the model that this one may read', async () => {
    const { stderr } = await ask('team-b', 'regcred');
    assert.match(stderr, /RegistryUnauthorized.*pull secret team-b\/regcred does not exist/u);
  });

  it('admits with the Secrets of the service account', async () => {
    const patch = JSON.stringify({ imagePullSecrets: [{ name: 'regcred' }] });
    await succeed(['patch', 'serviceaccount', 'default', '--namespace', 'team-a', '--patch', patch]);
    await waitFor('the service account to count', async () => (await ask('team-a')).code === 0, {
      boundMs: EFFECT_BOUND_MS,
    });
    assert.equal((await ask('team-b')).code, 1);
  });

  it('accepts the overlay that the component describes', async () => {
    const overlay = join(cluster?.directory ?? '', 'overlay');
    mkdirSync(overlay);
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [relative(overlay, BASE_DIRECTORY)],
      components: [relative(overlay, COMPONENT_DIRECTORY)],
    };
    writeFileSync(join(overlay, 'kustomization.yaml'), stringify(kustomization));
    const built = await succeed(['kustomize', overlay]);
    assert.match(built, /- --pull-secrets\n\s+- Pod\n/u);
    const result = await succeed(
      ['apply', '--dry-run=server', '--validate=strict', '--filename', '-'],
      built,
    );
    assert.ok(result.includes('clusterrole.rbac.authorization.k8s.io/model-policy-pull-secrets'), result);
  });
});
