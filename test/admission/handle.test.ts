// Does every request get its answer, in time, whatever breaks? Deadlines, throwing dependencies, crowds.
import assert from 'node:assert/strict';
import {
  createReviewHandler,
  DEFAULT_TIMEOUT_MS,
  MAX_IN_FLIGHT,
  toDeadlineMs,
} from '../../src/admission/handle.ts';
import type { RegistryClient } from '../../src/registry/client.ts';
import {
  pushModel,
  pushSigned,
  requestsOf,
  startController,
  teamPolicy,
  type Controller,
  type ControllerOptions,
} from '../support/controller.ts';
import { expectAllowed, expectDenied, sumOf } from '../support/expect.ts';
import { podOf, reviewOf, volumePod, workloadReview } from '../support/review.ts';

interface Answered {
  readonly allowed: boolean;
  readonly status?: {
    readonly code: number;
    readonly details: { readonly causes: readonly [{ readonly reason: string; readonly message: string }] };
  };
}

const UNUSED_CLIENT: RegistryClient = {
  fetchManifest: () => Promise.reject(new Error('unused')),
  findTag: () => Promise.reject(new Error('unused')),
  listReferrers: () => Promise.reject(new Error('unused')),
  fetchBlob: () => Promise.reject(new Error('unused')),
};

describe('toDeadlineMs()', () => {
  it('keeps back half a second or a tenth, whichever is more', () => {
    assert.deepEqual(
      [1000, 3000, 5000, 10_000, 30_000].map((timeout) => toDeadlineMs(timeout)),
      [500, 2500, 4500, 9000, 27_000],
    );
  });

  it('takes 10 s for granted', () => {
    assert.equal(DEFAULT_TIMEOUT_MS, 10_000);
    assert.equal(toDeadlineMs(), 9000);
  });

  it('never leaves nothing', () => {
    for (const timeout of [0, 1, 499, 500]) assert.equal(toDeadlineMs(timeout), 1);
  });
});

