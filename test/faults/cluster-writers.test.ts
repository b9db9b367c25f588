// What does the replica that writes do when others write as well, or nothing can be written? Leaders that lose their lease
// and two writers of the registration (fault 58), a registration that drifts (59) or is deleted (63), statuses and events
// that nobody takes (61). Replicas are services of this process on one API server in memory; a leader on another machine
// is a lease in a stranger's name. Real processes and a real API server are in e2e/outage.e2e.ts and e2e/operations.e2e.ts.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { toWebhooks } from '../../src/admission/registration.ts';
import type { Service } from '../../src/cli/service.ts';
import { toArray, toRecord } from '../../src/lib/text.ts';
import { status } from '../kubernetes/fake-api.ts';
import {
  askService,
  OUR_API,
  OWN_NAMESPACE,
  readMetrics,
  readReadiness,
  startTestCluster,
  type TestCluster,
} from '../support/cluster-service.ts';
import { sumOf } from '../support/expect.ts';
import { podOf, reviewOf } from '../support/review.ts';
import { until } from '../support/until.ts';

const REGISTRATION =
  '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/model-policy-controller';
const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${OWN_NAMESPACE}/leases/model-policy-controller`;
const DRIFT = 'model_policy_webhook_drift_total';

describe('a replica that writes', () => {
  let cluster: TestCluster;
  let services: Service[];

  beforeEach(async () => {
    services = [];
    cluster = await startTestCluster();
    cluster.putNamespace('default');
  });
  afterEach(async () => cluster.stop());

  const start = async (more: object): Promise<Service> => {
    const service = await cluster.start(more);
    services.push(service);
    await service.synced;
    return service;
  };
  const register = (change: object = {}): void => {
    const webhooks = toWebhooks(OWN_NAMESPACE).map((webhook, index) =>
      index === 0 ? { ...webhook, ...change } : webhook,
    );
    cluster.store.put(REGISTRATION, {
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'model-policy-controller' },
      webhooks,
    });
  };
  const registered = (): Record<string, unknown> =>
    toRecord(toArray(cluster.store.get(REGISTRATION)?.['webhooks'])[0]);
  const isInOrder = (): boolean =>
    registered()['failurePolicy'] === 'Fail' && registered()['timeoutSeconds'] === 10;
  const gauge = async (service: Service, name: string): Promise<number> =>
    sumOf(await readMetrics(service), name);
  const drifts = async (service: Service, field: string): Promise<number> =>
    sumOf(await readMetrics(service), DRIFT, { field });
  const isLeading = async (service: Service): Promise<boolean> =>
    (await gauge(service, 'model_policy_leader')) === 1;
  const findLeader = async (): Promise<Service | undefined> => {
    const leading = await Promise.all(services.map(isLeading));
    assert.ok(leading.filter(Boolean).length <= 1, 'two lead');
    return services[leading.indexOf(true)];
  };
  const isAnswered = async (service: Service): Promise<boolean> =>
    (await askService(service, reviewOf(podOf({})))).allowed;
  const holdLease = (holderIdentity: string): void => {
    const lease = cluster.store.get(LEASE) ?? { metadata: { name: 'model-policy-controller' } };
    cluster.store.put(LEASE, { ...lease, spec: { ...toRecord(lease['spec']), holderIdentity } });
  };
  const registrationWrites = (): number =>
    cluster.store.writes.filter(({ path, method }) => path === REGISTRATION && method === 'PATCH').length;

  it('fault 58: a leader that loses its lease writes no more, and the next one puts right what came between', async () => {
    register();
    const options = { 'webhook-config': 'Manage' };
    const first = await start(options);
    await until('a leader', async () => (await findLeader()) === first);
    await start(options);
    holdLease('somebody-else');
    await until('no leader', async () => (await findLeader()) === undefined);
    const before = registrationWrites();
    register({ failurePolicy: 'Ignore' });
    for (const service of services) assert.equal(await isAnswered(service), true);
    assert.equal(registrationWrites(), before);
    assert.equal(registered()['failurePolicy'], 'Ignore');
    cluster.store.delete(LEASE);
    await until('the registration', isInOrder);
    assert.ok((await findLeader()) !== undefined);
  });

  it('fault 58: of two writers at the same moment one looks again, and both end at the same', async () => {
    register();
    const service = await start({ 'webhook-config': 'Manage' });
    await until('order', async () => (await gauge(service, 'model_policy_webhook_in_order')) === 1);
    let races = 0;
    // Between the leader's look and its write another one writes: its version is not the newest any more.
    cluster.store.intercept = ({ method, url }) => {
      if (method === 'PATCH' && url?.startsWith(REGISTRATION) && races < 3) {
        races += 1;
        register({ timeoutSeconds: races });
      }
      return false;
    };
    register({ failurePolicy: 'Ignore' });
    await until('the registration', async () => isInOrder() && races === 3);
    const conflicts = sumOf(await readMetrics(service), 'model_policy_writes_total', {
      what: 'webhook',
      result: 'conflict',
    });
    assert.equal(conflicts, 3);
    await until('order', async () => (await gauge(service, 'model_policy_webhook_in_order')) === 1);
  });

  it('fault 58: who writes against the leader again and again is counted each time, and loses', async () => {
    register();
    const service = await start({ 'webhook-config': 'Manage' });
    for (let round = 1; round <= 5; round += 1) {
      register({ failurePolicy: 'Ignore' });
      await until('the registration', isInOrder);
      assert.equal(await drifts(service, 'failurePolicy'), round);
    }
  });

  const changes = {
    failurePolicy: 'Ignore',
    timeoutSeconds: 1,
    matchConditions: [{ name: 'never', expression: 'false' }],
    namespaceSelector: { matchLabels: { nobody: 'here' } },
    objectSelector: { matchLabels: { nobody: 'here' } },
    rules: [],
  };
  for (const [field, value] of Object.entries(changes))
    it(`fault 59: ${field} of the registration is told and left by Watch, told and put back by Manage`, async () => {
      register({ [field]: value });
      const watching = await start({ 'webhook-config': 'Watch' });
      await until('a count', async () => (await drifts(watching, field)) === 1);
      assert.equal(await gauge(watching, 'model_policy_webhook_in_order'), 0);
      assert.deepEqual(registered()[field], value);
      await watching.stop();
      services = [];
      const managing = await start({ 'webhook-config': 'Manage' });
      await until('order', async () => (await gauge(managing, 'model_policy_webhook_in_order')) === 1);
      assert.equal(await drifts(managing, field), 1);
      assert.notDeepEqual(registered()[field], value);
    });

  it('fault 59: the registration is put back though the Secret of the certificates cannot be written', async () => {
    let refused = 0;
    cluster.store.intercept = ({ method, url = '' }, response) => {
      if (method === 'GET' || !url.includes('/secrets')) return false;
      refused += 1;
      status(422, 'Invalid')(response, new URL('http://x'), undefined as never);
      return true;
    };
    register({ failurePolicy: 'Ignore' });
    // Nobody waits for it to be ready: without a Secret it never is.
    await cluster.start({ 'webhook-config': 'Manage', 'self-managed-certs': true });
    await until('the registration', isInOrder);
    assert.ok(refused > 0);
  });

  it('fault 63: a registration that is deleted is told, stays deleted, and is taken up when it is back', async () => {
    register();
    const service = await start({ 'webhook-config': 'Manage' });
    await until('order', async () => (await gauge(service, 'model_policy_webhook_in_order')) === 1);
    cluster.store.delete(REGISTRATION);
    await until('a count', async () => (await drifts(service, 'object')) === 1);
    assert.equal(await gauge(service, 'model_policy_webhook_in_order'), 0);
    assert.equal(cluster.store.get(REGISTRATION), undefined);
    register({ failurePolicy: 'Ignore' });
    await until('the registration', isInOrder);
  });

  it('fault 63: a replica that stops leaves the registration as it is, which fails closed', async () => {
    register();
    const service = await start({ 'webhook-config': 'Manage' });
    await until('order', async () => (await gauge(service, 'model_policy_webhook_in_order')) === 1);
    const before = structuredClone(cluster.store.get(REGISTRATION));
    await service.stop();
    assert.deepEqual(cluster.store.get(REGISTRATION), before);
    assert.equal(isInOrder(), true);
  });

  for (const [what, answer] of [
    [
      'are refused',
      (response: ServerResponse) =>
        status(500, 'InternalError')(response, new URL('http://x'), undefined as never),
    ],
    ['are cut off', (response: ServerResponse) => void response.destroy()],
    [
      'are answered late',
      (response: ServerResponse) => void setTimeout(() => response.destroy(), 1000).unref(),
    ],
    ['are never answered', () => undefined],
  ] as const)
    it(`fault 61: answers, and stays ready, while statuses and events ${what}`, async () => {
      cluster.put('clustermodelpolicies', 'broken', { authorities: [] });
      let writes = 0;
      let answered = 0;
      cluster.store.intercept = ({ method, url = '' }, response) => {
        if (method === 'GET' || url.includes('/leases')) return false;
        writes += 1;
        response.once('close', () => (answered += 1));
        answer(response);
        return true;
      };
      const service = await start({ 'write-status': true });
      await until('a write', () => writes > 0);
      for (let count = 0; count < 50; count += 1) assert.equal(await isAnswered(service), true);
      assert.equal((await readReadiness(service))[0], 200);
      // Fifty decisions did not wait for a write that nobody answers.
      if (what === 'are never answered') assert.equal(answered, 0);
      else
        await until('a count', async () => {
          const failed = { what: 'status', result: 'failed' };
          return sumOf(await readMetrics(service), 'model_policy_writes_total', failed) > 0;
        });
      assert.equal(
        toRecord(cluster.store.get(`${OUR_API}/clustermodelpolicies/broken`))['status'],
        undefined,
      );
    });
});
