// Does a cluster admit what its policies allow, and nothing else? The stories of an administrator and a developer
// with kubectl, a real API server and real controllers, and the registration that deploy/base ships.
// What makes a signature valid is left to the unit tests.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { attachBundle, type PackedModel, packModel } from '../src/demo/artifacts.ts';
import { generateSigningKey } from '../src/demo/keys.ts';
import { type RegistryHandle, startRegistry } from '../src/demo/registry.ts';
import { signBundleWithKey } from '../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../src/demo/statement.ts';
import { type ControlPlane, startControlPlane } from './support/control-plane.ts';
import type { KubectlResult } from './support/kubectl.ts';
import {
  BASE_DIRECTORY,
  CRD_DIRECTORY,
  deployment,
  keyPolicy,
  type Manifest,
  namespace,
  pod,
  toDocuments,
  volumePolicyOf,
  webhookAt,
} from './support/manifests.ts';
import { waitFor } from './support/processes.ts';
import { type Service, startService } from './support/service.ts';

/** Long enough for a busy machine; the cluster tells us within milliseconds. */
const EFFECT_BOUND_MS = 15_000;
/** A new registration is in force some 100 ms later; a changed one within a second. */
const REGISTRATION_BOUND_MS = 10_000;
/** Watches come back with a growing delay. */
const RECONNECT_BOUND_MS = 45_000;

interface FailedCreateEvents {
  readonly items: readonly { readonly message: string; readonly involvedObject: { readonly kind: string } }[];
}

