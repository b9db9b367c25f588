// Does the controller look after itself in a real cluster? Two replicas with the rights that deploy/base grants: status,
// the registration and its CA, certificates that are replaced under load, a leader that is killed, keys that are replaced.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { attachBundle, type PackedModel, packModel } from '../src/demo/artifacts.ts';
import { generateSigningKey } from '../src/demo/keys.ts';
import { type RegistryHandle, startRegistry } from '../src/demo/registry.ts';
import { signBundleWithKey } from '../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../src/demo/statement.ts';
import { createKubernetesClient } from '../src/kubernetes/client.ts';
import { type ControlPlane, startControlPlane } from './support/control-plane.ts';
import type { KubectlResult } from './support/kubectl.ts';
import {
  BASE_DIRECTORY,
  CRD_DIRECTORY,
  keyPolicy,
  type Manifest,
  namespace,
  pod,
  toDocuments,
  webhookAt,
} from './support/manifests.ts';
import { waitFor } from './support/processes.ts';
import { type Service, startService } from './support/service.ts';

const EFFECT_BOUND_MS = 15_000;
/** The leader waits ten seconds before it uses a new CA, and looks every fifteen. */
const ROTATION_BOUND_MS = 60_000;
/** A lease lives 15 s. */
const TAKE_OVER_BOUND_MS = 45_000;
const NAMESPACE = 'model-policy-system';
const SYSTEM = ['--namespace', NAMESPACE];
const REGISTRATION = 'validatingwebhookconfiguration/model-policy-controller';

interface KubeConfigFile {
  readonly users: { user: object }[];
}

