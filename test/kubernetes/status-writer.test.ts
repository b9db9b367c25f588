// Do statuses reach the cluster, only when they must, and never as a storm?
import assert from 'node:assert/strict';
import type { KubernetesObject } from '@kubernetes/client-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKubernetesClient } from '../../src/kubernetes/client.ts';
import { type Condition, toStatus, toStatusPatch } from '../../src/kubernetes/status.ts';
import {
  createStatusWriter,
  type StatusTarget,
  type StatusWriter,
} from '../../src/kubernetes/status-writer.ts';
import { until } from '../support/until.ts';
import { type FakeStore, startFakeStore } from './fake-store.ts';

const COLLECTION = '/apis/modelpolicy.dev/v1alpha1/trustroots';
const ready: Condition = { type: 'Ready', status: 'True', reason: 'Ready', message: '' };
const broken: Condition = { ...ready, status: 'False', reason: 'TrustRootUnavailable', message: 'why' };
const NOON = new Date('2026-11-21T12:00:00.789Z');
const NOON_TEXT = '2026-11-21T12:00:00Z';

describe('toStatus()', () => {
  const object = { metadata: { name: 'a', generation: 3 } } as KubernetesObject;
  const withStatus = (status: object): KubernetesObject => ({ ...object, status }) as KubernetesObject;
  const stored = (condition: Condition, lastTransitionTime: string): object => ({
    ...condition,
    observedGeneration: 2,
    lastTransitionTime,
  });

  it('says which generation it is about, and since when', () => {
    assert.deepEqual(
      toStatus(object, { conditions: [ready], fields: { source: 'tuf' } }, { known: undefined, now: NOON }),
      {
        observedGeneration: 3,
        source: 'tuf',
        conditions: [{ ...ready, observedGeneration: 3, lastTransitionTime: NOON_TEXT }],
      },
    );
  });

  it('keeps the time of what did not change, though reason, message or generation did', () => {
    const old = withStatus({ conditions: [stored({ ...ready, message: 'other' }, '2026-01-01T00:00:00Z')] });
    const { conditions } = toStatus(old, { conditions: [ready] }, { known: undefined, now: NOON });
    assert.equal(conditions[0]?.lastTransitionTime, '2026-01-01T00:00:00Z');
    const changed = toStatus(old, { conditions: [broken] }, { known: undefined, now: NOON });
    assert.equal(changed.conditions[0]?.lastTransitionTime, NOON_TEXT);
  });

  it('believes the times that it wrote itself before those of the object, and no time that is none', () => {
    const forged = withStatus({ conditions: [stored(ready, '1999-01-01T00:00:00Z')] });
    const known = [{ ...ready, lastTransitionTime: '2026-02-02T00:00:00Z' }];
    assert.equal(
      toStatus(forged, { conditions: [ready] }, { known, now: NOON }).conditions[0]?.lastTransitionTime,
      '2026-02-02T00:00:00Z',
    );
    for (const time of ['soon', 5, '2026-99-99T00:00:00Z', undefined]) {
      const strange = withStatus({ conditions: [{ ...ready, lastTransitionTime: time }, null, 'x'] });
      const { conditions } = toStatus(strange, { conditions: [ready] }, { known: undefined, now: NOON });
      assert.equal(conditions[0]?.lastTransitionTime, NOON_TEXT);
    }
  });
});

describe('toStatusPatch()', () => {
  const desired = { conditions: [ready] };
  const bare = { metadata: { name: 'a', generation: 1 } } as KubernetesObject;
  const status = toStatus(bare, desired, { known: undefined, now: NOON });

  it('asks for nothing when the object says so already, in whatever order', () => {
    const [condition] = status.conditions;
    const turned = Object.fromEntries(Object.entries(condition ?? {}).toReversed());
    const object = { ...bare, status: { conditions: [turned], observedGeneration: 1 } } as KubernetesObject;
    assert.equal(toStatusPatch(object, status), undefined);
  });

  it('takes away what is not ours', () => {
    const forged = { ...status, verified: true, conditions: [{ ...ready, type: 'Forged' }] };
    assert.deepEqual(toStatusPatch({ ...bare, status: forged } as KubernetesObject, status), {
      verified: null,
      ...status,
    });
  });
});

