// Does a caller stop waiting at its deadline, and only the caller?
import assert from 'node:assert/strict';
import { DeadlineError, waitWithin } from '../../src/lib/deadline.ts';

describe('waitWithin()', () => {
  const never = new Promise<string>(() => undefined);

  it('passes values and errors through', async () => {
    const { signal } = new AbortController();
    assert.equal(await waitWithin(Promise.resolve('v'), signal), 'v');
    await assert.rejects(waitWithin(Promise.reject(new TypeError('t')), signal), TypeError);
  });

  it('throws DeadlineError when the signal fires first, and at once when it has fired', async () => {
    const controller = new AbortController();
    const waiting = waitWithin(never, controller.signal);
    controller.abort();
    await assert.rejects(waiting, DeadlineError);
    await assert.rejects(waitWithin(never, controller.signal), DeadlineError);
    await assert.rejects(waitWithin(Promise.resolve(1), controller.signal), DeadlineError);
  });

  it('leaves no unhandled rejection behind when the work fails after the deadline', async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): unknown => unhandled.push(reason);
    process.on('unhandledRejection', listen);
    try {
      for (const isEarly of [true, false]) {
        const controller = new AbortController();
        if (isEarly) controller.abort();
        let fail: (error: Error) => void = () => undefined;
        const waiting = waitWithin(new Promise((_, reject) => (fail = reject)), controller.signal);
        controller.abort();
        await assert.rejects(waiting, DeadlineError);
        fail(new Error('late'));
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(unhandled, []);
    } finally {
      process.off('unhandledRejection', listen);
    }
  });

  it('takes its listener off the signal', async () => {
    let listeners = 0;
    const { signal } = new AbortController();
    const counting = new Proxy(signal, {
      get(target, name) {
        if (name === 'addEventListener') listeners += 1;
        if (name === 'removeEventListener') listeners -= 1;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    await waitWithin(Promise.resolve(1), counting);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(listeners, 0);
  });
});
