// Does the client send the right credentials, and is every failure a typed error?
// Against a scripted server; TLS and client certificates are exercised with the real API server in e2e.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKubernetesClient } from '../../src/kubernetes/client.ts';
import { KubernetesApiError, KubernetesConfigError } from '../../src/kubernetes/errors.ts';
import { readBody } from '../../src/kubernetes/transport.ts';
import { type FakeApi, kubeconfigFor, startFakeApi, status } from './fake-api.ts';

describe('createKubernetesClient()', () => {
  let api: FakeApi;
  let directory: string;
  const never = new AbortController().signal;

  beforeEach(async () => {
    api = await startFakeApi();
    directory = mkdtempSync(join(tmpdir(), 'client-'));
  });
  afterEach(async () => {
    await api.stop();
    rmSync(directory, { recursive: true });
  });
  const failure = async (path: string, signal = never): Promise<KubernetesApiError> => {
    const client = createKubernetesClient({ kubeconfig: api.kubeconfig });
    const error: unknown = await client.get(path, signal).then(
      () => assert.fail('an answer'),
      (cause: unknown) => cause,
    );
    assert.ok(error instanceof KubernetesApiError, String(error));
    return error;
  };
  const kubeconfig = (text: string): string => {
    const file = join(directory, 'kubeconfig');
    writeFileSync(file, text);
    return file;
  };

  it('reads server, namespace and token from a kubeconfig', async () => {
    let authorization: string | undefined;
    api.lists = [
      (response, _url, request) => {
        ({ authorization } = request.headers);
        response.end('{"kind":"Namespace"}');
      },
    ];
    const client = createKubernetesClient({ kubeconfig: api.kubeconfig });
    assert.equal(client.server, `http://127.0.0.1:${api.port}`);
    assert.equal(client.namespace, 'own');
    assert.deepEqual(await client.get('/api/v1/namespaces/a%2Fb?x=1', never), { kind: 'Namespace' });
    assert.equal(authorization, 'Bearer secret-token');
    assert.equal(api.requests[0]?.pathname, '/api/v1/namespaces/a%2Fb');
  });

  it('puts the path of the server URL first', async () => {
    const file = kubeconfig(kubeconfigFor(`http://127.0.0.1:${api.port}/k8s/clusters/c-1/`));
    await createKubernetesClient({ kubeconfig: file }).get('/version', never);
    assert.equal(api.requests[0]?.pathname, '/k8s/clusters/c-1/version');
  });

  it('reads a token file, trailing line break and all', async () => {
    const tokenFile = join(directory, 'token');
    writeFileSync(tokenFile, 'rotating');
    appendFileSync(tokenFile, '\n');
    let authorization: string | undefined;
    api.lists = [
      (response, _url, request) => {
        ({ authorization } = request.headers);
        response.end('{}');
      },
    ];
    const user = { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } };
    const file = kubeconfig(kubeconfigFor(`http://127.0.0.1:${api.port}`, user));
    await createKubernetesClient({ kubeconfig: file }).get('/version', never);
    assert.equal(authorization, 'Bearer rotating');
  });

  it('says when credentials cannot be read', async () => {
    const user = { 'auth-provider': { name: 'tokenFile', config: { tokenFile: join(directory, 'absent') } } };
    const file = kubeconfig(kubeconfigFor(`http://127.0.0.1:${api.port}`, user));
    await assert.rejects(createKubernetesClient({ kubeconfig: file }).get('/version', never), {
      status: 0,
      reason: 'CredentialsUnreadable',
    });
  });

  it('gives status and reason of a refusal', async () => {
    api.lists = [status(403, 'Forbidden')];
    const error = await failure('/api/v1/secrets');
    assert.deepEqual([error.status, error.reason], [403, 'Forbidden']);
    assert.equal(error.message, 'GET /api/v1/secrets: 403 Forbidden: because Forbidden');
  });

  it('does not follow redirects and needs no Status object', async () => {
    api.lists = [
      (response) => {
        response.writeHead(302, { location: 'http://127.0.0.1:1/' });
        response.end('<html>');
      },
    ];
    const error = await failure('/api');
    assert.deepEqual([error.status, error.reason], [302, 'HTTP302']);
  });

  it('refuses an answer that is not JSON', async () => {
    api.lists = [(response) => response.end('{')];
    assert.equal((await failure('/api')).reason, 'ResponseMalformed');
  });

  it('refuses an answer that breaks off', async () => {
    api.lists = [
      (response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{', () => response.destroy());
      },
    ];
    const error = await failure('/api');
    assert.deepEqual([error.status, error.reason], [0, 'ECONNRESET']);
  });

  it('ends with the signal', async () => {
    api.lists = [() => undefined];
    assert.equal((await failure('/api', AbortSignal.timeout(30))).reason, 'Aborted');
    assert.equal((await failure('/api', AbortSignal.abort())).reason, 'Aborted');
  });

  it('gives up a stream on which nothing arrives', async () => {
    api.watchSteps = [(response) => response.flushHeaders()];
    const client = createKubernetesClient({ kubeconfig: api.kubeconfig });
    const stream = await client.stream('/api/v1/pods?watch=true', { signal: never, idleTimeoutMs: 50 });
    await assert.rejects(readBody(stream, 1), { status: 0, reason: 'IdleTimeout' });
  });

  for (const path of ['api', '/api/../secrets', '/api/v1/./x', '/a b', '/a\r\nb', '/ü', '/a#b']) {
    it(`refuses ${JSON.stringify(path)} as a path`, async () => {
      const client = createKubernetesClient({ kubeconfig: api.kubeconfig });
      await assert.rejects(client.get(path, never), TypeError);
      assert.deepEqual(api.requests, []);
    });
  }

  it('names a kubeconfig that cannot be used', () => {
    const cases = new Map([
      ['no context', JSON.stringify({ clusters: [], users: [], contexts: [] })],
      ['no server', kubeconfigFor('nowhere')],
      ['no YAML', '{'],
      ['empty', ''],
    ]);
    for (const [what, text] of cases) {
      const file = kubeconfig(text);
      assert.throws(
        () => createKubernetesClient({ kubeconfig: file }),
        (error) => error instanceof KubernetesConfigError && error.message.includes(file),
        what,
      );
    }
    assert.throws(
      () => createKubernetesClient({ kubeconfig: join(directory, 'absent') }),
      KubernetesConfigError,
    );
  });

  it('says so when there is neither a kubeconfig nor a cluster', () => {
    assert.equal(process.env['KUBERNETES_SERVICE_HOST'], undefined);
    assert.throws(() => createKubernetesClient({}), /not in a cluster/u);
  });

  it('writes objects and merge patches, and names the method in failures', async () => {
    const asked: (string | undefined)[][] = [];
    api.lists = [
      (response, _url, request) => {
        let body = '';
        request.on('data', (chunk: Buffer) => (body += chunk.toString()));
        request.on('end', () => {
          asked.push([request.method, request.headers['content-type'], request.headers.authorization, body]);
          response.end('{"kind":"Lease"}');
        });
      },
    ];
    const client = createKubernetesClient({ kubeconfig: api.kubeconfig });
    const write = (method: 'POST' | 'PUT' | 'PATCH'): Promise<unknown> =>
      client.write({ method, path: '/apis/x', body: { name: 'é' } }, never);
    assert.deepEqual(await write('POST'), { kind: 'Lease' });
    await write('PUT');
    await write('PATCH');
    const [json, token, body] = ['application/json', 'Bearer secret-token', '{"name":"é"}'];
    assert.deepEqual(asked, [
      ['POST', json, token, body],
      ['PUT', json, token, body],
      ['PATCH', 'application/merge-patch+json', token, body],
    ]);
    api.lists = [status(409, 'Conflict')];
    await assert.rejects(write('PUT'), {
      name: 'KubernetesApiError',
      status: 409,
      reason: 'Conflict',
      message: 'PUT /apis/x: 409 Conflict: because Conflict',
    });
  });
});
