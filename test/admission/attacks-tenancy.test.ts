// What was tried to turn a namespace's own policies against the cluster: to have something admitted that it denies. Each
// case is an attack that worked once, or nearly.
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import type { ExceptionSource } from '../../src/policy/compile-exception.ts';
import {
  pushModel,
  pushSigned,
  startController,
  TEAM_KEY,
  teamPolicy,
  type Answer,
  type Controller,
  type ControllerOptions,
} from '../support/controller.ts';
import {
  imagePod,
  PLAIN_CONTAINER,
  podOf,
  reviewOf,
  toVolumes,
  updateOf,
  volumePod,
  workloadReview,
} from '../support/review.ts';

const TENANT = generateSigningKey('p256');
const OWN = { authorities: [{ name: 'own', key: { pem: TENANT.publicKeyPem } }] };

const vendor = (model: string): ExceptionSource => ({
  name: 'vendor',
  spec: {
    policies: ['team'],
    namespaces: ['default'],
    models: [model],
    reason: 'ticket SEC-1',
    requestedBy: 'jane@acme.example',
    expiresAt: `${new Date(Date.now() + 3_600_000).toISOString().slice(0, 19)}Z`,
  },
});

describe('attacks of a tenant', () => {
  let registry: RegistryHandle;
  let controller: Controller | undefined;
  before(async () => {
    registry = await startRegistry();
  });
  after(() => registry.close());
  afterEach(async () => {
    await controller?.stop();
    controller = undefined;
  });

  async function start(options: ControllerOptions): Promise<Controller> {
    await controller?.stop();
    controller = await startController({ registry, ...options });
    return controller;
  }

  describe('on exceptions', () => {
    const audits = { ...OWN, digest: 'Resolve', validationActions: ['Audit'] };

    for (const [what, digest] of [
      ['demands digests', 'Require'],
      ['names no signer', 'Resolve'],
    ] as const)
      it(`resolves no tag for the exception to a policy that ${what}`, async () => {
        const model = pushModel(registry, 'v1');
        const tagged = `${registry.address}/${model.repository}:v1`;
        const authorities = [{ name: 'any', static: { action: 'Pass' } }];
        const rule = { authorities, validations: [{ expression: 'false' }] };
        const policies = { team: teamPolicy(registry, { digest, ...(digest === 'Resolve' ? rule : {}) }) };
        const exceptions = [vendor(model.reference)];
        const running = await start({ policies, exceptions, modelPolicies: { 'default/own': audits } });
        const answer = await running.ask(reviewOf(volumePod(tagged)));
        assert.equal(answer.allowed, false, answer.warnings.join());
        assert.deepEqual(running.records[0]?.exceptions, []);
        // By its digest, it is covered whatever the namespace says of it.
        const byDigest = await running.ask(reviewOf(volumePod(model.reference)));
        assert.equal(byDigest.allowed, true, byDigest.message);
      });

    it('lets a tag of a policy that resolves it be covered by the digest that this policy saw', async () => {
      const model = pushModel(registry, 'v1');
      const policies = { team: teamPolicy(registry, { digest: 'Resolve' }) };
      const running = await start({ policies, exceptions: [vendor(model.reference)] });
      const answer = await running.ask(reviewOf(volumePod(`${registry.address}/${model.repository}:v1`)));
      assert.equal(answer.allowed, true, answer.message);
    });
  });

  describe('on what the cluster denies', () => {
    const denied = async (running: Controller, review: object, reason: string): Promise<Answer> => {
      const answer = await running.ask(review);
      assert.equal(answer.allowed, false, answer.warnings.join());
      assert.ok(answer.reasons.includes(reason), answer.reasons.join());
      return answer;
    };

    it('is not told another namespace, nor who asks, by the object', async () => {
      const { reference } = pushSigned(registry, undefined, TENANT);
      const exceptions = [
        { ...vendor(reference), spec: { ...(vendor(reference).spec as object), namespaces: ['other'] } },
      ];
      const running = await start({ exceptions, modelPolicies: { 'default/own': OWN } });
      const pod = (metadata: object = {}): object => podOf({ volumes: toVolumes([reference]) }, metadata);
      const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: '1', controller: true };
      const username = 'system:serviceaccount:kube-system:replicaset-controller';
      const ways: readonly object[] = [
        reviewOf(pod({ namespace: 'other' })),
        reviewOf(pod(), { namespace: 'Other' }),
        reviewOf(pod(), { dryRun: true }),
        reviewOf(pod({ name: undefined, generateName: 'r-', ownerReferences: [owner] }), {
          name: '',
          userInfo: { username, groups: ['system:masters', 'system:serviceaccounts:kube-system'] },
        }),
        updateOf(podOf({}), podOf({ ephemeralContainers: [{ name: 'd', image: reference }] }), {
          subResource: 'ephemeralcontainers',
        }),
        updateOf(imagePod('r.test/app:1'), imagePod(reference)),
      ];
      for (const review of ways) await denied(running, review, 'SignerNotTrusted');
      assert.equal((await running.ask(reviewOf(pod(), { namespace: 'other' }))).allowed, true);
    });

    it('warns about templates of workloads, whose pods are denied', async () => {
      const { reference } = pushSigned(registry, undefined, TENANT);
      const running = await start({ modelPolicies: { 'default/own': OWN } });
      const { warnings } = await running.ask(workloadReview('Deployment', [reference]));
      assert.match(warnings.join(), /SignerNotTrusted/);
      const enforced = await start({
        decisions: { workloads: 'Deny' },
        modelPolicies: { 'default/own': OWN },
      });
      await denied(enforced, workloadReview('Deployment', [reference]), 'SignerNotTrusted');
    });

    it('lets no policy of a namespace excuse what cannot be checked', async () => {
      const own = { ...OWN, unverifiableSources: 'Allow' };
      const running = await start({ modelPolicies: { 'default/own': own } });
      const csi = { driver: 'model.csi.modelpack.org', volumeAttributes: {} };
      const { message } = await denied(
        running,
        reviewOf(podOf({ volumes: [{ name: 'm', csi }] })),
        'DynamicModelVolume',
      );
      assert.match(message, /policy team/);
    });

    it("takes no authority or variable of a namespace for the cluster's by its name", async () => {
      const platform = { name: 'platform', key: { pem: TEAM_KEY.publicKeyPem } };
      const own = {
        authorities: [{ name: 'platform', key: { pem: TENANT.publicKeyPem } }],
        variables: [{ name: 'wanted', expression: "'teams'" }],
        validations: [{ expression: "variables.wanted == 'teams'" }],
      };
      const delegated = {
        authorities: [{ name: 'teams', tenant: {} }, platform],
        variables: [{ name: 'wanted', expression: "'platform'" }],
        validations: [{ expression: 'signatures.exists(s, s.authority == variables.wanted)' }],
      };
      const running = await start({ policies: { delegated }, modelPolicies: { 'default/own': own } });
      const { reference } = pushSigned(registry, undefined, TENANT);
      await denied(running, reviewOf(volumePod(reference)), 'RuleViolated');
    });

    it('counts one key once, under whatever names a namespace lists it', async () => {
      const twice = {
        authorities: ['a', 'b'].map((name) => ({ name, key: { pem: TENANT.publicKeyPem } })),
      };
      const tenants = ['one', 'two'].map((name) => ({ name, tenant: {} }));
      const running = await start({
        policies: { two: { authorities: tenants, minAuthorities: 2 } },
        modelPolicies: { 'default/own': twice, 'default/second': OWN },
      });
      const { reference } = pushSigned(registry, undefined, TENANT);
      const { message } = await denied(running, reviewOf(volumePod(reference)), 'AuthoritiesNotSatisfied');
      assert.match(message, /1 of 2 required authorities/);
    });

    it('remembers nothing of a namespace that has other labels now', async () => {
      const namespaces: Record<string, Record<string, string>> = { default: { tier: 'prod' } };
      const policies = {
        team: teamPolicy(registry, { namespaceSelector: { matchLabels: { tier: 'prod' } } }),
        sandbox: { ...OWN, namespaceSelector: { matchLabels: { tier: 'sandbox' } } },
      };
      const running = await start({ policies, namespaces });
      const review = reviewOf(volumePod(pushSigned(registry).reference));
      assert.equal((await running.ask(review)).allowed, true);
      for (const [tier, reason] of [
        ['sandbox', 'SignerNotTrusted'],
        ['none', 'NoMatchingPolicy'],
      ] as const) {
        namespaces['default'] = { tier };
        running.setPolicies(policies);
        await denied(running, review, reason);
      }
      namespaces['default'] = { tier: 'prod' };
      running.setPolicies(policies);
      assert.equal((await running.ask(review)).allowed, true);
    });
  });

  it("pushes the cluster's policies out of no annotation", async () => {
    const { reference } = pushSigned(registry);
    const own = { ...teamPolicy(registry), validationActions: ['Audit'] };
    const names = Array.from({ length: 32 }, (_, n) => `default/${'a'.repeat(60)}${n}`);
    const running = await start({ modelPolicies: Object.fromEntries(names.map((name) => [name, own])) });
    const { annotations } = await running.ask(reviewOf(volumePod(reference)));
    assert.match(annotations['modelpolicy.dev/policies'] ?? '', /^team,default\//);
  });

  describe('on Secrets', () => {
    const bySecret = (name: string): Record<string, unknown> => ({
      authorities: [{ name: 'own', key: { secretKeyRef: { name, key: 'k' } } }],
    });

    it('is told nothing of what is in a Secret that holds no key', async () => {
      const { reference } = pushSigned(registry);
      for (const text of ['hunter2', '-----BEGIN hunter2-----', '{"auths":{"hunter2":{}}}']) {
        const running = await start({
          modelPolicies: { 'default/own': bySecret('password') },
          material: { 'Secret/default/password': { k: text } },
        });
        const answer = await running.ask(reviewOf(volumePod(reference)));
        assert.deepEqual(answer.reasons, ['CredentialsUnavailable']);
        assert.ok(!JSON.stringify([answer, running.records]).includes('hunter2'));
      }
    });

    it('is told nothing of Secrets elsewhere, not even whether they are there', async () => {
      const { reference } = pushSigned(registry);
      const answers: string[] = [];
      for (const material of [{}, { 'Secret/other/signer': { k: TENANT.publicKeyPem } }]) {
        const running = await start({ modelPolicies: { 'default/own': bySecret('signer') }, material });
        const { message, annotations } = await running.ask(reviewOf(volumePod(reference)));
        const object = {
          apiVersion: 'modelpolicy.dev/v1alpha1',
          kind: 'ModelPolicy',
          metadata: { name: 'own', namespace: 'default' },
          spec: bySecret('signer'),
        };
        const kind = { group: 'modelpolicy.dev', version: 'v1alpha1', kind: 'ModelPolicy' };
        const { warnings } = await running.askPolicy(reviewOf(object, { kind, name: 'own' }));
        answers.push(JSON.stringify([message, annotations, warnings]));
      }
      assert.match(answers[0] ?? '', /Secret default\/signer does not exist/);
      assert.equal(answers[0], answers[1]);
    });
  });

  it('cannot keep anything from being deleted or changed back with too many or broken policies', async () => {
    const many = Array.from({ length: 40 }, (_, n): [string, Record<string, unknown>] => [
      `default/p${n}`,
      OWN,
    ]);
    const running = await start({
      modelPolicies: { ...Object.fromEntries(many), 'default/broken': { x: 1 } },
    });
    const { reference } = pushSigned(registry);
    const pod = podOf({ volumes: toVolumes([reference]) });
    const ways: readonly object[] = [
      reviewOf(null, { operation: 'DELETE', oldObject: pod }),
      updateOf(pod, podOf({ volumes: toVolumes([reference]) }, { labels: { a: 'b' }, finalizers: [] })),
      updateOf(pod, pod, { subResource: 'status' }),
      updateOf(pod, podOf({ volumes: toVolumes([reference]), activeDeadlineSeconds: 1 })),
      updateOf(pod, podOf({ volumes: toVolumes([reference]), ephemeralContainers: [PLAIN_CONTAINER] })),
      reviewOf(podOf({})),
    ];
    for (const review of ways) {
      const { allowed, message } = await running.ask(review);
      assert.equal(allowed, true, message);
    }
    const kind = { group: 'modelpolicy.dev', version: 'v1alpha1', kind: 'ModelPolicy' };
    const toObject = (spec: object, finalizers: readonly string[] = []): object => ({
      apiVersion: 'modelpolicy.dev/v1alpha1',
      kind: 'ModelPolicy',
      metadata: { name: 'broken', namespace: 'default', finalizers },
      spec,
    });
    for (const review of [
      reviewOf(null, { kind, operation: 'DELETE', oldObject: toObject({ x: 1 }) }),
      updateOf(toObject({ x: 1 }, ['f']), toObject({ x: 1 }), { kind }),
      updateOf(toObject({ x: 1 }), toObject(OWN), { kind }),
    ])
      assert.equal((await running.askPolicy(review)).allowed, true);
  });
});
