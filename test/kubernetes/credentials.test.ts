// Does a pod find its API server, and only that one, by what the kubelet gives it? A real HTTPS server, and the files of a
// service account in a directory of the test.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServerCertificate } from '../../src/demo/server-certificate.ts';
import { openServiceAccount } from '../../src/kubernetes/credentials.ts';
import { KubernetesApiError, KubernetesConfigError } from '../../src/kubernetes/errors.ts';
import { openResponse, readBody } from '../../src/kubernetes/transport.ts';

describe('openServiceAccount()', () => {
  const certificate = createServerCertificate();
  let directory: string;
  let server: Server;
  let environment: Record<string, string>;
  let authorizations: (string | undefined)[];

  const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);
  const ask = async (): Promise<string> => {
    const credentials = openServiceAccount(environment, directory);
    const options = { ...(await credentials.authenticate()), timeout: 5000 };
    const answer = await openResponse({ base: credentials.server, path: '/version', options });
    return Buffer.from(await readBody(answer, 1000)).toString();
  };

  beforeEach(async () => {
    authorizations = [];
    server = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
      authorizations.push(request.headers.authorization);
      response.end('{}');
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    const { port } = server.address() as AddressInfo;
    environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(port) };
    directory = mkdtempSync(join(tmpdir(), 'service-account-'));
    write('ca.crt', certificate.ca);
    write('token', 'first\n');
    write('namespace', 'own');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  });

  it('says which server, and in which namespace the pod is', () => {
    const { server: url, namespace } = openServiceAccount(environment, directory);
    assert.equal(url.origin, `https://127.0.0.1:${environment['KUBERNETES_SERVICE_PORT']}`);
    assert.equal(namespace, 'own');
    const at = (host: string, port?: string): string =>
      openServiceAccount(
        { KUBERNETES_SERVICE_HOST: host, ...(port && { KUBERNETES_SERVICE_PORT: port }) },
        directory,
      ).server.href;
    assert.equal(at('fd00::1', '6443'), 'https://[fd00::1]:6443/');
    assert.equal(at('10.0.0.1'), 'https://10.0.0.1/');
    rmSync(join(directory, 'namespace'));
    assert.equal(openServiceAccount(environment, directory).namespace, undefined);
  });

  it('shows the token of now, whenever it was replaced', async () => {
    assert.equal(await ask(), '{}');
    write('token', 'second');
    await ask();
    assert.deepEqual(authorizations, ['Bearer first', 'Bearer second']);
  });

  it('believes the CA of now, and no other', async () => {
    write('ca.crt', createServerCertificate().ca);
    await assert.rejects(ask(), KubernetesApiError);
    assert.deepEqual(authorizations, []);
    write('ca.crt', `${createServerCertificate().ca}${certificate.ca}`);
    assert.equal(await ask(), '{}');
  });

  for (const name of ['token', 'ca.crt'])
    for (const [what, spoil] of [
      ['is gone', () => rmSync(join(directory, name))],
      ['is empty', () => write(name, '\n')],
    ] as const)
      it(`asks nobody while ${name} ${what}, and says so`, async () => {
        spoil();
        await assert.rejects(ask(), { status: 0, reason: 'CredentialsUnreadable' });
        assert.deepEqual(authorizations, []);
        write(name, name === 'token' ? 'first' : certificate.ca);
        assert.equal(await ask(), '{}');
      });

  it('is for pods alone', () => {
    assert.throws(() => openServiceAccount({}, directory), /not in a cluster/);
    for (const host of ['a b', 'a/b?', '@', '10.0.0.1:x'])
      assert.throws(
        () => openServiceAccount({ ...environment, KUBERNETES_SERVICE_HOST: host }, directory),
        KubernetesConfigError,
        host,
      );
  });
});
