// Can a namespace's own policies, Secrets, labels or names make anything pass that the cluster denies (faults 34, 39,
// 41), read what is another's (43), or stand for the cluster where nobody asked them to (45)?
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import type { PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { MAX_MODEL_POLICIES } from '../../src/policy/tenant-limits.ts';
import {
  pushModel,
  pushSigned,
  requestsOf,
  startController,
  TEAM_KEY,
  teamPolicy,
  type Answer,
  type Controller,
  type ControllerOptions,
} from '../support/controller.ts';
import { expectAllowed, expectDenied as expectDenial } from '../support/expect.ts';
import { REASONS, type DenialReason } from '../../src/reason.ts';
import { imagePod, podOf, reviewOf, volumePod } from '../support/review.ts';

const STRANGER = generateSigningKey('p256');
const TENANT = generateSigningKey('p256');
const keyed = (key = TENANT, name = 'own'): object => ({ name, key: { pem: key.publicKeyPem } });
const STATIC_FAIL = { authorities: [{ name: 'no', static: { action: 'Fail', message: 'not here' } }] };
const DELEGATED = { authorities: [{ name: 'teams', tenant: {} }] };

function expectDenied(controller: Controller, posted: object, ...reasons: DenialReason[]): Promise<Answer> {
  const isTransient = reasons.every((reason) => REASONS[reason].transient);
  return expectDenial(controller, posted, { code: isTransient ? 503 : 403, reasons });
}

describe('tenancy', () => {
  let registry: RegistryHandle;
  let controller: Controller | undefined;

  before(async () => {
    registry = await startRegistry();
  });
  after(async () => registry.close());
  afterEach(async () => {
    await controller?.stop();
    controller = undefined;
  });

  async function start(options: ControllerOptions): Promise<Controller> {
    controller = await startController({ registry, ...options });
    return controller;
  }
  const review = ({ reference }: PackedModel, namespace = 'default'): object =>
    reviewOf(volumePod(reference), { namespace });
  const ask = async (model: PackedModel, options: ControllerOptions, namespace?: string): Promise<Answer> =>
    (await start(options)).ask(review(model, namespace));

  describe('of ModelPolicies beside ClusterModelPolicies', () => {
    it('41: admits what both admit, and records both', async () => {
      const model = pushSigned(registry);
      const running = await start({ modelPolicies: { 'default/own': teamPolicy(registry) } });
      await expectAllowed(running, review(model));
      assert.deepEqual(running.records[0]?.policies, ['default/own', 'team']);
    });

    it('41: denies what the namespace denies though the cluster admits it', async () => {
      const own = { authorities: [keyed()] };
      const running = await start({ modelPolicies: { 'default/own': own } });
      const { causes } = await expectDenied(running, review(pushSigned(registry)), 'SignerNotTrusted');
      assert.match(causes[0]?.message ?? '', /policy default\/own authority own/);
    });

    const weaker: Readonly<Record<string, Record<string, unknown>>> = {
      'an authority of its own': { authorities: [keyed(STRANGER)] },
      'actions that only audit': { authorities: [keyed(STRANGER)], validationActions: ['Audit'] },
      'the name of the policy that denies': { authorities: [keyed(STRANGER)] },
      'a static pass': { authorities: [{ name: 'ok', static: { action: 'Pass' } }] },
      'no demand at all': {
        authorities: [keyed(STRANGER)],
        matchConditions: [{ name: 'no', expression: 'false' }],
      },
      'a namespaceSelector': { authorities: [keyed(STRANGER)], namespaceSelector: {} },
      'a delegation to itself': DELEGATED,
    };
    for (const [what, own] of Object.entries(weaker))
      it(`41: denies what the cluster denies whatever the namespace has: ${what}`, async () => {
        const model = pushSigned(registry, undefined, STRANGER);
        const { allowed, message } = await ask(model, { modelPolicies: { 'default/team': own } });
        assert.equal(allowed, false);
        assert.match(message, /SignerNotTrusted: .* policy team authority team/);
      });

    it('41: is about its own namespace alone', async () => {
      const model = pushSigned(registry);
      const running = await start({ modelPolicies: { 'default/no': STATIC_FAIL } });
      await expectDenied(running, review(model), 'StaticDeny');
      await expectAllowed(running, review(model, 'other'));
      await expectAllowed(running, review(model, 'default-2'));
    });

    it('denies what it selects while it is broken, in its own namespace', async () => {
      const model = pushSigned(registry);
      const running = await start({ modelPolicies: { 'default/broken': { bogus: 1 } } });
      await expectDenied(running, review(model), 'PolicyInvalid');
      await expectAllowed(running, review(model, 'other'));
    });
  });

  describe('of what no ClusterModelPolicy selects', () => {
    const options = (own: Record<string, unknown>): ControllerOptions => ({
      policies: { other: { ...teamPolicy(registry), models: [{ glob: 'other.test/**' }] } },
      modelPolicies: { 'default/own': own },
    });

    it('45: denies it though a ModelPolicy admits it', async () => {
      const running = await start(options(teamPolicy(registry)));
      await expectDenied(running, review(pushSigned(registry)), 'NoMatchingPolicy');
    });

    it('45: says that it warns, and never says nothing', async () => {
      const running = await start({ ...options(teamPolicy(registry)), decisions: { noMatchPolicy: 'Warn' } });
      const { warnings } = await expectAllowed(running, review(pushSigned(registry)));
      assert.match(warnings.join('\n'), /NoMatchingPolicy/);
    });

    it('45: lets no condition that fails stand for a match', async () => {
      const condition = { name: 'team', expression: "namespaceObject.metadata.labels['none'] == 'x'" };
      const running = await start({
        policies: { team: teamPolicy(registry, { matchConditions: [condition] }) },
      });
      const answer = await running.ask(review(pushSigned(registry)));
      assert.deepEqual(answer.reasons.toSorted(), ['NoMatchingPolicy', 'RuleFailed']);
    });
  });

  it('counts no image that only the namespace calls a model for requireModel', async () => {
    const own = { models: [{ sources: ['ContainerImage'] }], authorities: [keyed()] };
    const running = await start({
      policies: {
        team: teamPolicy(registry, { requireModel: true, models: [{ glob: `${registry.address}/team/**` }] }),
      },
      modelPolicies: { 'default/own': { ...own, validationActions: ['Audit'] } },
    });
    const model = pushModel(registry);
    await expectDenied(
      running,
      reviewOf(imagePod(model.reference.replace(/\/team\//, '/app/'))),
      'ModelReferenceMissing',
    );
  });

  it('judges images that only the namespace calls models by its policies alone', async () => {
    const own = { models: [{ sources: ['ContainerImage'] }], authorities: [keyed()] };
    const running = await start({
      policies: { all: { authorities: [keyed(TEAM_KEY)] } },
      modelPolicies: { 'default/own': own },
    });
    const image = reviewOf(imagePod(pushSigned(registry, undefined, TENANT).reference));
    await expectAllowed(running, image);
    assert.deepEqual(running.records[0]?.policies, ['default/own']);
  });

  describe('of Secrets', () => {
    const bySecret = (name = 'signer'): Record<string, unknown> => ({
      authorities: [{ name: 'own', key: { secretKeyRef: { name, key: 'cosign.pub' } } }],
    });
    const material = {
      'Secret/model-policy-system/signer': { 'cosign.pub': TEAM_KEY.publicKeyPem },
      'Secret/other/signer': { 'cosign.pub': TEAM_KEY.publicKeyPem },
      'Secret/default/mine': { 'cosign.pub': TEAM_KEY.publicKeyPem },
    };

    it('43: reads the key of its own namespace', async () => {
      const running = await start({ modelPolicies: { 'default/own': bySecret('mine') }, material });
      await expectAllowed(running, review(pushSigned(registry)));
    });

    for (const name of ['signer', '../model-policy-system/signer', '../other/signer', 'default/mine'])
      it(`43: reads no other namespace's as ${name}`, async () => {
        const running = await start({ modelPolicies: { 'default/own': bySecret(name) }, material });
        const { reasons } = await running.ask(review(pushSigned(registry)));
        assert.deepEqual(reasons, [name === 'signer' ? 'CredentialsUnavailable' : 'PolicyInvalid']);
      });

    it('43: refuses a namespace in a reference when the policy is saved', async () => {
      const running = await start({ material });
      const spec = {
        authorities: [
          { name: 'own', key: { secretKeyRef: { name: 'signer', key: 'cosign.pub', namespace: 'other' } } },
        ],
      };
      const object = {
        apiVersion: 'modelpolicy.dev/v1alpha1',
        kind: 'ModelPolicy',
        metadata: { name: 'own', namespace: 'default' },
        spec,
      };
      const kind = { group: 'modelpolicy.dev', version: 'v1alpha1', kind: 'ModelPolicy' };
      const answer = await running.askPolicy(reviewOf(object, { kind, name: 'own' }));
      assert.equal(answer.allowed, false);
      assert.match(answer.message, /secretKeyRef\.namespace: unknown field/);
      const good = { ...object, spec: bySecret() };
      const { allowed, warnings } = await running.askPolicy(reviewOf(good, { kind, name: 'own' }));
      assert.equal(allowed, true);
      assert.match(
        warnings.join(),
        /Secret default\/signer does not exist, or the controller has not read it/,
      );
    });

    for (const expression of ["http.get('http://x')", "secret('signer')", "file('/etc/passwd')", 'env.HOME'])
      it(`43: refuses ${expression} in a rule`, async () => {
        const running = await start({
          modelPolicies: { 'default/own': { authorities: [keyed()], validations: [{ expression }] } },
        });
        await expectDenied(running, review(pushSigned(registry)), 'PolicyInvalid');
      });
  });

  describe('of credentials', () => {
    const PRIVATE = { username: 'controller', password: 'c0ntroller' };

    it("34: never fetches for a ModelPolicy with the controller's", async () => {
      const closed = await startRegistry({ auth: PRIVATE });
      try {
        const model = pushSigned(closed);
        const { writeFileSync, mkdtempSync } = await import('node:fs');
        const path = `${mkdtempSync('/tmp/tenancy-')}/config.json`;
        const auth = Buffer.from(`${PRIVATE.username}:${PRIVATE.password}`).toString('base64');
        writeFileSync(path, JSON.stringify({ auths: { [closed.address]: { auth } } }));
        const access = { 'plain-http': [closed.address], 'registry-config': path };
        const policies = { team: teamPolicy(closed) };
        const cluster = await startController({ registry: closed, access, policies });
        await expectAllowed(cluster, review(model));
        await cluster.stop();
        const own = { 'default/own': teamPolicy(closed) };
        const both = await startController({ registry: closed, access, policies, modelPolicies: own });
        const { causes } = await expectDenied(both, review(model), 'RegistryUnauthorized');
        assert.ok(causes.every(({ message }) => message.includes('policy default/own')));
        assert.ok(requestsOf(closed, model).length > 0);
        await both.stop();
      } finally {
        await closed.close();
      }
    });
  });

  describe('of bounds', () => {
    const many = (count: number, namespace = 'default'): Record<string, Record<string, unknown>> =>
      Object.fromEntries(
        Array.from({ length: count }, (_, n) => [
          `${namespace}/p${String(n).padStart(4, '0')}`,
          { models: [{ glob: 'nowhere.test/**' }], authorities: [keyed()] },
        ]),
      );

    it(`reads ${MAX_MODEL_POLICIES} policies of a namespace, and denies all of it when there are more`, async () => {
      const model = pushSigned(registry);
      const full = await start({ modelPolicies: many(MAX_MODEL_POLICIES) });
      await expectAllowed(full, review(model));
      await full.stop();
      const over = await start({ modelPolicies: many(MAX_MODEL_POLICIES + 1) });
      await expectDenied(over, review(model), 'PolicyInvalid');
      await expectAllowed(over, review(model, 'other'));
    });

    it("spends a namespace's budget, and leaves the cluster's rules theirs", async () => {
      const range = `[${Array.from({ length: 100 }, (_, n) => n).join()}]`;
      const expression = `${range}.all(a, ${range}.all(b, ${range}.all(c, a + b + c >= 0)))`;
      const validations = Array.from({ length: 16 }, () => ({ expression }));
      const model = pushSigned(registry);
      const running = await start({
        policies: { team: teamPolicy(registry, { validations: [{ expression: "model.format != ''" }] }) },
        modelPolicies: { 'default/slow': teamPolicy(registry, { validations }) },
      });
      const { causes } = await expectDenied(running, review(model), 'RuleFailed');
      assert.ok(causes.every(({ message }) => message.includes('policy default/slow')));
      await expectAllowed(running, review(model, 'other'));
    });
  });

  describe('of tenant authorities', () => {
    const policies = { delegate: DELEGATED };
    const own = { 'default/own': { authorities: [keyed()] } };

    it("admits what the namespace's own policy admits, and nothing else", async () => {
      const running = await start({ policies, modelPolicies: own });
      await expectAllowed(running, review(pushSigned(registry, undefined, TENANT)));
      const [strange, unsigned] = [pushSigned(registry), pushModel(registry)];
      await expectDenied(running, review(strange), 'AuthoritiesNotSatisfied', 'SignerNotTrusted');
      await expectDenied(running, review(unsigned), 'AuthoritiesNotSatisfied', 'SignatureMissing');
    });

    it('34: is nothing where the namespace has no policy, though another has', async () => {
      const running = await start({ policies, modelPolicies: own });
      const signed = pushSigned(registry, undefined, TENANT);
      const { message } = await expectDenied(running, review(signed, 'other'), 'AuthoritiesNotSatisfied');
      assert.match(message, /no ModelPolicy of the namespace with action Deny/);
    });

    for (const [what, spec] of Object.entries({
      'only audits': { authorities: [keyed()], validationActions: ['Audit'] },
      'only warns': { authorities: [keyed()], validationActions: ['Warn'] },
      'is about other models': { models: [{ glob: 'other.test/**' }], authorities: [keyed()] },
      'leaves this operation out': {
        authorities: [keyed()],
        matchConditions: [{ name: 'no', expression: "request.operation == 'UPDATE'" }],
      },
      'does not compile': { authorities: [keyed()], validations: [{ expression: '1' }] },
      'denies by name': STATIC_FAIL,
      'counts what binds files only': { authorities: [{ ...keyed(), signatureFormats: ['ModelSigning'] }] },
    }))
      it(`is not satisfied by a policy that ${what}`, async () => {
        const running = await start({ policies, modelPolicies: { 'default/own': spec } });
        const { reasons } = await running.ask(review(pushSigned(registry, undefined, TENANT)));
        assert.ok(reasons.includes('AuthoritiesNotSatisfied'), reasons.join());
      });

    const inMode = (action: string): Promise<Controller> => {
      const second = { authorities: [keyed(STRANGER)], validationActions: [action] };
      return start({ policies, modelPolicies: { ...own, 'default/second': second } });
    };

    it('wants every policy of the namespace that denies to pass', async () => {
      const { message } = await expectDenied(
        await inMode('Deny'),
        review(pushSigned(registry, undefined, TENANT)),
        'AuthoritiesNotSatisfied',
        'SignerNotTrusted',
      );
      assert.match(message, /ModelPolicy default\/second does not pass/);
    });

    it('is not held up by a policy of the namespace that only audits', async () => {
      await expectAllowed(await inMode('Audit'), review(pushSigned(registry, undefined, TENANT)));
    });

    it('shows rules the signatures under its own name', async () => {
      const validations = [
        { expression: `signatures.all(s, s.authority == 'teams' && s.keyFingerprint != '')` },
        { expression: 'signatures.size() == 1' },
      ];
      const running = await start({
        policies: { delegate: { ...DELEGATED, validations } },
        modelPolicies: own,
      });
      await expectAllowed(running, review(pushSigned(registry, undefined, TENANT)));
    });

    it('counts one signer once, whoever names him', async () => {
      const both = (key: typeof TENANT): ControllerOptions => ({
        policies: {
          delegate: {
            authorities: [{ name: 'teams', tenant: {} }, keyed(key, 'platform')],
            minAuthorities: 2,
          },
        },
        modelPolicies: own,
      });
      const model = pushSigned(registry, undefined, TENANT);
      const { message } = await ask(model, both(TENANT));
      assert.match(message, /AuthoritiesNotSatisfied: .*1 of 2 required authorities/);
      await controller?.stop();
      const { attachBundle } = await import('../../src/demo/artifacts.ts');
      const { signBundleWithKey } = await import('../../src/demo/sign-with-key.ts');
      const { cosignSignStatement } = await import('../../src/demo/statement.ts');
      attachBundle(registry, model, signBundleWithKey(cosignSignStatement(model.digest), TEAM_KEY));
      await expectAllowed(await start(both(TEAM_KEY)), review(model));
    });

    it('is one way among others', async () => {
      const running = await start({
        policies: { delegate: { authorities: [{ name: 'teams', tenant: {} }, keyed(TEAM_KEY, 'platform')] } },
      });
      await expectAllowed(running, review(pushSigned(registry)));
      const strange = pushSigned(registry, undefined, STRANGER);
      await expectDenied(running, review(strange), 'AuthoritiesNotSatisfied', 'SignerNotTrusted');
    });

    it('vouches for no attestation', async () => {
      const attestations = [{ name: 'a', predicateTypes: ['https://slsa.dev/provenance/v1'] }];
      const running = await start({
        policies: { delegate: { ...DELEGATED, attestations } },
        modelPolicies: own,
      });
      await expectDenied(running, review(pushSigned(registry, undefined, TENANT)), 'PolicyInvalid');
    });
  });

  it('has no exception for a ModelPolicy', async () => {
    const model = pushModel(registry);
    const spec = {
      policies: ['default/own'],
      namespaces: ['default'],
      models: [model.reference],
      reason: 'x',
      requestedBy: 'y',
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    };
    const running = await start({
      policies: { any: { authorities: [{ name: 'ok', static: { action: 'Pass' } }] } },
      modelPolicies: { 'default/own': { authorities: [keyed()] } },
      exceptions: [{ name: 'e', spec }],
    });
    await expectDenied(running, review(model), 'SignatureMissing');
  });

  it('names no pod that uses no model', async () => {
    const running = await start({ modelPolicies: { 'default/no': STATIC_FAIL } });
    await expectAllowed(running, reviewOf(podOf({})));
  });
});
