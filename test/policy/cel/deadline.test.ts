import assert from 'node:assert/strict';
import { DeadlineExceeded, isOverdue, withDeadline } from '../../../src/policy/cel/deadline.ts';
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
    // Evaluation errors have a code too.
    for (const failure of [new Error('own'), Object.assign(new Error('own'), { code: 'no_such_key' }), null])
      assert.throws(
        () =>
          withDeadline(1000, () => {
            throw failure;
          }),
        (error) => error === failure,
      );
  });

  it('stops what never asks for the time, by the wall clock', () => {
    assert.throws(() => withDeadline(1000, forever, 30), DeadlineExceeded);
  });

  it('tells when its processor time is used up, and throws even if nobody minds', () => {
    let asked = 0;
    assert.throws(
      () =>
        withDeadline(5, () => {
          while (!isOverdue()) asked += 1;
        }),
      DeadlineExceeded,
    );
    assert.ok(asked > 0);
    assert.equal(isOverdue(), false);
  });

  it('does not count time that is slept', () => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    withDeadline(20, () => {
      Atomics.wait(cell, 0, 0, 200);
      assert.equal(isOverdue(), false);
    });
  });

  it('ends an evaluation as a spent budget does', () => {
    const compiled = engine.compile('object.big.all(a, object.big.exists(b, a == b))', 'validation');
    assert.ok(compiled.ok);
    const { program } = compiled;
    assert.throws(
      () =>
        withDeadline(1, () => {
          while (!isOverdue());
          const result = program.evaluate(bindings, createCelMeter());
          assert.ok(!result.ok && result.kind === 'budget');
        }),
      DeadlineExceeded,
    );
  });

  it('can be nested', () => {
    assert.equal(
      withDeadline(1000, () => withDeadline(1000, () => 1) + withDeadline(1000, () => 1)),
      2,
    );
  });

  it('gives an inner call no more than what is left of the outer', () => {
    const inner = (): void =>
      withDeadline(60_000, () => {
        for (let turn = 0; turn < 10_000; turn += 1) if (isOverdue()) return;
      });
    assert.throws(() => withDeadline(0, inner), DeadlineExceeded);
  });

  it('leaves programs and meters usable', () => {
    const compiled = engine.compile('object.big.all(a, object.big.exists(b, a == b))', 'validation');
    assert.ok(compiled.ok);
    const { program } = compiled;
    for (let i = 0; i < 5; i += 1) {
      assert.throws(
        () =>
          withDeadline(
            1000,
            () => {
              for (;;) program.evaluate(bindings, createCelMeter());
            },
            5,
          ),
        DeadlineExceeded,
      );
      assert.deepEqual(program.evaluate(bindings, createCelMeter()), { ok: true, value: true });
      assert.equal(valueOf('object.list.map(x, x + 1) == [2, 3, 4]'), true);
      assert.ok(Error.stackTraceLimit > 0);
    }
  });
});
