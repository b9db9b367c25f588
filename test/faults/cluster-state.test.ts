// What counts when the API server tells nothing, too late, or what somebody forged? Namespaces that cannot be read
// (fault 40), statuses that a tenant wrote (44), watches that end and definitions that are gone (56), policies of another
// version (64). The whole service on an API server in memory: an hour of outage is a clock that is put forward, replicas
// of one cluster are two services of this process.
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Service } from '../../src/cli/service.ts';
import type { PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { status } from '../kubernetes/fake-api.ts';
import {
  askService,
  OUR_API,
  readMetrics,
  readReadiness,
  startTestCluster,
  type TestCluster,
} from '../support/cluster-service.ts';
import { pushModel, pushSigned, teamPolicy, type Answer } from '../support/controller.ts';
import { MAX_NAMESPACE_LABELS } from '../../src/telemetry/metrics.ts';
import { sumOf } from '../support/expect.ts';
import { reviewOf, volumePod } from '../support/review.ts';
import { until } from '../support/until.ts';

const HOUR_MS = 3_600_000;
const POLICIES = `${OUR_API}/clustermodelpolicies`;
const NAMESPACES = '/api/v1/namespaces';

describe('what the API server says', () => {
  let registry: RegistryHandle;
  let cluster: TestCluster;
  let signed: PackedModel;
  let unsigned: PackedModel;

  beforeEach(async () => {
    registry = await startRegistry();
    [signed, unsigned] = [pushSigned(registry), pushModel(registry)];
    cluster = await startTestCluster();
    cluster.putNamespace('prod', { tier: 'prod' });
    cluster.put('clustermodelpolicies', 'team', prodPolicy());
  });
  afterEach(async () => {
    await cluster.stop();
    await registry.close();
  });

  const prodPolicy = (more: object = {}): object =>
    teamPolicy(registry, { namespaceSelector: { matchLabels: { tier: 'prod' } }, ...more });
  const start = (more: object = {}): Promise<Service> =>
    cluster.start({ 'plain-http': [registry.address], ...more });
  const startSynced = async (more?: object): Promise<Service> => {
    const service = await start(more);
    await service.synced;
    return service;
  };
  const ask = (service: Service, { reference }: PackedModel, namespace = 'prod'): Promise<Answer> =>
    askService(service, reviewOf(volumePod(reference), { namespace }));
  /** Asks, and holds decision, code, reason and metric to the expectation. */
  const expectDenied = async (
    service: Service,
    model: PackedModel,
    { code, reason, namespace = 'prod' }: { code: number; reason: string; namespace?: string },
  ): Promise<Answer> => {
    const count = async (): Promise<number> =>
      sumOf(await readMetrics(service), 'model_policy_decisions_total', { reason, action: 'Deny' });
    const before = await count();
    const answer = await ask(service, model, namespace);
    assert.deepEqual([answer.allowed, answer.code, answer.reasons], [false, code, [reason]], answer.message);
    assert.equal(await count(), before + 1);
    return answer;
  };
  const isAdmitted = async (service: Service, model: PackedModel): Promise<boolean> =>
    (await ask(service, model)).allowed;
  /** Answers requests of a path in another way. */
  const answerAt = (
    path: string,
    step: (request: IncomingMessage, response: ServerResponse) => void,
  ): void => {
    cluster.store.intercept = (request, response) => {
      if (new URL(request.url ?? '/', 'http://fake').pathname !== path) return false;
      step(request, response);
      return true;
    };
  };
  const refuse = (code: number, reason: string) => (request: IncomingMessage, response: ServerResponse) =>
    status(code, reason)(response, new URL('http://fake'), request);

  describe('about namespaces', () => {
    it('fault 40: denies everything, and is not ready, while namespaces cannot be listed', async () => {
      answerAt(NAMESPACES, refuse(500, 'InternalError'));
      const service = await start();
      await until('a list that failed', async () =>
        (await readMetrics(service)).includes('model_policy_watch_failures_total{collection="namespaces"'),
      );
      assert.equal((await readReadiness(service))[0], 503);
      for (const model of [signed, unsigned])
        await expectDenied(service, model, { code: 503, reason: 'PoliciesNotSynced' });
      const plain = await askService(service, reviewOf({ kind: 'Pod', metadata: {}, spec: {} }));
      assert.deepEqual(plain.reasons, ['PoliciesNotSynced']);
      cluster.store.intercept = () => false;
      await service.synced;
      assert.equal(await isAdmitted(service, signed), true);
    });

    for (const [what, step] of [
      ['fails', refuse(500, 'InternalError')],
      ['is refused', refuse(403, 'Forbidden')],
      ['finds none', refuse(404, 'NotFound')],
      ['is cut off', (_: IncomingMessage, response: ServerResponse) => void response.destroy()],
    ] as const)
      it(`fault 40: denies in a namespace that no watch told of and whose live read ${what}`, async () => {
        const service = await startSynced();
        answerAt(`${NAMESPACES}/new`, step);
        await expectDenied(service, signed, { code: 503, reason: 'PoliciesNotSynced', namespace: 'new' });
        assert.equal(await isAdmitted(service, signed), true);
      });
  });

  it('fault 60: gives no series to namespaces that are made up, and one to each that there is', async () => {
    const service = await startSynced();
    const askIn = (namespace: string): Promise<unknown> =>
      askService(service, reviewOf({ kind: 'Pod', metadata: {}, spec: {} }, { namespace }));
    for (let made = 0; made < MAX_NAMESPACE_LABELS; made += 20)
      await Promise.all(Array.from({ length: 20 }, (_, n) => askIn(`made-up-${made + n}`)));
    await ask(service, unsigned, 'prod');
    const metrics = await readMetrics(service);
    const name = 'model_policy_decisions_total';
    assert.doesNotMatch(metrics, /made-up/);
    assert.equal(sumOf(metrics, name, { namespace: '(unknown)' }), MAX_NAMESPACE_LABELS);
    assert.equal(sumOf(metrics, name, { namespace: 'prod', action: 'Deny' }), 1);
  });

  it('fault 60: counts policies that namespaces break apart from those of the cluster', async () => {
    cluster.put('modelpolicies', 'prod/broken', { authorities: [] });
    const service = await startSynced();
    const count = async (name: string): Promise<number> =>
      sumOf(await readMetrics(service), name, { state: 'invalid' });
    assert.equal(await count('model_policy_namespaced_policies'), 1);
    assert.equal(await count('model_policy_policies'), 0);
  });

  describe('about statuses', () => {
    const READY = { conditions: [{ type: 'Ready', status: 'True', reason: 'Ready' }] };
    const conditionOf = (path: string): string => {
      const { conditions = [] } = (cluster.store.get(path)?.['status'] ?? {}) as {
        conditions?: { type: string; status: string; reason: string }[];
      };
      const ready = conditions.find(({ type }) => type === 'Ready');
      return `${ready?.status} ${ready?.reason}`;
    };

    for (const [kind, path, put] of [
      [
        'of the cluster',
        `${POLICIES}/broken`,
        (spec: object) => cluster.put('clustermodelpolicies', 'broken', spec),
      ],
      [
        'of a namespace',
        `${OUR_API}/namespaces/prod/modelpolicies/broken`,
        (spec: object) => cluster.put('modelpolicies', 'prod/broken', spec),
      ],
    ] as const)
      it(`fault 44: a forged status of a policy ${kind} is restored, and passes nothing meanwhile`, async () => {
        put(teamPolicy(registry, { validations: [{ expression: '1 +' }] }));
        const service = await startSynced({ 'write-status': true });
        for (let forgery = 0; forgery < 3; forgery += 1) {
          await until('its status', () => conditionOf(path) === 'False PolicyInvalid');
          cluster.store.put(path, { ...cluster.store.get(path), status: READY });
          await expectDenied(service, signed, { code: 403, reason: 'PolicyInvalid' });
        }
        await until('its status', () => conditionOf(path) === 'False PolicyInvalid');
      });
  });

  describe('about policies', () => {
    it('fault 56: is not ready before policies were read, and admits nothing', async () => {
      const held: ServerResponse[] = [];
      answerAt(POLICIES, (_, response) => void held.push(response));
      const service = await start();
      await until('a list', () => held.length > 0);
      assert.deepEqual((await readReadiness(service))[0], 503);
      await expectDenied(service, signed, { code: 503, reason: 'PoliciesNotSynced' });
      cluster.store.intercept = () => false;
      for (const response of held) response.destroy();
      await service.synced;
      assert.equal((await readReadiness(service))[0], 200);
      assert.equal(await isAdmitted(service, signed), true);
    });

    it('fault 56: an hour without the API server leaves the last policies in force, and is told', async () => {
      const service = await startSynced();
      const age = async (): Promise<number> =>
        sumOf(await readMetrics(service), 'model_policy_watch_age_seconds', { collection: 'policies' });
      cluster.store.intercept = (_, response) => {
        response.destroy();
        return true;
      };
      cluster.store.cut();
      await until('failures', async () => {
        const labels = { collection: 'policies', kind: 'Unreachable' };
        return sumOf(await readMetrics(service), 'model_policy_watch_failures_total', labels) > 1;
      });
      const { now } = Date;
      Date.now = () => now.call(Date) + HOUR_MS;
      try {
        assert.ok((await age()) >= 3600);
        assert.equal((await readReadiness(service))[0], 200);
        assert.equal(await isAdmitted(service, signed), true);
        await expectDenied(service, unsigned, { code: 403, reason: 'SignatureMissing' });
      } finally {
        Date.now = now;
      }
      // What came meanwhile counts as soon as somebody answers.
      cluster.put(
        'clustermodelpolicies',
        'team',
        prodPolicy({ authorities: [{ name: 'a', static: { action: 'Fail' } }] }),
      );
      assert.equal(await isAdmitted(service, signed), true);
      cluster.store.intercept = () => false;
      await until('the new policy', async () => !(await isAdmitted(service, signed)));
      assert.ok((await age()) < 3600);
    });

    it('fault 56: a watch whose version is gone is followed by a list, which misses nothing', async () => {
      const service = await startSynced();
      answerAt(POLICIES, (request, response) => {
        cluster.store.intercept = () => false;
        assert.match(request.url ?? '', /watch/u);
        refuse(410, 'Expired')(request, response);
      });
      cluster.store.delete(`${POLICIES}/team`);
      cluster.put('clustermodelpolicies', 'other', prodPolicy());
      cluster.store.cut();
      await until(
        'the other policy',
        async () => (await ask(service, signed)).annotations['modelpolicy.dev/policies'] === 'other',
      );
      await expectDenied(service, unsigned, { code: 403, reason: 'SignatureMissing' });
    });

    it('fault 56: a definition that is removed takes its policies along, and admits nothing', async () => {
      const service = await startSynced();
      await until('a watch', () =>
        cluster.store.api.requests.some((url) => url.pathname === POLICIES && url.searchParams.has('watch')),
      );
      // As the API server does: its objects are deleted first, then nobody knows the kind.
      cluster.store.delete(`${POLICIES}/team`);
      answerAt(POLICIES, refuse(404, 'NotFound'));
      cluster.store.cut();
      await until('no policy', async () => (await ask(service, signed)).reasons.includes('NoMatchingPolicy'));
      for (const model of [signed, unsigned])
        await expectDenied(service, model, { code: 403, reason: 'NoMatchingPolicy' });
      assert.equal((await readReadiness(service))[0], 200);
      cluster.store.intercept = () => false;
      cluster.put('clustermodelpolicies', 'team', prodPolicy());
      await until('the policy', () => isAdmitted(service, signed));
    });

    it('fault 56: a definition that is only said to be gone takes nothing along', async () => {
      const service = await startSynced();
      answerAt(POLICIES, refuse(404, 'NotFound'));
      cluster.store.cut();
      await until('failures', async () => {
        const metrics = await readMetrics(service);
        return sumOf(metrics, 'model_policy_watch_failures_total', { collection: 'policies' }) > 1;
      });
      assert.equal(await isAdmitted(service, signed), true);
      await expectDenied(service, unsigned, { code: 403, reason: 'SignatureMissing' });
    });

    // No older version is there to run: what neither replica knows stands for what a newer one wrote.
    for (const [what, future] of [
      ['a field', { futureDemand: { level: 3 } }],
      ['a value', { validationActions: ['Deny', 'Page'] }],
      ['a kind of authority', { authorities: [{ name: 'a', quantum: { pem: 'x' } }] }],
    ] as const)
      it(`fault 64: replicas that do not know ${what} of a policy deny what it selects, and refuse to save it`, async () => {
        const replicas = [await startSynced(), await startSynced()];
        cluster.put('clustermodelpolicies', 'team', prodPolicy(future));
        for (const service of replicas) {
          await until('the newer policy', async () => !(await isAdmitted(service, signed)));
          await expectDenied(service, signed, { code: 403, reason: 'PolicyInvalid' });
          const object = {
            apiVersion: 'modelpolicy.dev/v1alpha1',
            kind: 'ClusterModelPolicy',
            metadata: { name: 'x' },
            spec: prodPolicy(future),
          };
          const kind = { group: 'modelpolicy.dev', version: 'v1alpha1', kind: 'ClusterModelPolicy' };
          const review = reviewOf(object, { kind, namespace: undefined, name: 'x' });
          const { allowed, message } = await askService(service, review, { path: '/validate-policy' });
          assert.equal(allowed, false);
          assert.match(message, /futureDemand|validationActions|quantum/u);
        }
        cluster.put('clustermodelpolicies', 'team', prodPolicy());
        for (const service of replicas) await until('the policy', () => isAdmitted(service, signed));
      });

    it('fault 64: replicas that see a policy at different times deny what either denies', async () => {
      const [early, late] = [await startSynced(), await startSynced()];
      const strict = prodPolicy({ authorities: [{ name: 'a', static: { action: 'Fail' } }] });
      // Beside the policy that all know: a policy more can only tighten.
      cluster.store.intercept = (request, response) => {
        if (!(request.url ?? '').startsWith(POLICIES)) return false;
        response.destroy();
        return true;
      };
      cluster.store.cut();
      cluster.put('clustermodelpolicies', 'newer', strict);
      for (const service of [early, late]) {
        assert.equal(await isAdmitted(service, signed), true);
        await expectDenied(service, unsigned, { code: 403, reason: 'SignatureMissing' });
      }
      cluster.store.intercept = () => false;
      for (const service of [early, late]) {
        await until('the newer policy', async () => !(await isAdmitted(service, signed)));
        await expectDenied(service, signed, { code: 403, reason: 'StaticDeny' });
      }
    });
  });
});
