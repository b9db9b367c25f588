// What does a request get when its proof cannot be made in time, and do threads change any answer?
import assert from 'node:assert/strict';
import { OverloadedError } from '../../src/proving/executor.ts';
import { createProver } from '../../src/proving/prover.ts';
import { createThreadExecutor } from '../../src/proving/thread-executor.ts';
import { pushModel, pushSigned, startController, type Controller } from '../support/controller.ts';
import { reviewOf, volumePod } from '../support/review.ts';

describe('a decision and its proofs', function () {
  this.timeout(30_000);
  let controller: Controller | undefined;
  afterEach(async () => {
    await controller?.stop();
    controller = undefined;
  });

  it('is denied Overloaded when too many signatures are waiting, and only then', async () => {
    let isFull = true;
    controller = await startController({
      wrap: (dependencies) => ({
        ...dependencies,
        prover: {
          prove: (...question) =>
            isFull
              ? Promise.reject(new OverloadedError('too many signatures are waiting to be verified'))
              : dependencies.prover.prove(...question),
        },
      }),
    });
    const review = reviewOf(volumePod(pushSigned(controller.registry).reference));
    const full = await controller.ask(review);
    assert.deepEqual([full.allowed, full.code, full.reasons], [false, 503, ['Overloaded']]);
    isFull = false;
    assert.equal((await controller.ask(review)).allowed, true);
    assert.deepEqual(controller.failures, []);
  });

  it('is denied DeadlineExceeded when a proof does not come back', async () => {
    controller = await startController({
      wrap: (dependencies) => ({
        ...dependencies,
        prover: createProver(
          { run: () => new Promise(() => undefined), close: () => Promise.resolve() },
          { lookedUp: () => undefined, disagreed: () => undefined },
        ),
      }),
    });
    const review = reviewOf(volumePod(pushSigned(controller.registry).reference));
    const answer = await controller.ask(review, { path: '/validate?timeout=1s' });
    assert.deepEqual([answer.allowed, answer.reasons], [false, ['DeadlineExceeded']]);
  });

  it('is the same by a thread, a hundred at once, good and bad side by side', async () => {
    const executor = await createThreadExecutor(2, { restarted: () => undefined, waiting: () => undefined });
    try {
      controller = await startController({
        wrap: (dependencies) => ({
          ...dependencies,
          prover: createProver(executor, { lookedUp: () => undefined, disagreed: () => undefined }),
        }),
      });
      const { registry } = controller;
      const models = Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? pushSigned : pushModel)(registry));
      const ask = controller.ask.bind(controller);
      const answers = await Promise.all(models.map(({ reference }) => ask(reviewOf(volumePod(reference)))));
      assert.deepEqual(
        answers.map(({ allowed }) => allowed),
        models.map((_, n) => n % 2 === 0),
      );
    } finally {
      await executor.close();
    }
  });
});
