// What was tried to make everybody wait with the pods of one namespace: for registries, for the event loop. Each case is an attack that worked once; what is asserted is the bound, never a time.
import assert from 'node:assert/strict';
import { MAX_TENANT_JUDGEMENTS } from '../../src/admission/judge-uses.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { LOOKUPS_AT_ONCE, MAX_LOOKUPS } from '../../src/evidence/lookups.ts';
import type { RegistryClient } from '../../src/registry/client.ts';
import {
  pushModel,
  pushSigned,
  startController,
  type Controller,
  type ControllerOptions,
} from '../support/controller.ts';
import { argumentPod, reviewOf, volumePod } from '../support/review.ts';

const TENANT = generateSigningKey('p256');
const ANY = { any: { authorities: [{ name: 'any', static: { action: 'Pass' } }] } };

describe('attacks of a tenant on queues', () => {
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

  // 64 models, each looked for in 64 other repositories.
  const elsewhere = Object.fromEntries(
    Array.from({ length: 8 }, (_, policy) => [
      `default/p${policy}`,
      {
        authorities: Array.from({ length: 8 }, (_, n) => ({
          name: `a${n}`,
          key: { pem: TENANT.publicKeyPem },
          signatureRepository: { repository: `r.test/signatures/${policy}-${n}` },
        })),
      },
    ]),
  );

  it('asks registries for so much in a request, a few things at once, and is told', async () => {
    const { manifest: bytes, digest } = pushModel(registry);
    let [count, inFlight, most] = [0, 0, 0];
    async function look<T>(value: T): Promise<T> {
      count += 1;
      most = Math.max(most, (inFlight += 1));
      await new Promise((resolve) => setImmediate(resolve));
      inFlight -= 1;
      return value;
    }
    const client: RegistryClient = {
      fetchManifest: () => look({ bytes, digest }),
      findTag: () => look(undefined),
      listReferrers: () => look({ descriptors: [], isTruncated: false }),
      fetchBlob: () => look(Buffer.alloc(0)),
    };
    const running = await start({
      policies: ANY,
      modelPolicies: elsewhere,
      dependencies: { openClient: () => client, openSignatureClient: () => client },
    });
    const references = Array.from({ length: 64 }, (_, n) => `r.test/models/m${n}@${digest}`);
    const answer = await running.ask(reviewOf(volumePod(...references)));
    assert.equal(answer.allowed, false);
    assert.match(answer.annotations['modelpolicy.dev/reasons'] ?? '', /TooManyReferences/);
    assert.equal(count, MAX_LOOKUPS);
    assert.equal(most, LOOKUPS_AT_ONCE);
  });

  it('has its policies judge so much in a request, and is told', async () => {
    const { reference } = pushModel(registry);
    const uses = 256;
    const audits = {
      authorities: [{ name: 'own', key: { pem: TENANT.publicKeyPem } }],
      validationActions: ['Audit'],
    };
    const withPolicies = (count: number): Promise<Controller> =>
      start({
        policies: ANY,
        modelPolicies: Object.fromEntries(Array.from({ length: count }, (_, n) => [`default/p${n}`, audits])),
      });
    const review = (namespace: string): object =>
      reviewOf(argumentPod(...Array.from({ length: uses }, () => `oci://${reference}`)), { namespace });
    const within = await withPolicies(MAX_TENANT_JUDGEMENTS / uses);
    assert.equal((await within.ask(review('default'))).allowed, true);
    await within.stop();
    const beyond = await withPolicies(MAX_TENANT_JUDGEMENTS / uses + 1);
    const { allowed, message } = await beyond.ask(review('default'));
    assert.equal(allowed, false);
    assert.match(message, /^TooManyReferences: .* make 4352 judgements; 4096 are made/);
    assert.equal((await beyond.ask(review('other'))).allowed, true);
  });

  it('has its conditions cost less than those of the cluster', async () => {
    const range = `[${Array.from({ length: 100 }, (_, n) => n).join()}]`;
    const matchConditions = [{ name: 'dear', expression: `${range}.all(a, ${range}.all(b, a + b >= 0))` }];
    const three = (names: string, spec: object): Record<string, Record<string, unknown>> =>
      Object.fromEntries([0, 1, 2].map((n) => [`${names}${n}`, { ...spec, matchConditions }]));
    const pass = { authorities: [{ name: 'any', static: { action: 'Pass' } }] };
    const { reference } = pushSigned(registry, undefined, TENANT);
    const own = { authorities: [{ name: 'own', key: { pem: TENANT.publicKeyPem } }] };
    const running = await start({ policies: three('p', pass), modelPolicies: three('default/p', own) });
    const { reasons, message } = await running.ask(reviewOf(volumePod(reference)));
    assert.deepEqual(reasons, ['RuleFailed']);
    assert.match(
      message,
      /policy default\/p2: spec\.matchConditions\[0\] \(dear\): CEL cost budget is spent/,
    );
    assert.equal((await running.ask(reviewOf(volumePod(reference), { namespace: 'other' }))).allowed, true);
  });
});