describe('a cluster with two replicas', () => {
  const key = generateSigningKey('p256');
  const otherKey = generateSigningKey('p256');
  let cluster: ControlPlane | undefined;
  let registry: RegistryHandle | undefined;
  let leader: Service | undefined;
  let other: Service | undefined;
  let model: PackedModel;

  const kubectl = async (args: readonly string[], stdin?: string): Promise<KubectlResult> => {
    assert.ok(cluster);
    return cluster.kubectl(args, stdin);
  };
  const succeed = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await kubectl(args, stdin);
    assert.equal(code, 0, stderr + stdout);
    return stdout;
  };
  const apply = (manifest: Manifest): Promise<string> =>
    succeed(['apply', '--filename', '-'], toDocuments(manifest));
  /** Asks for a verdict without making the pod. */
  const ask = (): Promise<KubectlResult> =>
    kubectl(
      ['apply', '--dry-run=server', '--filename', '-'],
      toDocuments(pod('question', 'team-a', model.reference)),
    );
  const isAdmitted = async (): Promise<boolean> => (await ask()).code === 0;
  const read = (what: string, path: string, ...more: readonly string[]): Promise<string> =>
    succeed(['get', what, '--output', `jsonpath=${path}`, ...more]);
  const readSecret = async (member: string): Promise<string> =>
    Buffer.from(
      await read('secret/model-policy-serving', `{.data.${member.replace('.', '\\.')}}`, ...SYSTEM),
      'base64',
    ).toString();
  const storedCertificate = async (): Promise<string> =>
    new X509Certificate(await readSecret('tls.crt')).fingerprint256;
  const isLeading = async (service: Service | undefined): Promise<boolean> =>
    (await service?.metrics())?.includes('\nmodel_policy_leader 1\n') ?? false;
  /** Fingerprint of the certificate that a client gets who believes these authorities. @throws when the handshake fails */
  const shakeHands = (service: Service, ca: string): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const { hostname, port } = new URL(service.url);
    const socket = connect({ host: hostname, port: Number(port), ca }, () => {
      resolve(new X509Certificate(socket.getPeerCertificate().raw).fingerprint256);
      socket.end();
    });
    socket.on('error', reject);
    return promise;
  };
  const readBundle = async (): Promise<string> =>
    Buffer.from(await read(REGISTRATION, '{.webhooks[0].clientConfig.caBundle}'), 'base64').toString();
  const within = (
    what: string,
    condition: () => Promise<boolean>,
    boundMs = EFFECT_BOUND_MS,
  ): Promise<void> => waitFor(what, condition, { boundMs });
  const writeKey = (publicKey: { publicKeyPem: string | Buffer }): Promise<string> =>
    apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'release-key', namespace: NAMESPACE },
      stringData: { 'key.pem': publicKey.publicKeyPem.toString() },
    });

  before(async () => {
    cluster = await startControlPlane();
    registry = await startRegistry();
    model = packModel(registry, 'models/signed', { 'model.safetensors': 'x', 'config.json': '{}' });
    attachBundle(registry, model, signBundleWithKey(cosignSignStatement(model.digest), key));
    await succeed(['apply', '--filename', CRD_DIRECTORY]);
    await succeed(['wait', '--for=condition=established', 'crd', '--all', '--timeout=30s']);
    for (const file of ['namespace.yaml', 'serviceaccount.yaml', 'rbac.yaml']) {
      const where = file === 'serviceaccount.yaml' ? SYSTEM : [];
      await succeed(['apply', '--filename', join(BASE_DIRECTORY, file), ...where]);
    }
    await apply(namespace('team-a', { tier: 'prod' }));
    await writeKey(key);
    const policy = keyPolicy('prod-models', registry.address, '') as { spec: object };
    const secretKeyRef = { name: 'release-key', key: 'key.pem' };
    await apply({
      ...policy,
      spec: { ...policy.spec, authorities: [{ name: 'release-key', key: { secretKeyRef } }] },
    });
    const token = (await succeed(['create', 'token', 'model-policy-controller', ...SYSTEM])).trim();
    const config = parse(readFileSync(cluster.kubeconfig, 'utf8')) as KubeConfigFile;
    for (const user of config.users) user.user = { token };
    const kubeconfig = join(cluster.directory, 'controller.kubeconfig');
    writeFileSync(kubeconfig, stringify(config), { mode: 0o600 });
    const plainHttp = [registry.address];
    const start = (name: string): Promise<Service> => {
      const directory = join(cluster?.directory ?? '', name);
      mkdirSync(directory);
      const args = ['--write-status', '--self-managed-certs', '--webhook-config', 'Manage'];
      return startService({ kubeconfig, directory, plainHttp, args });
    };
    leader = await start('first');
    other = await start('second');
    await within(
      'a service account',
      async () => (await kubectl(['get', 'serviceaccount', 'default', '--namespace', 'team-a'])).code === 0,
    );
    await apply(webhookAt(other.url, ''));
  });

  afterEach(function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const service of [leader, other]) console.error(service?.log().slice(-3000));
  });

  after(async () => {
    await other?.stop();
    await leader?.stop();
    await cluster?.stop();
    await registry?.close();
  });

  it('is served with a certificate that the leader made, and asks because the leader wrote its CA', async () => {
    assert.deepEqual([await isLeading(leader), await isLeading(other)], [true, false]);
    await within(
      'a CA in the registration',
      async () => (await readBundle()) === (await readSecret('ca.crt')),
    );
    await within('the webhook in force', isAdmitted);
    assert.ok(other);
    assert.equal(await shakeHands(other, await readBundle()), await storedCertificate());
  });

  it('shows what is in force, and what is not, with kubectl', async () => {
    await succeed(['wait', '--for=condition=Ready', 'clustermodelpolicy/prod-models', '--timeout=20s']);
    await apply({
      apiVersion: 'modelpolicy.dev/v1alpha1',
      kind: 'ClusterModelPolicy',
      metadata: { name: 'without-key' },
      spec: {
        models: [{ glob: 'nowhere.test/**' }],
        authorities: [{ name: 'a', key: { secretKeyRef: { name: 'missing', key: 'x' } } }],
      },
    });
    await apply({
      apiVersion: 'modelpolicy.dev/v1alpha1',
      kind: 'TrustRoot',
      metadata: { name: 'public-good' },
      spec: { sigstorePublicGood: {} },
    });
    await succeed(['wait', '--for=condition=KeysReady=false', 'cmp/without-key', '--timeout=20s']);
    await succeed(['wait', '--for=condition=Ready', 'trustroot/public-good', '--timeout=20s']);
    const table = await succeed(['get', 'clustermodelpolicies']);
    assert.match(table, /^prod-models +\S* +True +Ready /mu);
    assert.match(table, /^without-key +\S* +False +CredentialsUnavailable /mu);
    assert.match(await succeed(['get', 'trustroots']), /^public-good +(?:shipped|tuf) +20\S+Z +True\b/mu);
    const events = ['get', 'events.events.k8s.io', '--namespace', 'default', '--output', 'json'];
    await within('an event', async () => (await succeed(events)).includes('CredentialsUnavailable'));
    await succeed(['delete', 'cmp', 'without-key']);
  });

  it('fault 44: restores a status that somebody else wrote', async () => {
    const forged = JSON.stringify({ status: { conditions: [] } });
    await succeed(['patch', 'cmp', 'prod-models', '--subresource=status', '--type=merge', '--patch', forged]);
    await succeed(['wait', '--for=condition=Ready', 'clustermodelpolicy/prod-models', '--timeout=20s']);
  });

  it('fault 59: puts a changed registration back, and counts it', async () => {
    const patch = JSON.stringify([
      { op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' },
      { op: 'replace', path: '/webhooks/0/timeoutSeconds', value: 1 },
      { op: 'add', path: '/webhooks/0/matchConditions', value: [{ name: 'never', expression: 'false' }] },
    ]);
    await succeed(['patch', REGISTRATION, '--type=json', '--patch', patch]);
    const state =
      '{.webhooks[0].failurePolicy} {.webhooks[0].timeoutSeconds} {.webhooks[0].matchConditions[*].name}';
    await within(
      'the registration',
      async () => (await read(REGISTRATION, state)) === 'Fail 10 spec-is-new-or-changed',
    );
    const metrics = (await leader?.metrics()) ?? '';
    for (const field of ['failurePolicy', 'timeoutSeconds', 'matchConditions'])
      assert.ok(metrics.includes(`model_policy_webhook_drift_total{field="${field}"} 1`), metrics);
  });

  it('fault 55: replaces CA and certificate under load without a failed handshake', async () => {
    assert.ok(other && cluster);
    const service = other;
    const client = createKubernetesClient({ kubeconfig: cluster.kubeconfig });
    const before = await storedCertificate();
    const load = new AbortController();
    const signal = AbortSignal.timeout(ROTATION_BOUND_MS * 2);
    const failures: string[] = [];
    const counts = { reviews: 0, handshakes: 0 };
    const repeat = async (act: () => Promise<unknown>, what: keyof typeof counts): Promise<void> => {
      while (!load.signal.aborted) {
        try {
          await act();
          counts[what] += 1;
        } catch (error) {
          failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
        }
        await sleep(5);
      }
    };
    const path = '/api/v1/namespaces/team-a/pods?dryRun=All';
    const body = pod('load', 'team-a', model.reference);
    // As a client does that learns of authorities a little late.
    let bundle = await readBundle();
    const running = [
      ...[1, 2, 3].map(() => repeat(() => client.write({ method: 'POST', path, body }, signal), 'reviews')),
      repeat(() => shakeHands(service, bundle), 'handshakes'),
      (async () => {
        while (!load.signal.aborted) {
          bundle = await readBundle();
          await sleep(1000);
        }
      })(),
    ];
    await succeed(['delete', 'secret', 'model-policy-serving', ...SYSTEM]);
    try {
      await waitFor(
        'another certificate',
        async () => {
          const served = await shakeHands(service, bundle);
          return served !== before && served === (await storedCertificate());
        },
        { boundMs: ROTATION_BOUND_MS },
      );
      await sleep(2000);
    } finally {
      load.abort();
      await Promise.all(running);
    }
    console.info(
      `      ${counts.reviews} reviews, ${counts.handshakes} handshakes, ${failures.length} failed`,
    );
    assert.deepEqual(failures.slice(0, 5), []);
    assert.ok(counts.reviews > 20 && counts.handshakes > 20);
  });

  it('follows a key that is replaced in its Secret', async () => {
    assert.equal(await isAdmitted(), true);
    const startedMs = performance.now();
    await writeKey(otherKey);
    await within('the old key to count no more', async () => !(await isAdmitted()));
    console.info(`      after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    assert.match((await ask()).stderr, /denied the request: Sign/u);
    await writeKey(key);
    await within('the key to count again', isAdmitted);
  });

  it('goes on writing after the API server restarts', async () => {
    assert.ok(cluster);
    await cluster.restartApiServer();
    assert.equal(await isAdmitted(), true);
    await within(
      'a leader',
      async () => (await isLeading(leader)) || (await isLeading(other)),
      TAKE_OVER_BOUND_MS,
    );
    const forged = JSON.stringify({ status: { conditions: [] } });
    await succeed(['patch', 'cmp', 'prod-models', '--subresource=status', '--type=merge', '--patch', forged]);
    await succeed(['wait', '--for=condition=Ready', 'clustermodelpolicy/prod-models', '--timeout=60s']);
  });

  it('fault 58: has another leader when the leader is killed, and answers meanwhile', async () => {
    if (await isLeading(other)) [leader, other] = [other, leader];
    assert.ok(leader && other);
    await apply(webhookAt(other.url, await readSecret('ca.crt')));
    await within('the webhook in force', isAdmitted);
    // As many terms as the type can count: the next leader has no number left.
    const toSpec = (leaseTransitions: number): string => JSON.stringify({ spec: { leaseTransitions } });
    const spend = (leaseTransitions: number): Promise<KubectlResult> =>
      kubectl([
        'patch',
        'lease/model-policy-controller',
        ...SYSTEM,
        '--type=merge',
        '--patch',
        toSpec(leaseTransitions),
      ]);
    assert.notEqual((await spend(2 ** 31)).code, 0);
    assert.equal((await spend(2 ** 31 - 1)).code, 0);
    const startedMs = performance.now();
    leader.kill();
    assert.equal(await isAdmitted(), true);
    await within('another leader', () => isLeading(other), TAKE_OVER_BOUND_MS);
    console.info(`      after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    const patch = JSON.stringify([{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' }]);
    await succeed(['patch', REGISTRATION, '--type=json', '--patch', patch]);
    await within(
      'the registration',
      async () => (await read(REGISTRATION, '{.webhooks[0].failurePolicy}')) === 'Fail',
    );
  });
});
