// What was tried to turn a namespace's own policies against the cluster: against what exceptions cover, against the
// processor that everybody shares, and against what was read before. Each case is an attack that worked once, or nearly.
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import type { ExceptionSource } from '../../src/policy/compile-exception.ts';
import {
  pushModel,
  pushSigned,
  startController,
  teamPolicy,
  type Controller,
  type ControllerOptions,
} from '../support/controller.ts';
import { imagePod, reviewOf, volumePod } from '../support/review.ts';

const TENANT = generateSigningKey('p256');
const OWN = { authorities: [{ name: 'own', key: { pem: TENANT.publicKeyPem } }] };

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
    controller = await startController({ registry, ...options });
    return controller;
  }

  describe('on exceptions', () => {
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

  describe('on the processor', () => {
    const globs = (count: number): object => ({
      ...OWN,
      models: [{ glob: 'r.test/**', exclude: Array.from({ length: count - 1 }, (_, n) => `r.test/m${n}`) }],
    });
    const rule = (size: number): object => ({ expression: `true || '${'x'.repeat(size - 10)}' == ''` });
    const rules = (chars: number): object => ({
      ...OWN,
      validations: [rule(chars / 2), { expression: 'true', messageExpression: `'${'x'.repeat(100)}'` }],
      variables: [{ name: 'v', ...rule(chars / 2 - 4) }],
    });
    const patterns = (instructions: number): object => ({
      ...OWN,
      validations: Array.from({ length: 50 }, (_, n) => ({
        expression: `model.format.matches('a{${instructions / 50 - 10}}${n + 100}|')`,
      })),
    });
    const tooMuch: readonly (readonly [string, object, object, RegExp])[] = [
      ['globs', globs(65), globs(64), /more than 128 globs together/],
      ['CEL', rules(16_600), rules(16_200), /more than 32768 characters of CEL together/],
      ['patterns', patterns(2400), patterns(2000), /patterns of these policies are too large together/],
    ];
    for (const [what, most, less, message] of tooMuch)
      it(`has no more ${what} compiled for a namespace than its share, and is denied there alone`, async () => {
        const model = pushSigned(registry);
        const audit = (spec: object): Record<string, unknown> => ({ ...spec, validationActions: ['Audit'] });
        const modelPolicies = (spec: object): Record<string, Record<string, unknown>> => ({
          'default/a': audit(less),
          'default/b': audit(spec),
        });
        const within = await start({ modelPolicies: modelPolicies(less) });
        const { causes } = await within.ask(reviewOf(volumePod(model.reference)));
        assert.ok(!causes.some(({ reason }) => reason === 'PolicyInvalid'));
        await within.stop();
        const beyond = await start({ modelPolicies: { ...modelPolicies(less), 'default/b': { ...most } } });
        const answer = await beyond.ask(reviewOf(volumePod(model.reference)));
        assert.deepEqual(answer.reasons, ['PolicyInvalid']);
        assert.match(answer.message, message);
        const other = await beyond.ask(reviewOf(volumePod(model.reference), { namespace: 'other' }));
        assert.equal(other.allowed, true, other.message);
      });

    it('has what one policy may not have refused when it is saved, uncompiled', async () => {
      const running = await start({});
      const kind = { group: 'modelpolicy.dev', version: 'v1alpha1', kind: 'ModelPolicy' };
      for (const spec of [globs(129), rules(33_000), patterns(5000)]) {
        const object = {
          apiVersion: 'modelpolicy.dev/v1alpha1',
          kind: 'ModelPolicy',
          metadata: { name: 'own', namespace: 'default' },
          spec,
        };
        const answer = await running.askPolicy(reviewOf(object, { kind, name: 'own' }));
        assert.equal(answer.allowed, false);
        assert.match(answer.message, /together/);
        assert.ok(answer.causes.length <= 33, String(answer.causes.length));
      }
    });

    it('compares no more images with globs than a pod can sensibly have', async () => {
      const images = (count: number): object =>
        reviewOf(imagePod(...Array.from({ length: count }, (_, n) => `r.test/m${n}:1`)));
      const running = await start({});
      assert.equal((await running.ask(images(512))).allowed, true);
      const crowd = await running.ask(images(513));
      assert.deepEqual([crowd.allowed, crowd.reasons], [false, ['TooManyReferences']]);
      // Where no policy asks about images, nobody counts them.
      running.setPolicies({ team: { authorities: OWN.authorities } });
      assert.equal((await running.ask(images(513))).allowed, true);
    });
  });
});
