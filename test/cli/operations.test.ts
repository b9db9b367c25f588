// Does the service write what a leader has to, only when it leads, and without any of it in the way of its answers?
import assert from 'node:assert/strict';
import { toCaBundles, toWebhooks } from '../../src/admission/registration.ts';
import { UsageError } from '../../src/cli/arguments.ts';
import { withDefaults } from '../../src/config.ts';
import { startService, type Service } from '../../src/cli/service.ts';
import { toArray, toRecord, toText } from '../../src/lib/text.ts';
import { SERVE_OPTIONS } from '../../src/options.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { type FakeStore, startFakeStore } from '../kubernetes/fake-store.ts';
import { post } from '../support/https-client.ts';
import { podOf, reviewOf } from '../support/review.ts';
import { until } from '../support/until.ts';

const OURS = '/apis/modelpolicy.dev/v1alpha1';
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/own/leases/model-policy-controller';
const EVENTS = '/apis/events.k8s.io/v1/namespaces/default/events';

describe('startOperations()', () => {
  let store: FakeStore;
  let services: Service[] = [];
  let generation = 0;

  const start = async (more: object = {}): Promise<Service> => {
    const service = await startService(
      withDefaults(
        SERVE_OPTIONS,
        {
          kubeconfig: store.api.kubeconfig,
          'controller-namespace': 'own',
          listen: '127.0.0.1:0',
          'metrics-listen': '127.0.0.1:0',
          'write-status': true,
          ...more,
        },
        {},
      ),
      createLogger('silent'),
    );
    services.push(service);
    return service;
  };
  const put = (resource: string, name: string, spec: object): void =>
    void store.put(`${OURS}/${resource}/${name}`, {
      apiVersion: 'modelpolicy.dev/v1alpha1',
      kind: resource,
      metadata: { name, generation: (generation += 1) },
      spec,
    });
  const conditionsOf = (resource: string, name: string): readonly string[] => {
    const status = store.get(`${OURS}/${resource}/${name}`)?.['status'] as
      { conditions: { type: string; status: string; reason: string }[] } | undefined;
    return (status?.conditions ?? []).map(({ type, status: value, reason }) => `${type} ${value} ${reason}`);
  };
  const metricOf = async (service: Service, line: string): Promise<boolean> => {
    const response = await fetch(`http://${service.metricsAddress}/metrics`, {
      headers: { connection: 'close' },
    });
    return (await response.text()).split('\n').includes(line);
  };
  const statics = (action: string): object => ({ authorities: [{ name: 'all', static: { action } }] });

  beforeEach(async () => {
    store = await startFakeStore();
    store.put('/api/v1/namespaces/default', { kind: 'Namespace', metadata: { name: 'default' } });
    put('clustermodelpolicies', 'good', statics('Pass'));
    put('clustermodelpolicies', 'bad', { ...statics('Pass'), validations: [{ expression: '1 +' }] });
    put('trustroots', 'broken', { trustedRoot: { json: '{}' } });
    put('modelpolicyexceptions', 'over', {
      policies: ['bad'],
      namespaces: ['a'],
      models: [`r.test/m@sha256:${'0'.repeat(64)}`],
      reason: 'r',
      requestedBy: 'me',
      expiresAt: '2020-01-01T00:00:00Z',
    });
  });
  afterEach(async () => {
    store.intercept = () => false;
    await Promise.all(services.map((service) => service.stop()));
    services = [];
    await store.api.stop();
  });

  it('writes the conditions of everything, and events about what does not work', async () => {
    const service = await start();
    await until('conditions', () => conditionsOf('modelpolicyexceptions', 'over').length > 0);
    assert.equal(conditionsOf('clustermodelpolicies', 'good')[0], 'Ready True Ready');
    assert.deepEqual(conditionsOf('clustermodelpolicies', 'bad').slice(0, 2), [
      'Ready False PolicyInvalid',
      'Compiled False PolicyInvalid',
    ]);
    assert.deepEqual(conditionsOf('trustroots', 'broken'), ['Ready False TrustRootUnavailable']);
    assert.deepEqual(conditionsOf('modelpolicyexceptions', 'over'), ['Active False Expired']);
    await until('events', () => store.writes.filter(({ path }) => path === EVENTS).length === 3);
    assert.equal(await metricOf(service, 'model_policy_leader 1'), true);
    assert.equal(
      await metricOf(service, 'model_policy_writes_total{what="status",result="written"} 4'),
      true,
    );
  });

  it('follows a change, and restores what somebody else wrote', async () => {
    await start();
    await until('conditions', () => conditionsOf('clustermodelpolicies', 'bad').length > 0);
    put('clustermodelpolicies', 'bad', statics('Pass'));
    await until('a change', () => conditionsOf('clustermodelpolicies', 'bad')[0] === 'Ready True Ready');
    const path = `${OURS}/clustermodelpolicies/good`;
    await until('conditions', () => conditionsOf('clustermodelpolicies', 'good').length > 0);
    store.put(path, { ...store.get(path), status: { forged: true } });
    await until('the status again', () => conditionsOf('clustermodelpolicies', 'good').length === 4);
    assert.equal(JSON.stringify(store.get(path)).includes('forged'), false);
  });

  it('leaves writing to the one that leads, until that one stops', async () => {
    const one = await start();
    await until('a leader', () => metricOf(one, 'model_policy_leader 1'));
    const two = await start();
    await two.synced;
    assert.equal(await metricOf(two, 'model_policy_leader 0'), true);
    const holder = (): unknown => toRecord(store.get(LEASE)?.['spec'])['holderIdentity'];
    const first = holder();
    await one.stop();
    await until('another leader', () => metricOf(two, 'model_policy_leader 1'));
    assert.notEqual(holder(), first);
  });

  it('answers at once while nothing can be written', async () => {
    store.intercept = (request) => request.method !== 'GET';
    const service = await start();
    await service.synced;
    await until('a write that hangs', () =>
      store.api.requests.some(({ pathname }) => pathname.endsWith('/leases')),
    );
    const server = { address: service.address, ca: service.ca ?? '' };
    const { text } = await post(server, JSON.stringify(reviewOf(podOf({ containers: [] }))));
    assert.match(text, /"allowed":true/);
  });

  it('writes nothing unless it was asked to', async () => {
    const service = await start({ 'write-status': undefined });
    await service.synced;
    await new Promise((resolve) => void setTimeout(resolve, 50));
    assert.deepEqual(store.writes, []);
    assert.equal(
      store.api.requests.some(({ pathname }) => pathname.includes('/leases')),
      false,
    );
  });

  it('tells how old each watch is, and how often one failed', async () => {
    const service = await start();
    await service.synced;
    const text = await (
      await fetch(`http://${service.metricsAddress}/metrics`, { headers: { connection: 'close' } })
    ).text();
    const ages = text.matchAll(/^model_policy_watch_age_seconds\{collection="(\w+)"\} [\d.e-]+$/gm);
    assert.deepEqual(
      [...ages].map(([, collection]) => collection),
      ['policies', 'modelPolicies', 'trustRoots', 'exceptions', 'namespaces', 'secrets', 'configMaps'],
    );
    store.intercept = (request, response) => {
      if (!(request.url ?? '').startsWith(`${OURS}/trustroots`)) return false;
      response.destroy();
      return true;
    };
    store.cut();
    await until('failures', async () =>
      /model_policy_watch_failures_total\{collection="trustRoots",kind="Unreachable"\} [1-9]/.test(
        await (
          await fetch(`http://${service.metricsAddress}/metrics`, { headers: { connection: 'close' } })
        ).text(),
      ),
    );
  });
});

