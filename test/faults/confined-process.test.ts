// Does the process work where it may do nothing (fault 62)? bin's own Node with a permission model that lets nobody write
// outside of one directory, as a read-only root with an emptyDir on /tmp; under another user id where the tests run as
// root and that user can read the project; with every way out of the machine leading to a proxy that refuses.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { toWebhooks } from '../../src/admission/registration.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { toRecord, toText } from '../../src/lib/text.ts';
import { startProxy, type ConnectProxy } from '../support/connect-proxy.ts';
import { askService, OWN_NAMESPACE, startTestCluster, type TestCluster } from '../support/cluster-service.ts';
import { pushModel, pushSigned, teamPolicy, type Answer } from '../support/controller.ts';
import { reviewOf, volumePod } from '../support/review.ts';
import { until } from '../support/until.ts';

const ROOT = join(import.meta.dirname, '../..');
const NODE = join(ROOT, 'node_modules/node/bin/node');
const ANYBODY = 54_321;
const SECRET = `/api/v1/namespaces/${OWN_NAMESPACE}/secrets/model-policy-serving`;
const REGISTRATION =
  '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/model-policy-controller';

/** Another user, if this one may choose and that one can come here. */
function toUser(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (let path = ROOT; path !== dirname(path); path = dirname(path))
    // oxlint-disable-next-line no-bitwise -- the mode is bits: others may enter
    if ((statSync(path).mode & 0o001) === 0) return {};
  return { uid: ANYBODY, gid: ANYBODY };
}

describe('a confined process', () => {
  let cluster: TestCluster;
  let registry: RegistryHandle;
  let proxy: ConnectProxy;
  let child: ChildProcess | undefined;
  let directory: string;

  beforeEach(async () => {
    [cluster, registry] = [await startTestCluster(), await startRegistry()];
    proxy = await startProxy({ refusal: 403 });
    directory = mkdtempSync(join(tmpdir(), 'model-policy-confined-'));
    chmodSync(directory, 0o755);
    copyFileSync(cluster.store.api.kubeconfig, join(directory, 'kubeconfig'));
    chmodSync(join(directory, 'kubeconfig'), 0o644);
    mkdirSync(join(directory, 'tmp'));
    chmodSync(join(directory, 'tmp'), 0o777);
  });
  afterEach(async () => {
    if (child?.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await cluster.stop();
    await registry.close();
    await proxy.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('fault 62: serves, verifies and writes to the cluster, and nowhere else', async function () {
    this.timeout(60_000);
    const [signed, unsigned] = [pushSigned(registry), pushModel(registry)];
    cluster.putNamespace('default');
    cluster.put('clustermodelpolicies', 'team', teamPolicy(registry));
    cluster.put('trustroots', 'public-good', { sigstorePublicGood: {} });
    cluster.store.put(REGISTRATION, {
      metadata: { name: 'model-policy-controller' },
      webhooks: toWebhooks(OWN_NAMESPACE),
    });
    const temporary = join(directory, 'tmp');
    // Nothing is written but there; no program is started, no addon loaded.
    const confinement = `--permission --allow-fs-read=* --allow-fs-write=${temporary}/* --allow-net --allow-worker`;
    const options =
      `--kubeconfig ${join(directory, 'kubeconfig')} --controller-namespace ${OWN_NAMESPACE} ` +
      `--listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 --plain-http ${registry.address} ` +
      '--self-managed-certs --write-status --webhook-config Manage';
    const args = [...confinement.split(' '), join(ROOT, 'src/main.ts'), 'serve', ...options.split(' ')];
    const env = {
      TMPDIR: temporary,
      HTTPS_PROXY: proxy.url,
      NO_PROXY: '127.0.0.1',
      NODE_COMPILE_CACHE: '',
    };
    let log = '';
    child = spawn(NODE, args, { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'], ...toUser() });
    child.stdout?.on('data', (chunk: Buffer) => (log += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()));
    // Once it serves with the certificate that it made, and not before.
    await until('readiness', () => /ready: https.*"serving certificate loaded from its Secret"/s.test(log));
    const address = /ready: https:\/\/(\S+)\/validate/.exec(log)?.[1] ?? '';
    const encoded = toText(toRecord(cluster.store.get(SECRET)?.['data'])['ca.crt']) ?? '';
    const ca = Buffer.from(encoded, 'base64').toString();
    const ask = (reference: string): Promise<Answer> =>
      askService({ address, ca }, reviewOf(volumePod(reference)));
    assert.equal((await ask(signed.reference)).allowed, true, log);
    assert.deepEqual((await ask(unsigned.reference)).reasons, ['SignatureMissing']);
    await until('a status', () =>
      cluster.store.writes.some(({ path }) => path.endsWith('/clustermodelpolicies/team/status')),
    );
    assert.deepEqual(
      [...new Set(proxy.requests.map(({ target }) => target))],
      ['tuf-repo-cdn.sigstore.dev:443'],
    );
    assert.deepEqual(readdirSync(directory).toSorted(), ['kubeconfig', 'tmp']);
    assert.doesNotMatch(log, /ERR_ACCESS_DENIED|EACCES|EROFS/);
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number | null];
    assert.equal(code, 0, log);
  });
});
