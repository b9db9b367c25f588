// What does a cluster do while the webhook is away, or going? Two replicas behind a balancer, under load through the API
// server: one is killed, one is replaced, one is alone and restarted, all are gone and start again where nothing answers.
// At no time is a model admitted that is not signed. One machine stands for several: replicas are processes, the Service is
// e2e/support/balancer.ts.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attachBundle, type PackedModel, packModel } from '../src/demo/artifacts.ts';
import { generateSigningKey } from '../src/demo/keys.ts';
import { type RegistryHandle, startRegistry } from '../src/demo/registry.ts';
import { createServerCertificate } from '../src/demo/server-certificate.ts';
import { signBundleWithKey } from '../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../src/demo/statement.ts';
import { type Balancer, startBalancer } from './support/balancer.ts';
import { type ControlPlane, startControlPlane } from './support/control-plane.ts';
import type { KubectlResult } from './support/kubectl.ts';
import { type Load, startLoad, toLine } from './support/load.ts';
import {
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
/** Watches come back with a growing delay. */
const RECONNECT_BOUND_MS = 60_000;
const SYSTEM = 'model-policy-system';

describe('a cluster whose webhook comes and goes', () => {
  const key = generateSigningKey('p256');
  const certificate = createServerCertificate();
  let cluster: ControlPlane;
  let registry: RegistryHandle | undefined;
  let balancer: Balancer | undefined;
  let signed: PackedModel;
  let unsigned: PackedModel;
  let replicas: Service[] = [];
  let started = 0;
  let load: Load | undefined;

  const kubectl = (args: readonly string[], stdin?: string): Promise<KubectlResult> =>
    cluster.kubectl(args, stdin);
  const succeed = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await kubectl(args, stdin);
    assert.equal(code, 0, stderr + stdout);
    return stdout;
  };
  const apply = (...manifests: readonly Manifest[]): Promise<string> =>
    succeed(['apply', '--filename', '-'], toDocuments(...manifests));
  /** Asks for a verdict without making the pod. */
  const ask = ({ reference }: PackedModel, inNamespace = 'team-a'): Promise<KubectlResult> =>
    kubectl(
      ['create', '--dry-run=server', '--filename', '-'],
      toDocuments(pod('question', inNamespace, reference)),
    );
  const within = (
    what: string,
    condition: () => Promise<boolean>,
    boundMs = EFFECT_BOUND_MS,
  ): Promise<void> => waitFor(what, condition, { boundMs });
  const hasAccount = async (name: string): Promise<boolean> =>
    (await kubectl(['get', 'serviceaccount', 'default', '--namespace', name])).code === 0;
  const openNamespace = async (name: string, labels = {}): Promise<void> => {
    await apply(namespace(name, labels));
    await within('a service account', () => hasAccount(name));
  };
  const policy = (): Manifest =>
    keyPolicy('prod-models', registry?.address ?? '', key.publicKeyPem.toString());
  const startReplica = async (): Promise<Service> => {
    started += 1;
    const directory = join(cluster.directory, `replica-${started}`);
    mkdirSync(directory);
    const [cert, keyFile] = ['tls.crt', 'tls.key'].map((name) => join(directory, name));
    writeFileSync(cert ?? '', certificate.cert);
    writeFileSync(keyFile ?? '', certificate.key);
    return startService({
      kubeconfig: cluster.kubeconfig,
      directory,
      plainHttp: [registry?.address ?? ''],
      args: ['--tls-cert', cert ?? '', '--tls-key', keyFile ?? '', '--drain-delay', '2'],
    });
  };
  const follow = async (...services: readonly Service[]): Promise<void> => {
    replicas = [...services];
    await balancer?.follow(replicas);
  };
  const haveReady = (count: number): Promise<void> =>
    within(`${count} endpoints`, () => Promise.resolve(balancer?.readyCount() === count));
  const begin = async (): Promise<Load> => {
    load = startLoad({
      kubeconfig: cluster.kubeconfig,
      namespace: 'team-a',
      signed: signed.reference,
      unsigned: unsigned.reference,
    });
    await load.pass(40);
    return load;
  };
  const finish = async (): Promise<readonly string[]> => {
    assert.ok(load);
    const counts = await load.stop();
    load = undefined;
    console.info(`      ${toLine(counts)}`);
    const kinds = Map.groupBy(counts.failures, (failure) => failure.replaceAll(/\d{4,}/gu, 'N').slice(-60));
    for (const [failure, all] of kinds) console.info(`      ${all.length} × …${failure}`);
    assert.equal(counts.wrong, 0);
    return counts.failures;
  };

  before(async () => {
    cluster = await startControlPlane();
    [registry, balancer] = [await startRegistry(), await startBalancer()];
    signed = packModel(registry, 'models/signed', { 'model.safetensors': 'signed', 'config.json': '{}' });
    unsigned = packModel(registry, 'models/unsigned', { 'model.safetensors': 'not', 'config.json': '{}' });
    attachBundle(registry, signed, signBundleWithKey(cosignSignStatement(signed.digest), key));
    await succeed(['apply', '--filename', CRD_DIRECTORY]);
    await succeed(['wait', '--for=condition=established', 'crd', '--all', '--timeout=30s']);
    await apply(policy());
    for (const name of ['team-a', 'doomed']) await openNamespace(name, { tier: 'prod' });
    await openNamespace(SYSTEM);
    await within('a service account', () => hasAccount('kube-system'));
    await follow(await startReplica(), await startReplica());
    await apply(webhookAt(balancer.url, certificate.ca));
    await within('the webhook in force', async () =>
      (await ask(unsigned)).stderr.includes('SignatureMissing'),
    );
  });

  afterEach(async function () {
    await load?.stop();
    load = undefined;
    if (this.currentTest?.state !== 'failed') return;
    for (const replica of replicas) console.error(replica.log().slice(-2000));
  });

  after(async () => {
    for (const replica of replicas) await replica.stop();
    await balancer?.stop();
    await cluster?.stop();
    await registry?.close();
  });

  it('asks either replica', async () => {
    await begin();
    assert.deepEqual(await finish(), []);
    for (const replica of replicas)
      assert.match(await replica.metrics(), /^model_policy_requests_total\{[^}]*"denied"\} [1-9]/mu);
  });

  it('admits nothing wrongly when one of two is killed under load, and goes on with the other', async () => {
    const [victim, other] = replicas;
    assert.ok(victim && other);
    const running = await begin();
    victim.kill();
    await haveReady(1);
    await running.pass(20);
    const { failures } = running.counts();
    // Whoever was in the middle of something saw the end; everybody after that is answered.
    await running.pass(200);
    assert.equal(running.counts().failures.length, failures.length);
    for (const failure of await finish()) assert.match(failure, /failed calling webhook/u);
    await follow(other, await startReplica());
  });

  it('fails no request when a replica is replaced under load: a new one first, then the old one drains', async () => {
    const [leaving, staying] = replicas;
    assert.ok(leaving && staying);
    const running = await begin();
    const added = await startReplica();
    await follow(leaving, staying, added);
    await running.pass(40);
    const stopped = leaving.stop();
    await haveReady(2);
    await stopped;
    await running.pass(100);
    assert.deepEqual(await finish(), []);
    await follow(staying, added);
  });

  it('admits nothing wrongly when the only replica is restarted under load, and is served again', async () => {
    const [leaving, only] = replicas;
    assert.ok(leaving && only);
    await follow(only);
    await leaving.stop();
    const running = await begin();
    await only.stop();
    await haveReady(0);
    const during = running.counts();
    await within('failures', () =>
      Promise.resolve(running.counts().failures.length > during.failures.length + 20),
    );
    await follow(await startReplica());
    await running.pass(100);
    for (const failure of await finish()) assert.match(failure, /failed calling webhook/u);
  });

  describe('when all replicas are gone', () => {
    before(async () => {
      for (const name of ['mortal', 'kept']) await apply(pod(name, 'doomed', signed.reference));
      for (const replica of replicas) await replica.stop();
      await follow();
    });

    it('fault 63: denies every pod, signed or not, for want of an answer', async () => {
      for (const model of [signed, unsigned]) {
        const { code, stderr } = await ask(model);
        assert.equal(code, 1);
        assert.match(stderr, /failed calling webhook "validate\.modelpolicy\.dev"/u);
      }
    });

    it('lets pods, namespaces and policies be deleted, and policies be saved', async () => {
      await succeed(['delete', 'pod', 'mortal', '--namespace=doomed', '--timeout=20s']);
      await succeed(['delete', 'namespace', 'doomed', '--timeout=50s']);
      await succeed(['delete', 'clustermodelpolicy', 'prod-models', '--timeout=20s']);
      await apply(policy());
    });

    it('fault 57: lets the system and the controller itself start, and the controller starts from nothing', async () => {
      const { code, stderr } = await ask(signed);
      assert.equal(code, 1, stderr);
      await apply(pod('system', 'kube-system'), pod('controller', SYSTEM));
      await follow(await startReplica(), await startReplica());
      await within('an answer', async () => (await ask(signed)).code === 0);
      assert.match((await ask(unsigned)).stderr, /denied the request: SignatureMissing/u);
    });
  });

  it('fault 56: admits nothing while the definition of policies is gone, and follows it when it is back', async () => {
    await succeed(['delete', 'crd', 'clustermodelpolicies.modelpolicy.dev', '--timeout=30s']);
    await within('the deletion to count', async () =>
      (await ask(signed)).stderr.includes('NoMatchingPolicy'),
    );
    assert.match((await ask(unsigned)).stderr, /denied the request: NoMatchingPolicy/u);
    await succeed(['apply', '--filename', CRD_DIRECTORY]);
    await succeed(['wait', '--for=condition=established', 'crd', '--all', '--timeout=30s']);
    await apply(policy());
    // Replicas take turns: both have to know.
    const areAdmitted = async (): Promise<boolean> => {
      const answers = await Promise.all([1, 2, 3, 4].map(() => ask(signed)));
      return answers.every(({ code }) => code === 0);
    };
    await within('the policy', areAdmitted, RECONNECT_BOUND_MS);
    assert.match((await ask(unsigned)).stderr, /denied the request: SignatureMissing/u);
  });
});
