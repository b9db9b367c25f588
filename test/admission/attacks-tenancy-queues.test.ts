// What was tried to make everybody wait with the pods of one namespace: for a registry that hangs, for a thread, for the event
// loop. Each case is an attack that worked once; what is asserted is the bound, never a time.
import assert from 'node:assert/strict';
import { MAX_IN_FLIGHT_OF_NAMESPACE } from '../../src/admission/handle.ts';
import { MAX_TENANT_JUDGEMENTS } from '../../src/admission/judge-uses.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { LOOKUPS_AT_ONCE, MAX_LOOKUPS } from '../../src/evidence/lookups.ts';
import { createInlineExecutor, type Executor } from '../../src/proving/executor.ts';
import { createProver } from '../../src/proving/prover.ts';
import type { RegistryClient } from '../../src/registry/client.ts';
import {
  pushModel,
  pushSigned,
  startController,
  type Answer,
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

  it('has its share of what is decided at once, while its registry hangs', async () => {
    const [hung, model] = [pushSigned(registry), pushSigned(registry)];
    const { promise: gate, resolve: letGo } = Promise.withResolvers<void>();
    registry.setFault(({ path }) => (path.includes(hung.repository) ? { until: gate } : undefined));
    let inFlight = 0;
    const full = Promise.withResolvers<void>();
    const running = await start({
      observer: {
        inFlight(count) {
          inFlight = count;
          if (count === MAX_IN_FLIGHT_OF_NAMESPACE) full.resolve();
        },
      },
    });
    const ask = (reference: string, namespace: string): Promise<Answer> =>
      running.ask(reviewOf(volumePod(reference), { namespace }));
    const held = Array.from({ length: MAX_IN_FLIGHT_OF_NAMESPACE }, () => ask(hung.reference, 'hostile'));
    await full.promise;
    assert.deepEqual((await ask(hung.reference, 'hostile')).reasons, ['Overloaded']);
    assert.equal((await ask(model.reference, 'other')).allowed, true);
    letGo();
    registry.setFault(undefined);
    assert.ok((await Promise.all(held)).every(({ allowed }) => allowed));
    assert.equal(inFlight, 0);
  });

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

  it('waits for verification in a lane of its own', async () => {
    const lanes: (string | undefined)[] = [];
    const inline = createInlineExecutor();
    const executor: Executor = {
      ...inline,
      run(job, options, lane) {
        lanes.push(lane);
        return inline.run(job, options);
      },
    };
    const observer = { lookedUp: () => undefined, disagreed: () => undefined };
    const running = await start({ dependencies: { prover: createProver(executor, observer) } });
    for (const namespace of ['hostile', 'other']) {
      const review = reviewOf(volumePod(pushSigned(registry).reference), { namespace });
      assert.equal((await running.ask(review)).allowed, true);
    }
    assert.deepEqual(lanes, ['hostile', 'other']);
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
});
