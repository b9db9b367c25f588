// What was tried to turn a namespace's own policies against the cluster: to have something admitted that it denies. Each
// case is an attack that worked once, or nearly.
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import type { ExceptionSource } from '../../src/policy/compile-exception.ts';
import {
  pushModel,
  startController,
  teamPolicy,
  type Controller,
  type ControllerOptions,
} from '../support/controller.ts';
import { reviewOf, volumePod } from '../support/review.ts';

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
});
