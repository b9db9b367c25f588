// How is the process? Plain HTTP for probes and Prometheus: /metrics, /healthz, /readyz.
import express, { type Express } from 'express';
import type { Registry } from 'prom-client';

/** Creates the app. @param findUnready why the process is not ready; undefined when it is */
export function createMetricsApp(registry: Registry, findUnready: () => string | undefined): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/healthz', (_request, response) => {
    response.type('text/plain').send('ok\n');
  });
  app.get('/readyz', (_request, response) => {
    const problem = findUnready();
    response
      .status(problem === undefined ? 200 : 503)
      .type('text/plain')
      .send(`${problem ?? 'ok'}\n`);
  });
  app.get('/metrics', async (_request, response) => {
    response.type(registry.contentType).send(await registry.metrics());
  });
  return app;
}
