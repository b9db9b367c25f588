// Does who may ask follow the file, whatever the certificate comes from? The real service on an API server in memory.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '../../src/cli/service.ts';
import { createServerCertificate } from '../../src/demo/server-certificate.ts';
import { toRecord, toText } from '../../src/lib/text.ts';
import { createIdentity } from '../server/identity.ts';
import {
  askService,
  OWN_NAMESPACE,
  readReadiness,
  startTestCluster,
  type TestCluster,
} from '../support/cluster-service.ts';
import { podOf, reviewOf } from '../support/review.ts';
import { until } from '../support/until.ts';
import { createWorkspace, type Workspace } from './run.ts';

const SECRET = `/api/v1/namespaces/${OWN_NAMESPACE}/secrets/model-policy-serving`;
/** Files are looked at twice a second. */
const LOOKED_AT_MS = 1200;

describe('openTls() with --client-ca', () => {
  const [old, next] = [createIdentity('clients'), createIdentity('clients')];
  const [oldClient, nextClient] = [old.issue('kube-apiserver'), next.issue('kube-apiserver')];
  const files = createServerCertificate();
  let workspace: Workspace;
  let cluster: TestCluster;

  const at = (name: string): string => join(workspace.path, name);
  const believe = (pem: string): void => writeFileSync(at('clients.pem'), pem);
  beforeEach(async () => {
    workspace = createWorkspace();
    believe(old.ca);
    writeFileSync(at('tls.crt'), files.cert);
    writeFileSync(at('tls.key'), files.key);
    cluster = await startTestCluster();
    cluster.putNamespace('default');
  });
  afterEach(async () => {
    await cluster.stop();
    workspace.remove();
  });

  const start = async (more: object): Promise<Service> => {
    const service = await cluster.start({ 'client-ca': at('clients.pem'), ...more });
    await service.synced;
    await until('readiness', async () => (await readReadiness(service))[0] === 200);
    return service;
  };
  const isAnswered = async (
    { address }: Service,
    ca: string,
    client?: { readonly key: string; readonly cert: string },
  ): Promise<boolean> => {
    try {
      const options = client === undefined ? {} : { client };
      return (await askService({ address, ca }, reviewOf(podOf({})), options)).allowed;
    } catch {
      return false;
    }
  };
  const storedCa = (): string =>
    Buffer.from(toText(toRecord(cluster.store.get(SECRET)?.['data'])['ca.crt']) ?? '', 'base64').toString();

  for (const [what, toOptions, toCa] of [
    ['made at start', () => ({}), (service: Service) => service.ca ?? ''],
    ['from files', () => ({ 'tls-cert': at('tls.crt'), 'tls-key': at('tls.key') }), () => files.ca],
    ['that is managed', () => ({ 'self-managed-certs': true }), storedCa],
  ] as const)
    it(`follows the file beside a certificate ${what}, and keeps what it had while the file is spoilt`, async () => {
      const service = await start(toOptions());
      const ca = toCa(service);
      const may = async (): Promise<readonly boolean[]> => [
        await isAnswered(service, ca),
        await isAnswered(service, ca, oldClient),
        await isAnswered(service, ca, nextClient),
      ];
      assert.deepEqual(await may(), [false, true, false]);
      believe(`${old.ca}${next.ca}`);
      await until('both', () => isAnswered(service, ca, nextClient));
      assert.deepEqual(await may(), [false, true, true]);
      for (const spoilt of ['', 'no certificate']) {
        believe(spoilt);
        await sleep(LOOKED_AT_MS);
        assert.deepEqual(await may(), [false, true, true]);
      }
      believe(next.ca);
      await until('the new one alone', async () => !(await isAnswered(service, ca, oldClient)));
      assert.deepEqual(await may(), [false, false, true]);
    });

  it('resumes no session of a client whose CA is believed no more', async () => {
    const service = await start({});
    const port = Number(service.address.split(':').at(-1));
    const open = (options: ConnectionOptions): Promise<{ session: Buffer; isReused: boolean }> =>
      new Promise((resolve, reject) => {
        const socket = connect({ port, host: '127.0.0.1', ca: service.ca ?? '', ...options });
        // Tickets come before the first answer.
        let session: Buffer = Buffer.alloc(0);
        socket.on('session', (ticket: Buffer) => (session = ticket));
        socket.once('data', () => {
          resolve({ session, isReused: socket.isSessionReused() });
          socket.destroy();
        });
        socket.once('error', reject);
        socket.once('close', () => reject(new Error('closed without an answer')));
        socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
      });
    const { session } = await open(oldClient);
    assert.equal((await open({ ...oldClient, session })).isReused, true);
    believe(next.ca);
    await until('the new one', () => isAnswered(service, service.ca ?? '', nextClient));
    await assert.rejects(open({ ...oldClient, session }));
    assert.equal(await isAnswered(service, service.ca ?? '', nextClient), true);
  });
});