describe('createReviewHandler()', () => {
  const running: Controller[] = [];

  async function start(options: ControllerOptions = {}): Promise<Controller> {
    const controller = await startController(options);
    running.push(controller);
    return controller;
  }

  afterEach(async () => {
    await Promise.all(running.splice(0).map((controller) => controller.stop()));
  });

  describe('on time', () => {
    it('denies before the API server gives up on a registry that hangs', async () => {
      const controller = await start();
      const model = pushSigned(controller.registry);
      controller.registry.setFault(() => ({ hang: true }));
      const started = performance.now();
      await expectDenied(
        controller,
        reviewOf(volumePod(model.reference)),
        { code: 503, reasons: ['DeadlineExceeded'] },
        { path: '/validate?timeout=1s' },
      );
      assert.ok(performance.now() - started < 1000, 'the API server has given up');
      controller.registry.setFault(undefined);
      // The flight that hangs is nobody's problem but its own: another model is judged meanwhile.
      await expectAllowed(controller, reviewOf(volumePod(pushSigned(controller.registry).reference)));
    });

    it('denies before it for a body that never ends, and for a tag', async () => {
      const controller = await start();
      controller.setPolicies({ team: teamPolicy(controller.registry, { digest: 'Resolve' }) });
      const model = pushSigned(controller.registry, 'v1');
      controller.registry.setFault(() => ({ chunkDelayMs: 400 }));
      const path = '/validate?timeout=1s';
      await Promise.all(
        [model.reference, `${controller.registry.address}/${model.repository}:v1`].map(async (reference) => {
          const answer = await controller.ask(reviewOf(volumePod(reference)), { path });
          assert.deepEqual([answer.code, answer.reasons], [503, ['DeadlineExceeded']]);
        }),
      );
    });

    it('gives a request its own time, not that of whoever asked first', async () => {
      const controller = await start();
      const model = pushSigned(controller.registry);
      controller.registry.setFault(() => ({ delayMs: 400 }));
      const [hurried, patient] = await Promise.all([
        controller.ask(reviewOf(volumePod(model.reference)), { path: '/validate?timeout=600ms' }),
        controller.ask(reviewOf(volumePod(model.reference))),
      ]);
      assert.deepEqual([hurried.allowed, hurried.reasons], [false, ['DeadlineExceeded']]);
      assert.equal(patient.allowed, true, patient.message);
      const paths = requestsOf(controller.registry, model).map(({ path }) => path);
      assert.equal(paths.length, new Set(paths).size);
    });

    it('warns about a workload, where a pod would be denied for time', async () => {
      const controller = await start();
      const model = pushSigned(controller.registry);
      controller.registry.setFault(() => ({ hang: true }));
      const answer = await controller.ask(workloadReview('Deployment', [model.reference]), {
        path: '/validate?timeout=1s',
      });
      assert.equal(answer.allowed, true);
      assert.match(answer.warnings.join(), /DeadlineExceeded/);
    });

    it('reads ?timeout= as Go writes durations, and takes 10 s for anything else', async () => {
      const seen: number[] = [];
      const controller = await start({
        namespaces: {},
        dependencies: {
          readNamespace: (_name, signal) => {
            const started = performance.now();
            return new Promise((resolve) => {
              signal.addEventListener('abort', () => {
                seen.push(performance.now() - started);
                resolve(undefined);
              });
            });
          },
        },
      });
      const ask = async (query: string): Promise<void> =>
        void (await controller.ask(reviewOf(podOf({})), { path: `/validate${query}` }));
      const started = performance.now();
      await Promise.all(
        ['?timeout=1s', '?timeout=1000ms', '?timeout=0m1s', '?timeout=0.6s', '?timeout=1ms'].map(ask),
      );
      assert.equal(seen.length, 5);
      assert.ok(performance.now() - started < 5000, 'a timeout was not read');
    });

    it('does not wait longer for whatever forgets its time', async () => {
      const never = (): Promise<never> => new Promise(() => undefined);
      const controller = await start({ namespaces: {}, dependencies: { readNamespace: never } });
      const path = '/validate?timeout=600ms';
      await expectDenied(
        controller,
        reviewOf(podOf({})),
        { code: 503, reasons: ['DeadlineExceeded'] },
        { path },
      );
    });

    it('answers whatever the query is', async () => {
      const controller = await start();
      for (const query of [
        '',
        '?',
        '?timeout',
        '?timeout=',
        '?timeout=0s',
        '?timeout=-1s',
        '?timeout=x',
        '?timeout=1e9s',
        '?timeout=99999999h',
        '?timeout=1s&timeout=2s',
        '?timeout[a]=1s',
        '?__proto__=1',
        '?%',
        '?timeout=%ff',
      ])
        await controller
          .ask(reviewOf(podOf({})), { path: `/validate${query}` })
          .then(({ allowed }) => assert.equal(allowed, true, query));
    });
  });

  describe('when something throws', () => {
    const boom = (): never => {
      throw new TypeError('secret detail of the fault');
    };

    /** Breaks one dependency, asks, mends it, asks again. */
    async function expectOnlyOne(
      toOptions: (isBroken: () => boolean) => ControllerOptions,
    ): Promise<Controller> {
      let isBroken = true;
      const controller = await start(toOptions(() => isBroken));
      const { reference } = pushSigned(controller.registry);
      const answer = await controller.ask(reviewOf(volumePod(reference)));
      assert.deepEqual(
        [answer.allowed, answer.code, answer.reason, answer.reasons],
        [false, 500, 'InternalError', ['InternalError']],
      );
      assert.doesNotMatch(JSON.stringify(answer), /secret/);
      isBroken = false;
      await expectAllowed(controller, reviewOf(volumePod(reference)));
      assert.equal(sumOf(await controller.metrics(), 'model_policy_requests_in_flight'), 0);
      return controller;
    }

    const wrapClient = (
      isBroken: () => boolean,
      fail: () => never | Promise<never>,
      ...methods: readonly (keyof RegistryClient)[]
    ): ControllerOptions => ({
      wrap: (dependencies) => ({
        ...dependencies,
        openClient: (identity, side) =>
          new Proxy(dependencies.openClient(identity, side), {
            get: (target, name: keyof RegistryClient) =>
              methods.includes(name) && isBroken() ? fail : target[name].bind(target),
          }),
      }),
    });

    it('denies only that request: the snapshot', async () => {
      const { failures } = await expectOnlyOne((isBroken) => ({
        wrap: (dependencies) => ({
          ...dependencies,
          snapshot: () => (isBroken() ? boom() : dependencies.snapshot()),
        }),
      }));
      assert.equal(failures.length, 1);
    });

    it('denies only that request: the clock', async () => {
      await expectOnlyOne((isBroken) => ({
        dependencies: { now: () => (isBroken() ? boom() : new Date()) },
      }));
    });

    it('denies only that request: the live read of a namespace', async () => {
      const namespace = { labels: {}, object: {} };
      for (const fail of [boom, () => Promise.reject(new Error('secret'))])
        await expectOnlyOne((isBroken) => ({
          namespaces: {},
          dependencies: { readNamespace: () => (isBroken() ? fail() : Promise.resolve(namespace)) },
        }));
    });

    for (const method of ['fetchManifest', 'listReferrers'] as const) {
      it(`denies only that request: ${method} of the client, at once or later`, async () => {
        await expectOnlyOne((isBroken) => wrapClient(isBroken, boom, method));
        await expectOnlyOne((isBroken) =>
          wrapClient(isBroken, () => Promise.reject(new Error('secret')), method),
        );
      });
    }

    it('denies only that request: every method of the client', async () => {
      await expectOnlyOne((isBroken) =>
        wrapClient(isBroken, boom, 'fetchManifest', 'listReferrers', 'fetchBlob'),
      );
    });

    it('denies only that request: the observer of decisions, which never records an admission that was none', async () => {
      await expectOnlyOne((isBroken) => ({
        observer: { inFlight: () => (isBroken() ? boom() : undefined) },
      }));
      let calls = 0;
      const controller = await start({
        observer: {
          decided: () => {
            calls += 1;
            if (calls === 1) boom();
          },
        },
      });
      const { reference } = pushSigned(controller.registry);
      const answer = await controller.ask(reviewOf(volumePod(reference)));
      assert.deepEqual([answer.code, answer.reasons], [500, ['InternalError']]);
      assert.equal((await controller.ask(reviewOf(volumePod(reference)))).allowed, true);
    });

    it('denies only that request: the observer of failures', async () => {
      await expectOnlyOne((isBroken) => ({
        wrap: (dependencies) => ({ ...dependencies, now: () => (isBroken() ? boom() : new Date()) }),
        observer: { failed: boom },
      }));
    });

    it('answers a malformed review although nobody can be told', async () => {
      const controller = await start({ observer: { decided: boom, failed: boom, inFlight: boom } });
      for (let index = 0; index < 3; index += 1) {
        const answer = await controller.ask(reviewOf(null));
        assert.deepEqual([answer.code, answer.reasons], [500, ['InternalError']]);
        assert.equal((await controller.post('{')).status, 400);
      }
    });
  });

  describe('in a crowd', () => {
    it('answers 200 at once, each with its own verdict', async () => {
      const controller = await start();
      const [good, bad] = [pushSigned(controller.registry), pushModel(controller.registry)];
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          controller.ask(reviewOf(volumePod(index % 2 === 0 ? good.reference : bad.reference))),
        ),
      );
      assert.deepEqual(
        answers.map(({ allowed }) => allowed),
        answers.map((_, index) => index % 2 === 0),
      );
      assert.equal(new Set(answers.map(({ uid }) => uid)).size, 200);
      // One flight per key, however many ask.
      const paths = [...requestsOf(controller.registry, good), ...requestsOf(controller.registry, bad)].map(
        ({ path }) => path,
      );
      assert.equal(paths.length, new Set(paths).size);
      const metrics = await controller.metrics();
      assert.equal(sumOf(metrics, 'model_policy_requests_total', { verdict: 'allowed' }), 100);
      assert.equal(sumOf(metrics, 'model_policy_requests_total', { verdict: 'denied' }), 100);
      assert.equal(sumOf(metrics, 'model_policy_requests_in_flight'), 0);
    });

    it(`denies at once what would be more than ${MAX_IN_FLIGHT}, or more than the share of a namespace, or of names that nobody knows`, async () => {
      const { promise: gate, resolve: letGo } = Promise.withResolvers<void>();
      let waiting = 0;
      let looks = 0;
      const handler = createReviewHandler(
        {
          // Known when a request is taken up, and read live when it is decided, so that it stays until we let it go.
          snapshot: () => ({
            generation: 1,
            policies: [],
            exceptions: [],
            brokenExceptions: [],
            select: () => [],
            trustRoots: new Map(),
            findNamespace: (name) => {
              looks += 1;
              return looks === 1 && !name.startsWith('unheard') ? { labels: {}, object: {} } : undefined;
            },
          }),
          openClient: () => UNUSED_CLIENT,
          openSignatureClient: () => UNUSED_CLIENT,
          prover: { prove: () => Promise.reject(new Error('nothing is proven here')) },
          options: { noMatchPolicy: 'Deny', workloads: 'Warn', shortNames: 'Deny' },
          now: () => new Date(),
          readNamespace: async () => {
            waiting += 1;
            await gate;
            return { labels: {}, object: {} };
          },
        },
        { decided() {}, failed() {}, inFlight() {} },
      );
      const ask = async (namespace: string): Promise<Answered> => {
        const body = Buffer.from(JSON.stringify(reviewOf(podOf({}), { namespace })));
        looks = 0;
        return ((await handler(body, undefined)) as { body: { response: Answered } }).body.response;
      };
      const expectOverloaded = async (namespace: string, message: RegExp): Promise<void> => {
        const { status } = await ask(namespace);
        assert.equal(status?.code, 503);
        assert.equal(status.details.causes[0]?.reason, 'Overloaded');
        assert.match(status.details.causes[0].message, message);
      };
      const half = MAX_IN_FLIGHT / 2;
      const held = Array.from({ length: half }, () => ask('flood'));
      assert.equal(waiting, half);
      await expectOverloaded('flood', /1000 requests are being decided, most of them for namespace "flood"/u);
      assert.equal(waiting, half);
      const quarter = half / 2;
      held.push(...Array.from({ length: quarter }, (_, n) => ask(`unheard-${n}`)));
      const unheard = /1500 requests are being decided, most of them for namespaces that are not known/u;
      await expectOverloaded('unheard-of', unheard);
      held.push(...Array.from({ length: half - quarter }, (_, n) => ask(`quiet-${n}`)));
      assert.equal(waiting, MAX_IN_FLIGHT);
      await expectOverloaded('quiet', /2000 requests are being decided/u);
      letGo();
      for (const { allowed } of await Promise.all(held)) assert.equal(allowed, true);
      assert.equal((await ask('flood')).allowed, true);
    });
  });
});
