// Does the service read pull secrets when it is told to, and only then? Standalone, with Secrets beside the policies.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startService, type Service } from '../../src/cli/service.ts';
import { withDefaults } from '../../src/config.ts';
import { SERVE_OPTIONS } from '../../src/options.ts';
import { attachBundle } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { pushModel, pushSigned, TEAM_KEY, teamPolicy } from '../support/controller.ts';
import { post } from '../support/https-client.ts';
import { podOf, reviewOf, toVolumes } from '../support/review.ts';
import { createWorkspace, type Workspace } from './run.ts';

const ACCOUNT = { username: 'reader', password: 'secret' };

describe('startService() with --pull-secrets', () => {
  let workspace: Workspace;
  let registry: RegistryHandle;
  let service: Service | undefined;

  beforeEach(async () => {
    workspace = createWorkspace();
    registry = await startRegistry({ auth: ACCOUNT });
    const spec = JSON.parse(JSON.stringify(teamPolicy(registry))) as object;
    const policy = { apiVersion: 'modelpolicy.dev/v1alpha1', kind: 'ClusterModelPolicy' };
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'regcred', namespace: 'team-a' },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': JSON.stringify({ auths: { [registry.address]: ACCOUNT } }) },
    };
    workspace.write('policy.yaml', stringify({ ...policy, metadata: { name: 'team' }, spec }));
    workspace.write('secret.yaml', stringify(secret));
  });
  afterEach(async () => {
    await service?.stop();
    await registry.close();
    workspace.remove();
  });

  const start = async (more: object = {}): Promise<void> => {
    const values = {
      policies: [join(workspace.path, 'policy.yaml'), join(workspace.path, 'secret.yaml')],
      'plain-http': [registry.address],
      listen: '127.0.0.1:0',
      'metrics-listen': '127.0.0.1:0',
      ...more,
    };
    service = await startService(withDefaults(SERVE_OPTIONS, values, {}), createLogger('silent'));
    await service.synced;
  };
  const isAllowed = async (namespace: string, reference: string): Promise<boolean> => {
    const pod = podOf({ volumes: toVolumes([reference]), imagePullSecrets: [{ name: 'regcred' }] });
    const server = { address: service?.address ?? '', ca: service?.ca ?? '' };
    const { text } = await post(server, JSON.stringify(reviewOf(pod, { namespace })));
    return (JSON.parse(text) as { response: { allowed: boolean } }).response.allowed;
  };

  it('reads with the Secrets that the pod names in its namespace', async () => {
    const { reference } = pushSigned(registry);
    await start({ 'pull-secrets': 'Pod' });
    assert.equal(await isAllowed('team-a', reference), true);
    assert.equal(await isAllowed('team-b', reference), false);
  });

  it('reads none by default', async () => {
    const { reference } = pushSigned(registry);
    await start();
    assert.equal(await isAllowed('team-a', reference), false);
  });

  for (const [namespace, expected] of [
    ['model-policy-system', true],
    ['team-a', false],
  ] as const)
    it(`${expected ? 'reads' : 'does not read'} a signature repository with a Secret of ${namespace}`, async () => {
      const { reference } = pushSigned(registry);
      const open = await startRegistry();
      const model = pushModel(open);
      const bundle = signBundleWithKey(cosignSignStatement(model.digest), TEAM_KEY);
      attachBundle(registry, { ...model, repository: 'curated' }, bundle);
      const signatureRepository = {
        repository: `${registry.address}/curated`,
        pullSecrets: [{ name: 'regcred' }],
      };
      const authorities = [{ name: 'curators', key: { pem: TEAM_KEY.publicKeyPem }, signatureRepository }];
      const glob = (address: string): object => ({ glob: `${address}/**` });
      const spec = { models: [glob(open.address), glob(registry.address)], authorities };
      const policy = { apiVersion: 'modelpolicy.dev/v1alpha1', kind: 'ClusterModelPolicy' };
      workspace.write('policy.yaml', stringify({ ...policy, metadata: { name: 'curated' }, spec }));
      const config = JSON.stringify({ auths: { [registry.address]: ACCOUNT } });
      const data = { '.dockerconfigjson': Buffer.from(config).toString('base64') };
      const type = 'kubernetes.io/dockerconfigjson';
      const metadata = { name: 'regcred', namespace };
      workspace.write('secret.yaml', stringify({ apiVersion: 'v1', kind: 'Secret', metadata, type, data }));
      try {
        await start({ 'plain-http': [registry.address, open.address] });
        assert.equal(await isAllowed('team-a', model.reference), expected);
        assert.equal(await isAllowed('team-a', reference), false);
      } finally {
        await open.close();
      }
    });
});
