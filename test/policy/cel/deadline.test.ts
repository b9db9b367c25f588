import assert from 'node:assert/strict';
import { DeadlineExceeded, withDeadline } from '../../../src/policy/cel/deadline.ts';
import { createCelMeter } from '../../../src/policy/cel/meter.ts';
import { bindings, engine, valueOf } from './support.ts';

function forever(): never {
  for (;;);
}

describe('withDeadline', () => {
  it('returns the value and passes errors through', () => {
    assert.equal(
      withDeadline(1000, () => 42),
      42,
    );
    assert.equal(
      withDeadline(1000, () => undefined),
      undefined,
    );
    const failure = new Error('own');
    assert.throws(
      () =>
        withDeadline(1000, () => {
          throw failure;
        }),
      (error) => error === failure,
    );
  });

  it('stops a loop with a typed error', () => {
    const start = performance.now();
    assert.throws(() => withDeadline(30, forever), DeadlineExceeded);
    assert.ok(performance.now() - start < 4000);
  });

  it('can be nested', () => {
    assert.equal(
      withDeadline(1000, () => withDeadline(1000, () => 1) + withDeadline(1000, () => 1)),
      2,
    );
  });

  it('leaves programs and meters usable', () => {
    const compiled = engine.compile('object.big.all(a, object.big.exists(b, a == b))', 'validation');
    assert.ok(compiled.ok);
    const { program } = compiled;
    for (let i = 0; i < 5; i += 1) {
      assert.throws(
        () =>
          withDeadline(5, () => {
            for (;;) program.evaluate(bindings, createCelMeter());
          }),
        DeadlineExceeded,
      );
      assert.deepEqual(program.evaluate(bindings, createCelMeter()), { ok: true, value: true });
      assert.equal(valueOf('object.list.map(x, x + 1) == [2, 3, 4]'), true);
    }
  });
});
