// Does the store follow what matters in the cluster, and only that?
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { Registry } from 'prom-client';
import {
  NAMESPACE_INTERVAL_MS,
  NAMESPACE_READS_AT_ONCE,
  startClusterSource,
  type ClusterSourceHandle,
} from '../../src/cli/cluster-source.ts';
import type { PolicyInputs } from '../../src/policy/store.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { type FakeStore, startFakeStore } from '../kubernetes/fake-store.ts';
import { until } from '../support/until.ts';

const POLICY = '/apis/modelpolicy.dev/v1alpha1/clustermodelpolicies/one';

describe('startClusterSource()', () => {
  let store: FakeStore;
  let source: ClusterSourceHandle;
  let updates: PolicyInputs[];
  let changes: number;
  let isBroken = false;
  let refusals = 0;

  const put = (generation: number | undefined, more: object): void =>
    void store.put(POLICY, { kind: 'ClusterModelPolicy', metadata: { name: 'one', generation }, ...more });
  const start = (): void => {
    source = startClusterSource(
      { kubeconfig: store.api.kubeconfig, 'controller-namespace': 'own' },
      {
        store: {
          snapshot: () => undefined,
          update: (inputs) => {
            if (isBroken) {
              refusals += 1;
              throw new Error('not taken');
            }
            updates.push(inputs);
          },
          check: () => assert.fail('nothing is checked'),
          recompile: () => undefined,
        },
        logger: createLogger('silent'),
        metrics: createMetrics(new Registry(), { version: '0', node: '0' }),
        onUpdate: () => undefined,
      },
    );
    source.cluster.onChange(() => {
      changes += 1;
    });
  };
  const specs = (): readonly unknown[] => updates.at(-1)?.policies.map(({ spec }) => spec) ?? [];

  beforeEach(async () => {
    store = await startFakeStore();
    updates = [];
    changes = 0;
  });
  afterEach(async () => {
    source.stop();
    await store.api.stop();
  });

  it('is not ready before every list, and fills the store then', async () => {
    store.intercept = (request, response) => {
      if (!(request.url ?? '').startsWith('/api/v1/namespaces?')) return false;
      response.destroy();
      return true;
    };
    put(1, { spec: { a: 1 } });
    start();
    await until('six lists', () => changes === 6);
    assert.match(source.findUnready() ?? '', /have not been read/);
    assert.deepEqual(updates, []);
    store.intercept = () => false;
    await source.synced;
    assert.equal(source.findUnready(), undefined);
    assert.deepEqual(specs(), [{ a: 1 }]);
  });

  describe('where policies of namespaces name a Secret', () => {
    const SECRET = '/api/v1/namespaces/team/secrets/signer';
    const isOfSecret = (url = ''): boolean => url.startsWith(SECRET);
    const sizes = (): readonly number[] => updates.map(({ material }) => material.size);

    beforeEach(() => {
      // Where the list of every namespace's looks.
      store.put('/apis/modelpolicy.dev/v1alpha1/modelpolicies/own', {
        kind: 'ModelPolicy',
        metadata: { name: 'own', namespace: 'team', generation: 1 },
        spec: { authorities: [{ name: 'a', key: { secretKeyRef: { name: 'signer', key: 'k' } } }] },
      });
      store.put(SECRET, { kind: 'Secret', metadata: { name: 'signer' }, data: { k: 'YQ==' } });
    });

    it('is not ready before it was read, and fills the store with it', async () => {
      let answer: (() => void) | undefined;
      store.intercept = (request, response) => {
        if (!isOfSecret(request.url)) return false;
        answer = () => response.end(JSON.stringify({ kind: 'Secret', data: { k: 'YQ==' } }));
        return true;
      };
      start();
      await until('a question', () => answer !== undefined);
      assert.match(source.findUnready() ?? '', /keys of namespaces/);
      assert.deepEqual(updates, []);
      answer?.();
      await source.synced;
      assert.equal(source.findUnready(), undefined);
      assert.deepEqual(sizes(), [1]);
    });

    it('goes on without it where it cannot be read', async () => {
      let tries = 0;
      store.intercept = (request, response) => {
        if (!isOfSecret(request.url)) return false;
        tries += 1;
        response.destroy();
        return true;
      };
      start();
      await source.synced;
      assert.ok(tries > 0);
      assert.equal(source.findUnready(), undefined);
      assert.deepEqual(sizes(), [0]);
    });
  });

  it('compiles nothing again for a status, and shows it all the same', async () => {
    put(1, { spec: { a: 1 } });
    start();
    await source.synced;
    const [before, count] = [changes, updates.length];
    put(1, { spec: { a: 1 }, status: { conditions: [] } });
    await until('a change', () => changes > before);
    assert.equal(updates.length, count);
    assert.match(JSON.stringify([...(source.cluster.objects('policies') ?? [])]), /conditions/);
    put(2, { spec: { a: 2 } });
    await until('an update', () => updates.length > count);
    assert.deepEqual(specs(), [{ a: 2 }]);
  });

  it('takes another object of the same name, and one without a generation, for changed', async () => {
    put(1, { spec: { a: 1 } });
    start();
    await source.synced;
    let count = updates.length;
    store.delete(POLICY);
    put(1, { spec: { a: 3 } });
    await until('another object', () => JSON.stringify(specs()) === '[{"a":3}]');
    for (const a of [4, 5]) {
      count = updates.length;
      put(undefined, { spec: { a } });
      await until('an update', () => updates.length > count);
    }
    assert.deepEqual(specs(), [{ a: 5 }]);
  });

  it('reads few namespaces at once that no watch told of, and none whose name cannot be', async () => {
    start();
    const asked: string[] = [];
    const held: ServerResponse[] = [];
    store.intercept = ({ url = '' }, response) => {
      if (!url.startsWith('/api/v1/namespaces/made-up')) return false;
      asked.push(url);
      held.push(response);
      return true;
    };
    const signal = AbortSignal.timeout(30_000);
    const read = (name: string): Promise<unknown> => {
      assert.ok(source.readNamespace);
      return source.readNamespace(name, signal);
    };
    for (const name of ['', '..', '../pods', 'Capital', '-x', 'x'.repeat(64), 'a?b', 'ä'])
      assert.equal(await read(name), undefined);
    const answers = Array.from({ length: 3 * NAMESPACE_READS_AT_ONCE }, (_, n) => read(`made-up-${n}`));
    await until('reads', () => asked.length === NAMESPACE_READS_AT_ONCE);
    let most = 0;
    for (let count = 0; count < answers.length; count += 1) {
      await until('a read', () => held.length > 0);
      most = Math.max(most, held.length);
      held.shift()?.end('{"metadata":{}}');
    }
    await Promise.all(answers);
    assert.equal(asked.length, answers.length);
    assert.equal(most, NAMESPACE_READS_AT_ONCE);
  });

  it('keeps what it knows while the API server is away, and is ready on', async () => {
    put(1, { spec: { a: 1 } });
    start();
    await source.synced;
    const count = store.api.requests.length;
    store.intercept = (_request, response) => {
      response.destroy();
      return true;
    };
    store.cut();
    await until('tries', () => store.api.requests.length > count + 6);
    assert.equal(source.findUnready(), undefined);
    assert.deepEqual(specs(), [{ a: 1 }]);
    store.intercept = () => false;
    put(2, { spec: { a: 2 } });
    await until('the change', () => JSON.stringify(specs()) === '[{"a":2}]');
  });

  it('offers again what the store did not take', async () => {
    put(1, { spec: { a: 1 } });
    start();
    await source.synced;
    isBroken = true;
    put(2, { spec: { a: 2 } });
    await until('a refusal', () => refusals > 0);
    isBroken = false;
    put(2, { spec: { a: 2 }, status: { conditions: [] } });
    await until('the change', () => JSON.stringify(specs()) === '[{"a":2}]');
  });

  describe('with what namespaces change as often as they like', () => {
    const label = (n: number): void =>
      void store.put('/api/v1/namespaces/team', {
        kind: 'Namespace',
        metadata: { name: 'team', labels: { n: String(n) } },
      });
    const own = (a: number): void =>
      void store.put('/apis/modelpolicy.dev/v1alpha1/modelpolicies/own', {
        kind: 'ModelPolicy',
        metadata: { name: 'own', namespace: 'team', generation: a },
        spec: { a },
      });
    const isSeen = (collection: 'namespaces' | 'modelPolicies', text: string): boolean =>
      JSON.stringify([...(source.cluster.objects(collection)?.values() ?? [])]).includes(text);

    it('reads labels again a few times a second, the last ones among them', async () => {
      start();
      await source.synced;
      const count = updates.length;
      const startMs = performance.now();
      for (let n = 1; n <= 60; n += 1) {
        label(n);
        await until('the label', () => isSeen('namespaces', `"n":"${n}"`));
      }
      await until('the last label', () =>
        JSON.stringify(updates.at(-1)?.namespaces.get('team')).includes('"60"'),
      );
      const most = 2 + (performance.now() - startMs) / NAMESPACE_INTERVAL_MS;
      assert.ok(updates.length - count <= most, `${updates.length - count} of ${most}`);
    });

    it('compiles their policies once a second, whatever else they change', async () => {
      start();
      await source.synced;
      let brought = 0;
      for (let n = 1; n <= 5; n += 1) {
        own(n);
        await until('the policy', () => isSeen('modelPolicies', `"a":${n}`));
        const count = updates.length;
        label(n);
        await until('an update', () => updates.length > count);
        brought += JSON.stringify(specs()).includes(`"a":${n}`) ? 1 : 0;
      }
      // A second may have passed in between, five have not.
      assert.ok(brought < 3, String(brought));
      await until('the last policy', () => JSON.stringify(specs()) === '[{"a":5}]');
    });
  });
});
