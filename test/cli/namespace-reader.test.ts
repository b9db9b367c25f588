// Is a namespace found that no watch told of, and can nobody make the API server busy with names that are made up?
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import {
  createNamespaceReader,
  NAMESPACE_READS_AT_ONCE,
  type NamespaceReader,
} from '../../src/cli/namespace-reader.ts';
import { createKubernetesClient } from '../../src/kubernetes/client.ts';
import { type FakeStore, startFakeStore } from '../kubernetes/fake-store.ts';
import { until } from '../support/until.ts';

describe('createNamespaceReader()', () => {
  let store: FakeStore;
  let read: NamespaceReader;
  let signal: AbortSignal;

  beforeEach(async () => {
    store = await startFakeStore();
    signal = AbortSignal.timeout(30_000);
    read = createNamespaceReader(createKubernetesClient({ kubeconfig: store.api.kubeconfig }));
  });
  afterEach(() => store.api.stop());

  it('reads what is there, with the name that was asked for', async () => {
    store.put('/api/v1/namespaces/new', { metadata: { name: 'new', labels: { tier: 'prod' } } });
    const found = await read('new', signal);
    assert.deepEqual(found?.labels, { tier: 'prod', 'kubernetes.io/metadata.name': 'new' });
    assert.equal(await read('none', signal), undefined);
  });

  it('asks about no name that cannot be one', async () => {
    const names = [
      '',
      '.',
      '..',
      '../pods',
      'Capital',
      '-x',
      'x-',
      'x'.repeat(64),
      'a?b',
      'a/b',
      '\u00e4',
      'a\n',
    ];
    for (const name of names) assert.equal(await read(name, signal), undefined);
    assert.deepEqual(store.api.requests, []);
  });

  it('asks about few at once, and not for whom the time is up', async () => {
    const held: ServerResponse[] = [];
    store.intercept = (_request, response) => held.push(response) > 0;
    const late = new AbortController();
    const answers = Array.from({ length: NAMESPACE_READS_AT_ONCE }, (_, n) => read(`made-up-${n}`, signal));
    const waiting = Array.from({ length: 20 }, (_, n) => read(`late-${n}`, late.signal));
    answers.push(read('last', signal));
    await until('reads', () => held.length === NAMESPACE_READS_AT_ONCE);
    late.abort();
    for (const response of held.splice(0)) response.end('{"metadata":{}}');
    await until('the last one', () => held.length > 0);
    held[0]?.end('{"metadata":{}}');
    for (const found of await Promise.all(answers)) assert.notEqual(found, undefined);
    assert.deepEqual(new Set(await Promise.all(waiting)), new Set([undefined]));
    assert.equal(store.api.requests.length, NAMESPACE_READS_AT_ONCE + 1);
  });
});
