// Does the service stop in order, and watch who may come in? The service in this process, without its command line.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { startService, type Service } from '../../src/cli/service.ts';
import { withDefaults } from '../../src/config.ts';
import { SERVE_OPTIONS } from '../../src/options.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createIdentity } from '../server/identity.ts';
import { pushSigned, teamPolicy } from '../support/controller.ts';
import { post } from '../support/https-client.ts';
import { podOf, reviewOf, volumePod } from '../support/review.ts';
import { createWorkspace, type Workspace } from './run.ts';

describe('startService()', () => {
  let workspace: Workspace;
  let registry: RegistryHandle;

  beforeEach(async () => {
    workspace = createWorkspace();
    registry = await startRegistry();
    workspace.write(
      'policy.yaml',
      stringify({
        apiVersion: 'modelpolicy.dev/v1alpha1',
        kind: 'ClusterModelPolicy',
        metadata: { name: 'team' },
        spec: JSON.parse(JSON.stringify(teamPolicy(registry))) as object,
      }),
    );
  });
  afterEach(async () => {
    await registry.close();
    workspace.remove();
  });

  const start = (more: object = {}): Promise<Service> =>
    startService(
      withDefaults(
        SERVE_OPTIONS,
        {
          policies: [join(workspace.path, 'policy.yaml')],
          'plain-http': [registry.address],
          listen: '127.0.0.1:0',
          'metrics-listen': '127.0.0.1:0',
          ...more,
        },
        {},
      ),
      createLogger('silent'),
    );
  const readiness = async (service: Service): Promise<readonly [number, string]> => {
    const response = await fetch(`http://${service.metricsAddress}/readyz`, {
      headers: { connection: 'close' },
    });
    return [response.status, await response.text()];
  };

  it('fails readiness first, finishes what is in flight, then lets go of everything', async () => {
    const service = await start();
    await service.synced;
    assert.equal(service.policyCount(), 1);
    assert.deepEqual(await readiness(service), [200, 'ok\n']);
    const { reference } = pushSigned(registry);
    registry.setFault(() => ({ delayMs: 300 }));
    const server = { address: service.address, ca: service.ca ?? '' };
    const answer = post(server, JSON.stringify(reviewOf(volumePod(reference))));
    while (registry.requests.length === 0) await sleep(5);
    const stopped = service.stop();
    assert.deepEqual(await readiness(service), [503, 'stopping\n']);
    assert.match((await answer).text, /"allowed":true/);
    await stopped;
    await assert.rejects(post(server, ''));
    await assert.rejects(readiness(service));
  });

  it('goes on answering for the drain delay, though it is not ready any more', async () => {
    const service = await start({ 'drain-delay': '1' });
    await service.synced;
    const { reference } = pushSigned(registry);
    const server = { address: service.address, ca: service.ca ?? '' };
    const stopped = service.stop();
    assert.deepEqual(await readiness(service), [503, 'stopping\n']);
    const { text } = await post(server, JSON.stringify(reviewOf(volumePod(reference))));
    assert.match(text, /"allowed":true/);
    await stopped;
    await assert.rejects(post(server, ''));
  });

  it('lets in only clients with a certificate where a client CA is given', async () => {
    const authority = createIdentity('clients');
    workspace.write('clients.pem', authority.ca);
    const service = await start({ 'client-ca': join(workspace.path, 'clients.pem') });
    try {
      const server = { address: service.address, ca: service.ca ?? '' };
      const body = JSON.stringify(reviewOf(volumePod(pushSigned(registry).reference)));
      await assert.rejects(post(server, body));
      await assert.rejects(post(server, body, { client: createIdentity('clients').issue('api-server') }));
      assert.match(
        (await post(server, body, { client: authority.issue('api-server') })).text,
        /"allowed":true/,
      );
      // Probes have no certificate.
      assert.deepEqual(await readiness(service), [200, 'ok\n']);
    } finally {
      await service.stop();
    }
  });

  it('knows the drivers and StorageClasses that it was told of', async () => {
    const volumes = [
      { name: 'a', csi: { driver: 'csi.models.example' } },
      { name: 'b', ephemeral: { volumeClaimTemplate: { spec: { storageClassName: 'models' } } } },
    ];
    const ask = async (more: object): Promise<string> => {
      const service = await start(more);
      try {
        await service.synced;
        const server = { address: service.address, ca: service.ca ?? '' };
        return (await post(server, JSON.stringify(reviewOf(podOf({ volumes }))))).text;
      } finally {
        await service.stop();
      }
    };
    assert.match(await ask({}), /"allowed":true/);
    assert.match(
      await ask({ 'model-csi-driver': ['csi.models.example'] }),
      /DynamicModelVolume: .*csi\.models/,
    );
    assert.match(await ask({ 'model-storage-class': ['models'] }), /DynamicModelVolume: .*StorageClass/);
  });

  it('frees the first port when it cannot have the second', async () => {
    const first = await start();
    const taken = first.address;
    await assert.rejects(
      start({ listen: taken, 'metrics-listen': '127.0.0.1:0' }),
      /taken by another process/,
    );
    await first.stop();
    const again = await start({ listen: taken, 'metrics-listen': first.metricsAddress });
    await again.stop();
  });
});
