// Does a list-watch hold the state of the cluster through everything that an API server does to it?
// Against a scripted server; the real API server is exercised by the suites in e2e.
import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKubernetesClient } from '../../src/kubernetes/client.ts';
import type { KubernetesWatchError } from '../../src/kubernetes/errors.ts';
import { type ListWatch, startListWatch } from '../../src/kubernetes/list-watch.ts';
import { event, type FakeApi, list, startFakeApi, status, watch } from './fake-api.ts';

const PATH = '/api/v1/configmaps';
const one = { name: 'one', namespace: 'a', resourceVersion: '1' };
const two = { name: 'two', namespace: 'a', resourceVersion: '2' };

interface Running {
  readonly watcher: ListWatch;
  readonly states: string[];
  readonly errors: KubernetesWatchError[];
  readonly abort: () => void;
}

describe('startListWatch()', () => {
  let api: FakeApi;
  let running: Running | undefined;

  const start = (onChange?: () => void, kubeconfig = api.kubeconfig): Running => {
    const controller = new AbortController();
    const states: string[] = [];
    const errors: KubernetesWatchError[] = [];
    const watcher = startListWatch({
      client: createKubernetesClient({ kubeconfig }),
      path: PATH,
      signal: controller.signal,
      backoff: { minimumMs: 5, maximumMs: 20 },
      onError: (error) => errors.push(error),
      onChange: (objects) => {
        states.push([...objects].map(([key, o]) => `${key}@${o.metadata?.resourceVersion ?? ''}`).join(' '));
        onChange?.();
      },
    });
    running = { watcher, states, errors, abort: () => controller.abort() };
    return running;
  };
  const until = async (what: string, condition: () => boolean | Promise<boolean>): Promise<void> => {
    for (let tries = 0; !(await condition()); tries += 1) {
      assert.ok(tries < 400, `${what}: not within 4 s; ${JSON.stringify(running?.states)}`);
      await sleep(10);
    }
  };
  const watchQueries = (): (string | null)[] =>
    api.requests
      .filter((url) => url.searchParams.has('watch'))
      .map((url) => url.searchParams.get('resourceVersion'));
  const listCount = (): number => api.requests.filter((url) => !url.searchParams.has('watch')).length;

  beforeEach(async () => {
    api = await startFakeApi();
  });
  afterEach(async () => {
    running?.abort();
    running = undefined;
    await api.stop();
  });

  it('gives the whole state after the list and after each change', async () => {
    api.lists = [list('1', [one])];
    const { watcher, states, errors } = start();
    assert.equal(watcher.isSynced, false);
    assert.equal(watcher.ageMs(Date.now()), Infinity);
    await watcher.synced;
    assert.equal(watcher.isSynced, true);
    assert.deepEqual(states, ['a/one@1']);
    assert.ok(watcher.ageMs(Date.now()) < 2000);
    assert.equal(watcher.ageMs(Date.now() + 60_000) >= 60_000, true);

    await until('a watch', () => api.watches.length === 1);
    api.watches[0]?.write(event('ADDED', two));
    await until('an addition', () => states.length === 2);
    api.watches[0]?.write(event('MODIFIED', { ...one, resourceVersion: '3' }));
    await until('a change', () => states.length === 3);
    api.watches[0]?.write(event('DELETED', { ...two, resourceVersion: '4' }));
    await until('a deletion', () => states.length === 4);
    assert.deepEqual(states, ['a/one@1', 'a/one@1 a/two@2', 'a/one@3 a/two@2', 'a/one@3']);
    assert.deepEqual(errors, []);
    assert.equal(api.requests[1]?.searchParams.get('allowWatchBookmarks'), 'true');
  });

  it('calls onChange once for all changes of a tick', async () => {
    api.watchSteps = [
      watch(event('ADDED', one) + event('ADDED', two) + event('MODIFIED', { ...two, resourceVersion: '9' })),
    ];
    const { states } = start();
    await until('two states', () => states.length === 2);
    await sleep(50);
    assert.deepEqual(states, ['', 'a/one@1 a/two@9']);
  });

  it('reads all pages of a list before it says anything', async () => {
    api.lists = [list('7', [one], 'to ken'), list('7', [two])];
    const { watcher, states } = start();
    await watcher.synced;
    assert.deepEqual(states, ['a/one@1 a/two@2']);
    assert.equal(api.requests[0]?.search, '?limit=500');
    assert.equal(api.requests[1]?.search, '?limit=500&continue=to%20ken');
    await until('a watch', () => api.watches.length === 1);
    assert.deepEqual(watchQueries(), ['7']);
  });

  it('gives listed objects the kind that the API server leaves out', async () => {
    api.lists = [list('1', [one])];
    const controller = new AbortController();
    const { promise, resolve } = Promise.withResolvers<object>();
    startListWatch({
      client: createKubernetesClient({ kubeconfig: api.kubeconfig }),
      path: PATH,
      signal: controller.signal,
      onError: assert.fail,
      onChange: (objects) => resolve(objects.get('a/one') ?? {}),
    });
    const object = await promise;
    controller.abort();
    assert.deepEqual(
      { ...object, metadata: undefined },
      { kind: 'ConfigMap', apiVersion: 'v1', metadata: undefined },
    );
  });

  it('lists again after HTTP 410, and forgets what is gone', async () => {
    api.lists = [list('1', [one]), list('5', [two])];
    api.watchSteps = [status(410, 'Expired'), watch()];
    const { states, errors } = start();
    await until('a second list', () => states.length === 2);
    await until('a watch', () => watchQueries().length === 2);
    assert.deepEqual(states, ['a/one@1', 'a/two@2']);
    assert.deepEqual(watchQueries(), ['1', '5']);
    assert.deepEqual(
      errors.map(({ kind }) => kind),
      ['Expired'],
    );
  });

  it('lists again after an ERROR event with code 410', async () => {
    const gone = {
      type: 'ERROR',
      object: { kind: 'Status', code: 410, message: 'too old resource version' },
    };
    api.lists = [list('1', [one]), list('5', [two])];
    api.watchSteps = [watch(`${JSON.stringify(gone)}\n`), watch()];
    const { states, errors } = start();
    await until('a second list', () => states.length === 2);
    assert.deepEqual(states, ['a/one@1', 'a/two@2']);
    assert.equal(errors[0]?.kind, 'Expired');
    assert.match(errors[0]?.message ?? '', /too old resource version/u);
  });

  it('lists again when the watch is refused, since the resource version may be the reason', async () => {
    api.watchSteps = [status(504, 'Timeout'), watch()];
    const { errors } = start();
    await until('a second list', () => listCount() === 2);
    assert.equal(errors[0]?.kind, 'Refused');
  });

  it('continues where it was after a disconnect in the middle of a line', async () => {
    api.lists = [list('1', [one])];
    const half = event('ADDED', { ...two, name: 'half' }).slice(0, 30);
    api.watchSteps = [
      (response) => {
        response.write(event('ADDED', two) + half, () => response.destroy());
      },
      watch(event('ADDED', { ...two, name: 'three', resourceVersion: '3' })),
    ];
    const { states, errors } = start();
    await until('three states', () => states.length === 3);
    assert.equal(states.at(-1), 'a/one@1 a/two@2 a/three@3');
    assert.deepEqual(watchQueries(), ['1', '2']);
    assert.equal(listCount(), 1);
    assert.deepEqual(
      errors.map(({ kind }) => kind),
      ['Unreachable'],
    );
  });

  it('continues without an error when the server ends the watch, from the last bookmark', async () => {
    api.watchSteps = [
      (response) => {
        response.end(event('BOOKMARK', { name: '', resourceVersion: '40' }));
      },
      watch(),
    ];
    const { states, errors } = start();
    await until('a second watch', () => watchQueries().length === 2);
    assert.deepEqual(watchQueries(), ['1', '40']);
    assert.deepEqual(states, ['']);
    assert.deepEqual(errors, []);
  });

  const garbage = new Map<string, string>([
    ['a line that is not JSON', 'garbage\n'],
    ['invalid UTF-8', '\u00ff\n'],
    ['a JSON array', '[]\n'],
    ['an unknown event type', event('REPLACED', two)],
    ['an event without an object', '{"type":"ADDED"}\n'],
    ['an object without a name', event('ADDED', { ...two, name: '' })],
  ]);
  for (const [what, line] of garbage) {
    it(`keeps the state and lists again after ${what}`, async () => {
      api.lists = [list('1', [one])];
      api.watchSteps = [(response) => response.write(Buffer.from(line, 'latin1')), watch()];
      const { states, errors } = start();
      await until('a second watch', () => watchQueries().length === 2);
      assert.deepEqual([...new Set(states)], ['a/one@1']);
      assert.equal(errors[0]?.kind, 'Malformed');
      assert.equal(listCount(), 2);
    });
  }

  it('gives up a line that does not end', async function () {
    this.timeout(20_000);
    api.watchSteps = [(response) => response.write(Buffer.alloc(9 * 1024 * 1024, 0x20)), watch()];
    const { errors } = start();
    await until('a second watch', () => watchQueries().length === 2);
    assert.match(errors[0]?.message ?? '', /larger than 8388608 bytes/u);
  });

  it('keeps trying while the server is down, and syncs once it is up', async () => {
    const { port, kubeconfig } = api;
    const directory = await mkdtemp(join(tmpdir(), 'list-watch-'));
    const copy = join(directory, 'kubeconfig');
    await copyFile(kubeconfig, copy);
    await api.stop();
    const { watcher, errors } = start(undefined, copy);
    await until('some tries', () => errors.length >= 3);
    assert.equal(watcher.isSynced, false);
    assert.equal(errors[0]?.kind, 'Unreachable');
    assert.match(errors[0].message, /ECONNREFUSED/u);
    api = await startFakeApi(port);
    await watcher.synced;
    await rm(directory, { recursive: true });
  });

  it('keeps the last known state while the server refuses everything', async () => {
    api.lists = [list('1', [one]), status(503, 'ServiceUnavailable')];
    api.watchSteps = [status(503, 'ServiceUnavailable')];
    const { watcher, states, errors } = start();
    await until('some refusals', () => errors.length >= 4);
    assert.deepEqual(states, ['a/one@1']);
    assert.equal(watcher.isSynced, true);
    assert.equal(errors.at(-1)?.kind, 'Refused');
  });

  it('is not synced by a list that the consumer could not take', async () => {
    api.lists = [list('1', [one])];
    let calls = 0;
    const { watcher, errors } = start(() => {
      calls += 1;
      if (calls === 1) throw new Error('not now');
    });
    await until('an error', () => errors.length === 1);
    assert.equal(errors[0]?.kind, 'ConsumerFailed');
    assert.equal(watcher.isSynced, false);
    await until('a watch', () => api.watches.length === 1);
    api.watches[0]?.write(event('ADDED', two));
    await watcher.synced;
  });

  it('closes its connection at the signal and says nothing more', async () => {
    const { watcher, states, errors, abort } = start();
    await watcher.synced;
    await until('a watch', () => api.watches.length === 1);
    api.watches[0]?.write(event('ADDED', two));
    abort();
    await until('no connection', async () => (await api.openConnections()) === 0);
    await sleep(60);
    assert.deepEqual(states, ['']);
    assert.deepEqual(errors, []);
    assert.equal(watchQueries().length, 1);
  });

  it('does nothing when the signal came first', async () => {
    const states: unknown[] = [];
    startListWatch({
      client: createKubernetesClient({ kubeconfig: api.kubeconfig }),
      path: PATH,
      signal: AbortSignal.abort(),
      onError: (error) => states.push(error),
      onChange: (objects) => states.push(objects),
    });
    await sleep(30);
    assert.deepEqual(states, []);
    assert.deepEqual(api.requests, []);
  });
});