describe('a cluster with the webhook', () => {
  const key = generateSigningKey('p256');
  const otherKey = generateSigningKey('p256');
  let cluster: ControlPlane | undefined;
  let registry: RegistryHandle | undefined;
  let service: Service | undefined;
  let signed: PackedModel;
  let signedLater: PackedModel;
  let unsigned: PackedModel;

  const kubectl = async (args: readonly string[], stdin?: string): Promise<KubectlResult> => {
    assert.ok(cluster);
    return cluster.kubectl(args, stdin);
  };
  const apply = (manifest: Manifest, ...flags: readonly string[]): Promise<KubectlResult> =>
    kubectl(['apply', ...flags, '--filename', '-'], toDocuments(manifest));
  const applied = async (manifest: Manifest, ...flags: readonly string[]): Promise<KubectlResult> =>
    succeeded(await apply(manifest, ...flags));
  const policy = (publicKey: { publicKeyPem: string | Buffer }): Manifest =>
    keyPolicy('prod-models', registry?.address ?? '', publicKey.publicKeyPem.toString());
  /** Asks for a verdict without making the pod. */
  const ask = (reference: string): Promise<KubectlResult> =>
    apply(pod('question', 'team-a', reference), '--dry-run=server');

  before(async () => {
    cluster = await startControlPlane();
    registry = await startRegistry();
    const pack = (name: string): PackedModel => {
      assert.ok(registry);
      return packModel(registry, `models/${name}`, { 'model.safetensors': name, 'config.json': '{}' });
    };
    [signed, signedLater, unsigned] = [pack('signed'), pack('signed-later'), pack('unsigned')];
    for (const model of [signed, signedLater]) {
      attachBundle(registry, model, signBundleWithKey(cosignSignStatement(model.digest), key));
    }

    succeeded(await kubectl(['apply', '--filename', CRD_DIRECTORY]));
    succeeded(await kubectl(['wait', '--for=condition=established', 'crd', '--all', '--timeout=30s']));
    for (const manifest of [namespace('team-a', { tier: 'prod' }), namespace('lab'), policy(key)]) {
      await applied(manifest);
    }
    service = await startService({
      kubeconfig: cluster.kubeconfig,
      directory: cluster.directory,
      plainHttp: [registry.address],
    });
    for (const name of ['team-a', 'lab']) {
      const account = ['get', 'serviceaccount', 'default', '--namespace', name];
      await waitFor('a service account', async () => (await kubectl(account)).code === 0, {
        boundMs: EFFECT_BOUND_MS,
      });
    }
    await applied(webhookAt(service.url, service.ca));
    await waitFor('the webhook in force', async () => (await ask(unsigned.reference)).code === 1, {
      boundMs: REGISTRATION_BOUND_MS,
    });
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed' && service) console.error(service.log().slice(-4000));
  });

  after(async () => {
    await service?.stop();
    await cluster?.stop();
    await registry?.close();
  });

  it('admits a pod whose model is signed', async () => {
    const { stdout, stderr } = await applied(pod('signed', 'team-a', signed.reference));
    assert.equal(stdout, 'pod/signed created\n');
    assert.equal(stderr, '');
  });

  it('denies a pod whose model is not signed, and kubectl says why', async () => {
    const { code, stderr } = await apply(pod('unsigned', 'team-a', unsigned.reference));
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^Error from server \(Forbidden\): /mu);
    assert.match(
      stderr,
      /admission webhook "validate\.modelpolicy\.dev" denied the request: SignatureMissing/u,
    );
    assert.ok(stderr.includes(unsigned.reference), stderr);
    assert.ok(stderr.includes('prod-models'), stderr);
    assert.equal((await kubectl(['get', 'pod', 'unsigned', '--namespace', 'team-a'])).code, 1);
  });

  it('admits a pod without a model, in any namespace', async () => {
    await applied(pod('plain', 'team-a'));
    await applied(pod('plain', 'lab'));
  });

  it('warns about a Deployment whose model is not signed, and denies its pods', async () => {
    const { stderr } = await applied(deployment('unsigned', 'team-a', unsigned.reference));
    assert.match(stderr, /^Warning: .*SignatureMissing/mu);
    const failures = async (): Promise<string[]> => {
      const selector = '--field-selector=reason=FailedCreate,involvedObject.kind=ReplicaSet';
      const { stdout } = succeeded(
        await kubectl(['get', 'events', '--namespace', 'team-a', selector, '--output', 'json']),
      );
      return (JSON.parse(stdout) as FailedCreateEvents).items.map(({ message }) => message);
    };
    await waitFor('a FailedCreate event', async () => (await failures()).length > 0, {
      boundMs: EFFECT_BOUND_MS,
    });
    assert.match((await failures())[0] ?? '', /^Error creating: admission webhook .*SignatureMissing/u);
    await kubectl(['delete', 'deployment', 'unsigned', '--namespace', 'team-a']);
  });

  it('admits a Deployment whose model is signed without a warning, and its pods', async () => {
    const { stderr } = await applied(deployment('serving', 'team-a', signed.reference));
    assert.equal(stderr, '');
    const pods = ['get', 'pods', '--namespace', 'team-a', '--selector', 'app=serving', '--output', 'name'];
    await waitFor('a pod', async () => (await kubectl(pods)).stdout.startsWith('pod/serving-'), {
      boundMs: EFFECT_BOUND_MS,
    });
  });

  it('denies a model in a namespace that no policy selects', async () => {
    const { code, stderr } = await apply(pod('signed', 'lab', signed.reference));
    assert.equal(code, 1, stderr);
    assert.match(stderr, /denied the request: NoMatchingPolicy/u);
  });

  it('follows a label of a namespace', async () => {
    succeeded(await kubectl(['label', 'namespace', 'lab', 'tier=prod']));
    const isAdmitted = async (): Promise<boolean> =>
      (await apply(pod('question', 'lab', signed.reference), '--dry-run=server')).code === 0;
    await waitFor('the label to count', isAdmitted, { boundMs: EFFECT_BOUND_MS });
    succeeded(await kubectl(['label', 'namespace', 'lab', 'tier-']));
    await waitFor('its removal to count', async () => !(await isAdmitted()), { boundMs: EFFECT_BOUND_MS });
  });

  it('follows an edited policy', async () => {
    await applied(policy(otherKey));
    await waitFor('the other key to count', async () => (await ask(signed.reference)).code === 1, {
      boundMs: EFFECT_BOUND_MS,
    });
    assert.match((await ask(signed.reference)).stderr, /denied the request: Sign/u);
    await applied(policy(key));
    await waitFor('the key to count again', async () => (await ask(signed.reference)).code === 0, {
      boundMs: EFFECT_BOUND_MS,
    });
  });

  it('denies every model once the last policy is gone', async () => {
    succeeded(await kubectl(['delete', 'clustermodelpolicy', 'prod-models']));
    const isDenied = async (): Promise<boolean> =>
      (await ask(signed.reference)).stderr.includes('NoMatchingPolicy');
    await waitFor('the deletion to count', isDenied, { boundMs: EFFECT_BOUND_MS });
    await applied(policy(key));
    await waitFor('the new policy to count', async () => (await ask(signed.reference)).code === 0, {
      boundMs: EFFECT_BOUND_MS,
    });
  });

  it('keeps its policies when the API server restarts, and follows them again', async () => {
    assert.ok(cluster);
    await cluster.restartApiServer();
    assert.equal((await ask(signed.reference)).code, 0);
    await applied(policy(otherKey));
    await waitFor('the other key to count', async () => (await ask(signed.reference)).code === 1, {
      boundMs: RECONNECT_BOUND_MS,
    });
    await applied(policy(key));
    await waitFor('the key to count again', async () => (await ask(signed.reference)).code === 0, {
      boundMs: EFFECT_BOUND_MS,
    });
  });

  it('keeps volumes that no webhook sees out of the namespaces of deploy/volume-types', async () => {
    for (const manifest of volumePolicyOf('lab')) await applied(manifest, '--validate=strict');
    const withVolume = (inNamespace: string, volume: object): Manifest => {
      const plain = pod('volumes', inNamespace);
      return { ...plain, spec: { ...(plain['spec'] as object), volumes: [{ name: 'v', ...volume }] } };
    };
    const answer = (inNamespace: string, volume: object): Promise<KubectlResult> =>
      apply(withVolume(inNamespace, volume), '--dry-run=server');
    const hostPath = { hostPath: { path: '/models' } };
    await waitFor('the policy in force', async () => (await answer('lab', hostPath)).code === 1, {
      boundMs: REGISTRATION_BOUND_MS,
    });
    const claim = { persistentVolumeClaim: { claimName: 'models' } };
    const { stderr } = await answer('lab', claim);
    assert.match(stderr, /volume-types\.modelpolicy\.dev.* denied request: only volumes are allowed here/su);
    succeeded(await answer('lab', { emptyDir: {} }));
    succeeded(await answer('team-a', hostPath));
  });

  it('accepts everything that deploy/base ships', async () => {
    const { stdout } = succeeded(await kubectl(['kustomize', BASE_DIRECTORY]));
    // A dry run makes no namespace for the objects after it; its labels ask for the restricted profile.
    succeeded(await kubectl(['apply', '--filename', join(BASE_DIRECTORY, 'namespace.yaml')]));
    const result = succeeded(
      await kubectl(['apply', '--dry-run=server', '--validate=strict', '--filename', '-'], stdout),
    );
    for (const line of ['deployment.apps/model-policy-controller', 'service/model-policy ']) {
      assert.ok(result.stdout.includes(line), result.stdout);
    }
    assert.equal(result.stderr, '');
  });

  describe('when the registry is down', () => {
    before(async () => {
      await registry?.close();
      registry = undefined;
    });

    it('denies a model that it has not seen', async () => {
      const { code, stderr } = await ask(signedLater.reference);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /denied the request: RegistryUnavailable/u);
    });

    it('lets labels, debugging and deletion of a running pod pass', async () => {
      // Longer than anything about the registry may be remembered for convenience.
      await sleep(11_000);
      const target = ['--namespace', 'team-a'];
      succeeded(await kubectl(['label', 'pod', 'signed', 'seen=yes', ...target]));
      const debug = ['debug', 'signed', '--image=registry.example/debugger:1', '--attach=false', ...target];
      succeeded(await kubectl(debug));
      const containers = 'jsonpath={.spec.ephemeralContainers[*].image}';
      const { stdout } = await kubectl(['get', 'pod', 'signed', '--output', containers, ...target]);
      assert.equal(stdout, 'registry.example/debugger:1');
      succeeded(await kubectl(['delete', 'pod', 'signed', '--timeout=20s', ...target]));
    });
  });
});

function succeeded(result: KubectlResult): KubectlResult {
  assert.equal(result.code, 0, result.stderr + result.stdout);
  return result;
}
