// Is a new certificate served only when clients believe it, and do two that write agree?
import assert from 'node:assert/strict';
import { createCertificateJob, toBundle } from '../../src/cli/certificate-job.ts';
import { CERTIFICATE_SECRET, createCertificateStore } from '../../src/cli/certificate-store.ts';
import type { ClusterView } from '../../src/cli/cluster-source.ts';
import { createKubernetesClient } from '../../src/kubernetes/client.ts';
import { KubernetesApiError } from '../../src/kubernetes/errors.ts';
import { toRecord, toText } from '../../src/lib/text.ts';
import { type FakeStore, startFakeStore } from '../kubernetes/fake-store.ts';

const PATH = `/api/v1/namespaces/own/secrets/${CERTIFICATE_SECRET}`;

describe('createCertificateJob()', () => {
  let store: FakeStore;
  let bundles: readonly string[] | undefined;
  let results: string[];
  const never = new AbortController().signal;

  /** A replica; `see` brings what the watch would. */
  const open = (propagationMs = 0): { look: () => Promise<void>; see: () => void } => {
    let secrets: ReadonlyMap<string, object> | undefined;
    const cluster: ClusterView = {
      client: createKubernetesClient({ kubeconfig: store.api.kubeconfig }),
      namespace: 'own',
      objects: () => secrets,
      onChange: () => undefined,
    };
    const look = createCertificateJob({
      cluster,
      store: createCertificateStore(cluster),
      metrics: { observeWrite: (_what, result) => void results.push(result) },
      hosts: ['localhost'],
      readCaBundles: () => bundles,
      signal: never,
      propagationMs,
    });
    const see = (): void => {
      const object = store.get(PATH);
      secrets = new Map(object === undefined ? [] : [[`own/${CERTIFICATE_SECRET}`, structuredClone(object)]]);
    };
    return { look, see };
  };
  const dataOf = (name: string): string =>
    Buffer.from(toText(toRecord(store.get(PATH)?.['data'])[name]) ?? '', 'base64').toString();

  beforeEach(async () => {
    store = await startFakeStore();
    bundles = undefined;
    results = [];
  });
  afterEach(() => store.api.stop());

  it('does nothing before it knows which Secrets there are', async () => {
    await open().look();
    assert.deepEqual(store.writes, []);
  });

  it('makes a Secret of the type for TLS, and then leaves it alone', async () => {
    const one = open();
    one.see();
    await one.look();
    assert.equal(store.get(PATH)?.['type'], 'kubernetes.io/tls');
    one.see();
    await one.look();
    assert.equal(store.writes.length, 1);
  });

  it('serves under a new CA only once every webhook has believed it for a while', async () => {
    const one = open();
    one.see();
    await one.look();
    one.see();
    await one.look();
    const [cert, ca] = [dataOf('tls.crt'), dataOf('ca.crt')];
    store.delete(PATH);
    one.see();
    await one.look();
    one.see();
    const both = dataOf('ca.crt');
    assert.ok(both.endsWith(ca) && both.length > ca.length);
    for (const believed of [undefined, [ca, ca], [both, ca]]) {
      bundles = believed;
      await one.look();
      assert.equal(dataOf('tls.crt'), cert);
    }
    const patient = open(3_600_000);
    patient.see();
    bundles = [both, both];
    await patient.look();
    assert.equal(dataOf('tls.crt'), cert);
    await one.look();
    await one.look();
    assert.notEqual(dataOf('tls.crt'), cert);
    assert.equal(dataOf('ca.crt'), both);
  });

  it('has the same Secret after two wrote at once', async () => {
    const [one, two] = [open(), open()];
    for (const replica of [one, two]) replica.see();
    await Promise.all([one.look(), two.look()]);
    assert.deepEqual(results.toSorted(), ['conflict', 'written']);
    const cert = dataOf('tls.crt');
    for (const replica of [one, two]) {
      replica.see();
      await replica.look();
    }
    assert.equal(dataOf('tls.crt'), cert);
    // Both saw the same old version: the second has to look again.
    store.put(PATH, { ...store.get(PATH), data: { ...toRecord(store.get(PATH)?.['data']), 'ca.key': '' } });
    for (const replica of [one, two]) replica.see();
    await Promise.all([one.look(), two.look()]);
    assert.deepEqual(results.toSorted(), ['conflict', 'conflict', 'written', 'written']);
  });

  it('throws what has to be tried again', async () => {
    store.intercept = (_request, response) => {
      response.statusCode = 403;
      response.end('{"reason":"Forbidden"}');
      return true;
    };
    const one = open();
    one.see();
    await assert.rejects(one.look(), KubernetesApiError);
    assert.deepEqual(results, ['failed']);
  });
});

describe('toBundle()', () => {
  it('ends each certificate with a line break', () => {
    assert.equal(toBundle(['a', 'b\n\n']), 'a\nb\n');
  });
});