describe('managed certificates', () => {
  const SECRET = '/api/v1/namespaces/own/secrets/model-policy-serving';
  const REGISTRATION =
    '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/model-policy-controller';
  let store: FakeStore;
  let services: Service[] = [];

  const start = async (): Promise<Service> => {
    const service = await startService(
      withDefaults(
        SERVE_OPTIONS,
        {
          kubeconfig: store.api.kubeconfig,
          'controller-namespace': 'own',
          listen: '127.0.0.1:0',
          'metrics-listen': '127.0.0.1:0',
          'self-managed-certs': true,
          'webhook-config': 'Manage',
        },
        {},
      ),
      createLogger('silent'),
    );
    services.push(service);
    return service;
  };
  const readiness = async (service: Service): Promise<string> => {
    const answer = await fetch(`http://${service.metricsAddress}/readyz`, {
      headers: { connection: 'close' },
    });
    return answer.text();
  };
  const dataOf = (name: string): string =>
    Buffer.from(toText(toRecord(store.get(SECRET)?.['data'])[name]) ?? '', 'base64').toString();
  const register = (failurePolicy = 'Fail'): void =>
    void store.put(REGISTRATION, {
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'model-policy-controller' },
      webhooks: toWebhooks('own').map((webhook, index) =>
        index === 0 ? { ...webhook, failurePolicy } : webhook,
      ),
    });
  const bundles = (): readonly string[] => toCaBundles(store.get(REGISTRATION));
  const serves = async (service: Service, ca: string): Promise<boolean> => {
    try {
      return (await post({ address: service.address, ca }, '')).status === 400;
    } catch {
      return false;
    }
  };

  beforeEach(async () => {
    store = await startFakeStore();
  });
  afterEach(async () => {
    await Promise.all(services.map((service) => service.stop()));
    services = [];
    await store.api.stop();
  });

  it('are made by the leader, served by every replica, and believed by the registration', async () => {
    register();
    const [one, two] = [await start(), await start()];
    for (const service of [one, two])
      await until('readiness', async () => (await readiness(service)) === 'ok\n');
    const ca = dataOf('ca.crt');
    for (const service of [one, two]) assert.equal(await serves(service, ca), true);
    await until('a CA in the registration', () => bundles().every((bundle) => bundle === ca));
    const text = await (
      await fetch(`http://${one.metricsAddress}/metrics`, { headers: { connection: 'close' } })
    ).text();
    assert.match(text, /model_policy_certificate_expiry_timestamp_seconds\{certificate="serving"\} \d/);
    assert.match(text, /model_policy_certificate_expiry_timestamp_seconds\{certificate="ca"\} \d/);
    assert.equal(store.writes.filter(({ path }) => path.endsWith('/secrets')).length, 1);
  });

  it('go on being served when their Secret is deleted or spoilt, which is made again with an overlap', async () => {
    register();
    const service = await start();
    await until(
      'a CA in the registration',
      () => bundles().every((bundle) => bundle !== '') && bundles().length > 0,
    );
    await until('readiness', async () => (await readiness(service)) === 'ok\n');
    const [cert, ca] = [dataOf('tls.crt'), dataOf('ca.crt')];
    store.delete(SECRET);
    await until('the Secret', () => store.get(SECRET) !== undefined);
    assert.equal(dataOf('tls.crt'), cert);
    assert.ok(dataOf('ca.crt').endsWith(ca) && dataOf('ca.crt') !== ca);
    await until('both CAs in the registration', () =>
      bundles().every((bundle) => bundle === dataOf('ca.crt')),
    );
    assert.equal(await serves(service, ca), true);
    const spoilt = { ...store.get(SECRET), data: { 'tls.crt': 'AAAA' } };
    store.put(SECRET, spoilt);
    await until('the Secret again', () => dataOf('tls.crt') === cert);
    assert.equal(await serves(service, ca), true);
    assert.equal(await readiness(service), 'ok\n');
  });

  it('leave a registration alone that is gone, count what is changed, and put it back', async () => {
    const service = await start();
    const metrics = async (): Promise<string> =>
      (await fetch(`http://${service.metricsAddress}/metrics`, { headers: { connection: 'close' } })).text();
    await until('a count', async () =>
      (await metrics()).includes('model_policy_webhook_drift_total{field="object"} 1'),
    );
    assert.equal(store.get(REGISTRATION), undefined);
    register('Ignore');
    const policyOf = (): unknown =>
      toRecord(toArray(store.get(REGISTRATION)?.['webhooks'])[0])['failurePolicy'];
    await until('the policy', () => policyOf() === 'Fail');
    const text = await metrics();
    for (const field of ['failurePolicy', 'caBundle'])
      assert.ok(text.includes(`model_policy_webhook_drift_total{field="${field}"} 1`), text);
    await until('order', async () => (await metrics()).includes('model_policy_webhook_in_order 1'));
  });

  it('need a cluster, and no other certificate', async () => {
    const refused = (values: object): Promise<unknown> =>
      assert.rejects(
        startService(
          withDefaults(
            SERVE_OPTIONS,
            { listen: '127.0.0.1:0', 'metrics-listen': '127.0.0.1:0', ...values },
            {},
          ),
          createLogger('silent'),
        ),
        UsageError,
      );
    const files = { policies: ['policies/quickstart'] };
    await refused({ ...files, 'self-managed-certs': true });
    await refused({ ...files, 'webhook-config': 'Watch' });
    await refused({ ...files, 'write-status': true });
    await refused({
      kubeconfig: store.api.kubeconfig,
      'self-managed-certs': true,
      'tls-cert': 'a',
      'tls-key': 'b',
    });
  });
});
