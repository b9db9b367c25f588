// What do probes and Prometheus see? Plain HTTP on the real listener.
import assert from 'node:assert/strict';
import { Counter, Registry } from 'prom-client';
import { listen, type Listener } from '../../src/server/listener.ts';
import { createMetricsApp } from '../../src/server/metrics-app.ts';

describe('createMetricsApp()', () => {
  let listener: Listener;
  let unready: string | undefined;
  const registry = new Registry();
  const get = (path: string, method = 'GET'): Promise<Response> =>
    fetch(`http://${listener.address}${path}`, { method });

  before(async () => {
    new Counter({ name: 'example_total', help: 'x', registers: [registry] }).inc();
    listener = await listen(
      createMetricsApp(registry, () => unready),
      { host: '127.0.0.1', port: 0 },
    );
  });
  after(() => listener.drain(0));

  it('is healthy as soon as it listens, ready or not', async () => {
    for (const problem of ['not synced', undefined]) {
      unready = problem;
      const response = await get('/healthz');
      assert.deepEqual([response.status, await response.text()], [200, 'ok\n']);
    }
  });

  it('is not ready while something is missing, and says what', async () => {
    unready = 'stopping';
    const response = await get('/readyz');
    assert.deepEqual([response.status, await response.text()], [503, 'stopping\n']);
    unready = undefined;
    const ready = await get('/readyz');
    assert.deepEqual([ready.status, await ready.text()], [200, 'ok\n']);
    assert.match(ready.headers.get('content-type') ?? '', /^text\/plain/);
  });

  it('serves metrics in the text format of Prometheus', async () => {
    const response = await get('/metrics');
    assert.equal(response.headers.get('content-type'), registry.contentType);
    assert.match(registry.contentType, /^text\/plain; version=0\.0\.4/);
    assert.match(await response.text(), /^example_total 1$/m);
  });

  it('serves nothing else', async () => {
    for (const path of ['/', '/validate', '/debug/pprof', '/metrics/x'])
      assert.equal((await get(path)).status, 404);
    assert.equal((await get('/metrics', 'POST')).status, 404);
  });
});
