// Is everything that many pods need fetched once, and does nobody's departure cost the others? Fault 37.
import assert from 'node:assert/strict';
import { connect, type TLSSocket } from 'node:tls';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { pushSigned, requestsOf, startController, type Controller } from '../support/controller.ts';
import { expectAllowed, sumOf } from '../support/expect.ts';
import { PLAIN_CONTAINER, podOf, reviewOf, toVolumes, volumePod } from '../support/review.ts';

const CROWD = 1000;
/** A connection carries several requests, as the API server's do. */
const CONNECTIONS = 100;
/** Manifest, referrers, signature tag, the referrer's manifest, its bundle. */
const RESOURCES = 5;

describe('faults of evidence: crowds', () => {
  let registry: RegistryHandle;
  let controller: Controller;
  let inFlight = 0;
  let onInFlight: () => void = () => undefined;
  let gathering: Promise<void>;

  beforeEach(async () => {
    registry = await startRegistry();
    gathering = Promise.resolve();
    controller = await startController({
      registry,
      // Every namespace is read live: where requests can be held before they ask the registry.
      namespaces: {},
      dependencies: { readNamespace: () => gathering.then(() => ({ labels: {}, object: {} })) },
      observer: {
        inFlight(count) {
          inFlight = count;
          onInFlight();
        },
      },
    });
  });
  afterEach(async () => {
    await controller.stop();
    await registry.close();
  });

  /** Resolves when this many requests are being decided. */
  const untilInFlight = (count: number): Promise<void> =>
    new Promise((resolve) => {
      onInFlight = () => {
        if (inFlight >= count) resolve();
      };
    });

  function shakeHands(): Promise<TLSSocket> {
    const [host, port] = controller.address.split(':');
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port: Number(port), ca: controller.ca }, () => resolve(socket));
      socket.on('error', reject);
    });
  }

  /** Posts reviews one behind the other without waiting; resolves with which were admitted. */
  function postAll(socket: TLSSocket, reviews: readonly object[]): Promise<readonly boolean[]> {
    return new Promise((resolve, reject) => {
      let received = '';
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString();
        const verdicts = [...received.matchAll(/"uid":"[^"]+","allowed":(true|false)/g)];
        if (verdicts.length === reviews.length) resolve(verdicts.map(([, allowed]) => allowed === 'true'));
      });
      socket.on('close', () => reject(new Error(`the connection was closed: ${received.slice(0, 200)}`)));
      for (const review of reviews) {
        const body = JSON.stringify(review);
        const head = `POST /validate?timeout=30s HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(body)}`;
        socket.write(`${head}\r\n\r\n${body}`);
      }
    });
  }

  it(`37: ${CROWD} pods at once fetch each resource of a cold digest once, and outlive the first who leaves`, async () => {
    const model = pushSigned(registry);
    const [crowd, answersOfRegistry] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    gathering = crowd.promise;
    registry.setFault(() => ({ until: answersOfRegistry.promise }));
    const sockets = await Promise.all(Array.from({ length: 1 + CONNECTIONS }, shakeHands));
    const [first, ...others] = sockets;
    assert.ok(first !== undefined);
    const reviews = (count: number): readonly object[] =>
      Array.from({ length: count }, () => reviewOf(volumePod(model.reference)));
    const firstIsIn = untilInFlight(1);
    const left = assert.rejects(postAll(first, reviews(1)), /the connection was closed/);
    await firstIsIn;
    const allAreIn = untilInFlight(CROWD);
    const answers = others.map((socket, index) =>
      postAll(socket, reviews(CROWD / CONNECTIONS - (index === 0 ? 1 : 0))),
    );
    await allAreIn;
    crowd.resolve();
    while (requestsOf(registry, model).length === 0) await new Promise((resolve) => setImmediate(resolve));
    first.destroy();
    await left;
    answersOfRegistry.resolve();
    assert.deepEqual([...new Set((await Promise.all(answers)).flat())], [true]);
    const paths = requestsOf(registry, model).map(({ path }) => path);
    assert.equal(paths.length, RESOURCES);
    assert.equal(new Set(paths).size, RESOURCES);
    for (const socket of others) socket.destroy();
    const metrics = await controller.metrics();
    assert.equal(sumOf(metrics, 'model_policy_registry_requests_total', { status: '200' }), RESOURCES - 1);
    assert.ok(sumOf(metrics, 'model_policy_cache_lookups_total', { result: 'joined' }) >= CROWD);
  });

  it('37: a follower whose time is up leaves the others alone', async () => {
    const model = pushSigned(registry);
    const { promise: gate, resolve: letGo } = Promise.withResolvers<void>();
    registry.setFault(() => ({ until: gate }));
    const hasty = await controller.ask(reviewOf(volumePod(model.reference)), {
      path: '/validate?timeout=600ms',
    });
    assert.deepEqual(hasty.reasons, ['DeadlineExceeded']);
    const patient = controller.ask(reviewOf(volumePod(model.reference)));
    letGo();
    assert.equal((await patient).allowed, true);
    const paths = requestsOf(registry, model).map(({ path }) => path);
    assert.equal(paths.length, new Set(paths).size);
  });

  it('37: a model in eight containers and volumes is fetched once', async () => {
    const model = pushSigned(registry);
    const uses = Array.from({ length: 8 }, (_, index) => ({
      ...PLAIN_CONTAINER,
      name: `c${index}`,
      image: model.reference,
      args: [`oci://${model.reference}`],
    }));
    const volumes = toVolumes([model.reference, model.reference]);
    await expectAllowed(controller, reviewOf(podOf({ containers: uses, volumes })));
    assert.equal(requestsOf(registry, model).length, RESOURCES);
  });
});
