// Are events told once, in a form that the API server takes, and never as a storm?
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKubernetesClient } from '../../src/kubernetes/client.ts';
import { createEventWriter, type EventNote, type EventWriter } from '../../src/kubernetes/event-writer.ts';
import { until } from '../support/until.ts';
import { type FakeStore, startFakeStore } from './fake-store.ts';

const PATH = '/apis/events.k8s.io/v1/namespaces/default/events';

describe('createEventWriter()', () => {
  let store: FakeStore;
  let term: AbortController;
  let results: string[];
  let now: Date;

  const open = (intervalMs = 1): EventWriter =>
    createEventWriter({
      client: createKubernetesClient({ kubeconfig: store.api.kubeconfig }),
      identity: 'pod-1_abc',
      signal: term.signal,
      intervalMs,
      now: () => now,
      onWrite: (result) => void results.push(result),
    });
  const note = (text: string): EventNote => ({
    object: {
      apiVersion: 'modelpolicy.dev/v1alpha1',
      kind: 'ClusterModelPolicy',
      metadata: { name: 'prod', uid: 'u1' },
    },
    type: 'Warning',
    reason: 'PolicyInvalid',
    note: text,
  });

  beforeEach(async () => {
    store = await startFakeStore();
    term = new AbortController();
    results = [];
    now = new Date('2026-11-21T12:00:00.500Z');
  });
  afterEach(async () => {
    term.abort();
    await store.api.stop();
  });

  it('writes everything that the API server demands, bounded', async () => {
    open().tell(note('x'.repeat(5000)));
    await until('an event', () => results.length === 1);
    const [{ path, body } = { path: '', body: {} }] = store.writes;
    assert.equal(path, PATH);
    const {
      metadata,
      note: text,
      ...rest
    } = body as { metadata: { name: string; namespace: string }; note: string };
    assert.match(metadata.name, /^prod\.[0-9a-f-]+$/);
    assert.equal(metadata.namespace, 'default');
    assert.equal(text.length, 1024);
    assert.deepEqual(rest, {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      eventTime: '2026-11-21T12:00:00.500000Z',
      reportingController: 'modelpolicy.dev/controller',
      reportingInstance: 'pod-1_abc',
      action: 'Compile',
      type: 'Warning',
      reason: 'PolicyInvalid',
      regarding: {
        apiVersion: 'modelpolicy.dev/v1alpha1',
        kind: 'ClusterModelPolicy',
        name: 'prod',
        uid: 'u1',
      },
    });
  });

  it('tells those who own a namespace in that namespace', async () => {
    const plain = note('x');
    const metadata = { name: 'own', namespace: 'team-a', uid: 'u2' };
    open().tell({ ...plain, object: { ...plain.object, kind: 'ModelPolicy', metadata } });
    await until('an event', () => results.length === 1);
    const [{ path, body } = { path: '', body: {} }] = store.writes;
    assert.equal(path, '/apis/events.k8s.io/v1/namespaces/team-a/events');
    const event = body as { metadata: { namespace: string }; regarding: object };
    assert.equal(event.metadata.namespace, 'team-a');
    const { apiVersion } = plain.object;
    assert.deepEqual(event.regarding, { apiVersion, kind: 'ModelPolicy', ...metadata });
  });

  it('tells the same once an hour, and something else at once', async () => {
    const writer = open();
    for (let times = 0; times < 50; times += 1) writer.tell(note('one'));
    writer.tell(note('two'));
    await until('two events', () => results.length === 2);
    now = new Date(now.getTime() + 3_600_000);
    writer.tell(note('one'));
    await until('a third', () => results.length === 3);
    assert.equal(store.writes.length, 3);
  });

  it('drops what does not fit into its queue, and does not insist on what failed', async () => {
    store.intercept = (_request, response) => {
      response.destroy();
      return true;
    };
    const writer = open(60_000);
    for (let number = 0; number < 100; number += 1) writer.tell(note(`number ${number}`));
    await until('a failure', () => results.includes('failed'));
    assert.equal(results.filter((result) => result === 'dropped').length, 67);
    await sleep(20);
    assert.equal(store.api.requests.length, 1);
  });

  it('lets a namespace that has much to tell wait behind itself only, and tells what was dropped later', async () => {
    const own = (namespace: string, text: string): EventNote => ({
      ...note(text),
      object: { kind: 'ModelPolicy', metadata: { name: 'own', namespace, uid: namespace } },
    });
    const writer = open();
    const flood = Array.from({ length: 100 }, (_, number) => own('flood', `number ${number}`));
    for (const one of flood) writer.tell(one);
    writer.tell(own('quiet', 'here'));
    writer.tell(note('of the cluster'));
    const written = (): readonly string[] => store.writes.map(({ body }) => String(body['note']));
    await until('an event', () => written().length >= 4);
    assert.deepEqual(written().slice(0, 4).toSorted(), ['here', 'number 0', 'number 1', 'of the cluster']);
    await until('the rest', () => {
      for (const one of flood) writer.tell(one);
      return flood.every(({ note: text }) => written().includes(text));
    });
    assert.equal(new Set(written()).size, written().length);
  });

  it('ends with its term', async () => {
    const writer = open();
    term.abort();
    writer.tell(note('late'));
    await sleep(20);
    assert.deepEqual(store.writes, []);
  });
});
