// Does a certificate that changes cost a single answer (fault 55)? Files that are replaced under load with an overlap of
// authorities, one after the other, that are spoilt or expired; a managed Secret that is deleted. Whole rotations of a
// managed CA against a real API server are in e2e/operations.e2e.ts. That the files are those of a mounted Secret on a
// node is simulated by writing them.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toCaBundles, toWebhooks } from '../../src/admission/registration.ts';
import type { Service } from '../../src/cli/service.ts';
import { createServerCertificate, type ServerCertificate } from '../../src/demo/server-certificate.ts';
import { createWorkspace, type Workspace } from '../cli/run.ts';
import {
  askService,
  OWN_NAMESPACE,
  readMetrics,
  readReadiness,
  startTestCluster,
  type TestCluster,
} from '../support/cluster-service.ts';
import { sumOf } from '../support/expect.ts';
import { podOf, reviewOf } from '../support/review.ts';
import { until } from '../support/until.ts';

const SECRET = `/api/v1/namespaces/${OWN_NAMESPACE}/secrets/model-policy-serving`;
const REGISTRATION =
  '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/model-policy-controller';
const EXPIRY = 'model_policy_certificate_expiry_timestamp_seconds';

/** Files are looked at twice a second. */
const LOOKED_AT_MS = 1200;

/** Requests that go on until they are stopped, each on a connection of its own. */
interface Load {
  readonly counts: { answered: number };
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

/** @param readCa what clients believe at the moment */
function startLoad({ address }: Service, readCa: () => string): Load {
  const counts = { answered: 0 };
  const failures: string[] = [];
  const end = new AbortController();
  const repeat = async (): Promise<void> => {
    while (!end.signal.aborted) {
      try {
        await askService({ address, ca: readCa() }, reviewOf(podOf({})));
        counts.answered += 1;
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const clients = [repeat(), repeat(), repeat()];
  return {
    counts,
    failures,
    async stop() {
      end.abort();
      await Promise.all(clients);
    },
  };
}

describe('a serving certificate', () => {
  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await startTestCluster();
    cluster.putNamespace('default');
  });
  afterEach(async () => cluster.stop());

  const isServed = async (service: Service, ca: string): Promise<boolean> => {
    try {
      return (await askService({ address: service.address, ca }, reviewOf(podOf({})))).allowed;
    } catch {
      return false;
    }
  };
  const readExpiry = async (service: Service): Promise<number> =>
    sumOf(await readMetrics(service), EXPIRY, { certificate: 'serving' });
  const toExpiry = (cert: string): number => new X509Certificate(cert).validToDate.getTime() / 1000;
  /** Waits until that many more were answered. */
  const pass = (load: Load, more: number): Promise<void> => {
    const target = load.counts.answered + more;
    return until(`${more} answers`, () => load.counts.answered >= target);
  };

  describe('from files', () => {
    const [old, next] = [createServerCertificate(), createServerCertificate()];
    const both = `${old.ca}${next.ca}`;
    let workspace: Workspace;
    let service: Service;

    const write = (files: Partial<ServerCertificate>): void => {
      if (files.cert !== undefined) writeFileSync(join(workspace.path, 'tls.crt'), files.cert);
      if (files.key !== undefined) writeFileSync(join(workspace.path, 'tls.key'), files.key);
    };
    beforeEach(async () => {
      workspace = createWorkspace();
      write(old);
      const [cert, key] = ['tls.crt', 'tls.key'].map((name) => join(workspace.path, name));
      service = await cluster.start({ 'tls-cert': cert, 'tls-key': key });
      await service.synced;
    });
    afterEach(() => workspace.remove());

    it('fault 55: is replaced under load without a failed handshake, where clients believe both authorities', async () => {
      const load = startLoad(service, () => both);
      await pass(load, 20);
      assert.equal(await readExpiry(service), toExpiry(old.cert));
      write(next);
      await until('the other certificate', () => isServed(service, next.ca));
      assert.equal(await isServed(service, old.ca), false);
      await pass(load, 20);
      await load.stop();
      assert.deepEqual(load.failures, []);
      assert.equal(await readExpiry(service), toExpiry(next.cert));
    });

    for (const [what, files] of [
      ['half written', { cert: next.cert }],
      ['emptied', { cert: '', key: '' }],
      ['cut short', { cert: next.cert.slice(0, 200), key: next.key.slice(0, 50) }],
      ['something else', { cert: 'certificate', key: next.cert }],
    ] as const)
      it(`fault 55: stays in use while its files are ${what}, and is replaced when they are whole`, async () => {
        const load = startLoad(service, () => both);
        write(files);
        await sleep(LOOKED_AT_MS);
        await pass(load, 20);
        assert.equal(await isServed(service, old.ca), true);
        assert.equal((await readReadiness(service))[0], 200);
        write(next);
        await until('the other certificate', () => isServed(service, next.ca));
        await load.stop();
        assert.deepEqual(load.failures, []);
      });

    it('fault 55: that has expired is believed by nobody, which the metric has told', async () => {
      const past = new Date(Date.now() - 60_000);
      const expired = createServerCertificate(undefined, { notAfter: past });
      write(expired);
      await until(
        'the expired certificate',
        async () => (await readExpiry(service)) === toExpiry(expired.cert),
      );
      assert.ok((await readExpiry(service)) < Date.now() / 1000);
      await assert.rejects(
        askService({ address: service.address, ca: expired.ca }, reviewOf(podOf({}))),
        /expired/,
      );
      write(next);
      await until('the other certificate', () => isServed(service, next.ca));
    });
  });

  it('fault 55: whose Secret is deleted under load is served on, and made again beside the old authority', async () => {
    cluster.store.put(REGISTRATION, {
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'model-policy-controller' },
      webhooks: toWebhooks(OWN_NAMESPACE),
    });
    const bundle = (): string => toCaBundles(cluster.store.get(REGISTRATION))[0] ?? '';
    const replicas = [];
    for (let count = 0; count < 2; count += 1)
      replicas.push(await cluster.start({ 'self-managed-certs': true, 'webhook-config': 'Manage' }));
    for (const service of replicas)
      await until('readiness', async () => (await readReadiness(service))[0] === 200);
    await until('an authority', () => bundle() !== '');
    const before = bundle();
    const loads = replicas.map((service) => startLoad(service, bundle));
    cluster.store.delete(SECRET);
    await until('both authorities', () => bundle() !== before && bundle().includes(before.trim()));
    for (const load of loads) await pass(load, 50);
    for (const load of loads) await load.stop();
    for (const { failures } of loads) assert.deepEqual(failures, []);
    assert.ok(cluster.store.get(SECRET) !== undefined);
    for (const service of replicas) {
      assert.equal((await readReadiness(service))[0], 200);
      assert.ok((await readExpiry(service)) > Date.now() / 1000);
    }
  });
});