describe('createStatusWriter()', () => {
  let store: FakeStore;
  let term: AbortController;
  let results: string[];

  const open = (intervalMs = 1): StatusWriter =>
    createStatusWriter({
      client: createKubernetesClient({ kubeconfig: store.api.kubeconfig }),
      signal: term.signal,
      intervalMs,
      onWrite: (result) => void results.push(result),
      now: () => NOON,
    });
  const put = (name: string, more: object = {}): void => {
    const metadata = { name, generation: 1, resourceVersion: '' };
    store.put(`${COLLECTION}/${name}`, { kind: 'TrustRoot', metadata, spec: {}, ...more });
  };
  const target = (name: string, condition = ready): StatusTarget => ({
    path: `${COLLECTION}/${name}`,
    object: structuredClone(store.get(`${COLLECTION}/${name}`)) as KubernetesObject,
    desired: { conditions: [condition] },
  });
  const statusOf = (name: string): unknown => store.get(`${COLLECTION}/${name}`)?.['status'];
  const written = {
    observedGeneration: 1,
    conditions: [{ ...ready, observedGeneration: 1, lastTransitionTime: NOON_TEXT }],
  };

  beforeEach(async () => {
    store = await startFakeStore();
    term = new AbortController();
    results = [];
    put('a');
  });
  afterEach(async () => {
    term.abort();
    await store.api.stop();
  });

  it('writes through the status subresource, at the version it has seen, and then no more', async () => {
    const version = store.get(`${COLLECTION}/a`)?.metadata.resourceVersion;
    const writer = open();
    const first = target('a');
    writer.offer([first]);
    await until('a status', () => results.length === 1);
    assert.deepEqual(statusOf('a'), written);
    assert.deepEqual(
      [store.writes[0]?.method, store.writes[0]?.path, store.writes[0]?.body['metadata']],
      ['PATCH', `${COLLECTION}/a/status`, { resourceVersion: version }],
    );
    // What we replaced comes once more before the watch brings our own write.
    writer.offer([first]);
    writer.offer([target('a')]);
    await sleep(20);
    assert.deepEqual(results, ['written']);
  });

  it('restores what somebody else wrote, with the time that was there', async () => {
    const writer = open();
    writer.offer([target('a')]);
    await until('a status', () => results.length === 1);
    put('a', {
      status: {
        ...written,
        forged: 'pass',
        conditions: [{ ...broken, lastTransitionTime: '1999-01-01T00:00:00Z' }],
      },
    });
    writer.offer([target('a', ready)]);
    await until('a second write', () => results.length === 2);
    assert.deepEqual(statusOf('a'), written);
  });

  it('writes the newest of what was offered while it was busy, and nothing for what is gone', async () => {
    for (const name of ['b', 'c']) put(name);
    const writer = open(20);
    writer.offer([target('a'), target('b'), target('c')]);
    writer.offer([target('a', broken), target('b', broken)]);
    await until('two statuses', () => results.length === 2);
    await sleep(40);
    assert.deepEqual(
      store.writes.map(({ path }) => path),
      ['a', 'b'].map((name) => `${COLLECTION}/${name}/status`),
    );
    assert.match(JSON.stringify(statusOf('b')), /TrustRootUnavailable/);
    assert.equal(statusOf('c'), undefined);
  });

  it('waits for the watch after a conflict, and writes then', async () => {
    const writer = open();
    const old = target('a');
    put('a', { spec: { changed: true } });
    writer.offer([old]);
    await until('a conflict', () => results.length === 1);
    await sleep(20);
    assert.deepEqual(results, ['conflict']);
    writer.offer([target('a')]);
    await until('a status', () => results.length === 2);
    assert.deepEqual(statusOf('a'), written);
  });

  it('tries again what failed, and ends with its term', async () => {
    let failures = 0;
    store.intercept = (_request, response) => {
      failures += 1;
      if (failures <= 2) response.destroy();
      return failures <= 2;
    };
    const writer = open();
    writer.offer([target('a')]);
    await until('a status', () => results.includes('written'));
    assert.deepEqual(results, ['failed', 'failed', 'written']);
    term.abort();
    writer.offer([target('a', broken)]);
    await sleep(20);
    assert.deepEqual(statusOf('a'), written);
  });

  it('gives in ever longer to an API server that keeps less than it was given', async () => {
    const writer = open();
    const timer = setInterval(() => {
      put('a');
      writer.offer([target('a')]);
    }, 2);
    await until('writes', () => results.length >= 3);
    const asked = store.api.requests.length;
    await sleep(300);
    clearInterval(timer);
    assert.ok(store.api.requests.length - asked <= 1, String(store.api.requests.length - asked));
  });

  it('writes for the cluster first, then for namespaces in turn, whatever one of them changes meanwhile', async () => {
    const of = (namespace: string, name: string, condition = ready): StatusTarget => {
      const path = `/apis/modelpolicy.dev/v1alpha1/namespaces/${namespace}/modelpolicies/${name}`;
      const object = store.get(path) ?? store.put(path, { metadata: { name, namespace, generation: 1 } });
      return {
        path,
        object: structuredClone(object),
        desired: { conditions: [condition] },
      };
    };
    const written = (): readonly string[] => store.writes.map(({ path }) => path.split('/').at(-2) ?? '');
    const writer = open();
    // What it says changes with every write: there is always something to write for it.
    let change = 0;
    const offer = (): void => {
      change += 1;
      const flood = Array.from({ length: 20 }, (_, n) =>
        of('flood', `flood-${n}`, { ...ready, message: `change ${change}` }),
      );
      writer.offer([...flood, of('quiet', 'one'), of('quiet', 'two'), target('a')]);
    };
    offer();
    const timer = setInterval(offer, 10);
    try {
      await until('every status', () => ['a', 'one', 'two'].every((name) => written().includes(name)));
    } finally {
      clearInterval(timer);
    }
    const order = written();
    assert.equal(order[0], 'a');
    assert.ok(order.indexOf('two') <= 5, order.join());
  });

  it('treats another object of the same name as another', async () => {
    const writer = open();
    writer.offer([target('a')]);
    await until('a status', () => results.length === 1);
    store.delete(`${COLLECTION}/a`);
    put('a', { status: { conditions: [{ ...ready, lastTransitionTime: '2026-03-03T00:00:00Z' }] } });
    writer.offer([target('a')]);
    await until('a status', () => results.length === 2);
    assert.match(JSON.stringify(statusOf('a')), /2026-03-03/);
  });
});
