// What does an API server look like to a list-watch? A scripted HTTP server on loopback: each request is answered
// by the next step of the script. It decides nothing; the real API server is exercised by the suites in e2e.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One answer; `url` is what was asked. */
export type Step = (response: ServerResponse, url: URL, request: IncomingMessage) => void;

export interface FakeApi {
  readonly kubeconfig: string;
  readonly port: number;
  readonly requests: URL[];
  /** The responses of watches that are still open, oldest first. */
  readonly watches: ServerResponse[];
  /** Answers for lists and for watches; the last one stays. */
  lists: Step[];
  watchSteps: Step[];
  openConnections(): Promise<number>;
  stop(): Promise<void>;
}

export interface FakeObject {
  readonly name: string;
  readonly namespace?: string;
  readonly resourceVersion: string;
}

export const toObject = ({ name, namespace, resourceVersion }: FakeObject): object => ({
  metadata: { name, ...(namespace && { namespace }), resourceVersion },
});

/** A list answer at `resourceVersion`; `token` continues it. */
export const list =
  (resourceVersion: string, objects: readonly FakeObject[], token = ''): Step =>
  (response) => {
    const metadata = { resourceVersion, ...(token && { continue: token }) };
    const items = objects.map((object) => toObject(object));
    response.end(JSON.stringify({ kind: 'ConfigMapList', apiVersion: 'v1', metadata, items }));
  };

/** An error answer as the API server writes it. */
export const status =
  (code: number, reason: string): Step =>
  (response) => {
    response.statusCode = code;
    response.end(JSON.stringify({ kind: 'Status', code, reason, message: `because ${reason}` }));
  };

/** A watch that stays open after these lines. */
export const watch =
  (...lines: readonly string[]): Step =>
  (response) => {
    response.flushHeaders();
    for (const line of lines) response.write(line);
  };

/** One watch line. */
export const event = (type: string, object: FakeObject): string =>
  `${JSON.stringify({ type, object: toObject(object) })}\n`;

/** Listens on `port`, a free one by default. */
export async function startFakeApi(port = 0): Promise<FakeApi> {
  const directory = mkdtempSync(join(tmpdir(), 'fake-api-'));
  const requests: URL[] = [];
  const watches: ServerResponse[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fake');
    requests.push(url);
    const steps = url.searchParams.has('watch') ? api.watchSteps : api.lists;
    const step = steps.length > 1 ? steps.shift() : steps[0];
    if (url.searchParams.has('watch')) watches.push(response);
    (step ?? status(500, 'NoScript'))(response, url, request);
  });
  const listening = Promise.withResolvers<void>();
  server.listen(port, '127.0.0.1', listening.resolve);
  await listening.promise;
  const address = server.address() as AddressInfo;
  const api: FakeApi = {
    kubeconfig: join(directory, 'kubeconfig'),
    port: address.port,
    requests,
    watches,
    lists: [list('1', [])],
    watchSteps: [watch()],
    openConnections: () => countConnections(server),
    stop: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
      rmSync(directory, { recursive: true, force: true });
    },
  };
  writeFileSync(api.kubeconfig, kubeconfigFor(`http://127.0.0.1:${address.port}`));
  return api;
}

/** A kubeconfig (JSON is YAML); plain HTTP is accepted by the library only with `insecure-skip-tls-verify`. */
export function kubeconfigFor(server: string, user: object = { token: 'secret-token' }): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fake', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'fake', user }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake', namespace: 'own' } }],
    'current-context': 'fake',
  });
}

function countConnections(server: Server): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  server.getConnections((_error, count) => resolve(count));
  return promise;
}
