// Do helpers and clouds see of the environment what they need, and nothing that is ours?
import assert from 'node:assert/strict';
import { createCloudSources, toHelperEnvironment } from '../../src/cli/cloud-access.ts';

describe('toHelperEnvironment()', () => {
  it('leaves out everything but paths, proxies and the names of clouds', () => {
    const kept = {
      PATH: '/bin',
      HOME: '/root',
      TMPDIR: '/tmp',
      AWS_REGION: 'eu-central-1',
      AZURE_CLIENT_ID: 'x',
      GOOGLE_APPLICATION_CREDENTIALS: '/key',
      CLOUDSDK_CONFIG: '/config',
      HTTPS_PROXY: 'http://proxy',
      NO_PROXY: 'x',
    };
    const dropped = {
      MODEL_POLICY_KUBECONFIG: '/kube',
      NODE_OPTIONS: '--require x',
      LD_PRELOAD: 'x',
      KUBERNETES_SERVICE_HOST: 'x',
      XAWS_REGION: 'x',
      AWS_: 'x',
      SECRET: 'x',
      GONE: undefined,
    };
    assert.deepEqual(toHelperEnvironment({ ...dropped, ...kept }), kept);
  });
});

describe('createCloudSources()', () => {
  it('makes one source for each cloud that is named, and none unasked', () => {
    assert.equal(createCloudSources([]).length, 0);
    assert.equal(createCloudSources(['ECR', 'GAR', 'ACR', 'GAR']).length, 3);
  });
});
