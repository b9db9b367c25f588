// Does an evaluation stop when its budget, its trial or its time is spent, and not before?
import assert from 'node:assert/strict';
import { DeadlineExceeded, isOverdue, withDeadline } from '../../../src/policy/cel/deadline.ts';
import { UNITS_PER_CLOCK_CHECK } from '../../../src/policy/cel/limits.ts';
import {
  beginLongStep,
  charge,
  createCelMeter,
  runMetered,
  tryWithin,
  type Metered,
} from '../../../src/policy/cel/meter.ts';

const evaluate = <T>(run: () => T): Metered<T> => runMetered(createCelMeter(), 0, run);
const use = (units: number) => (): string => {
  charge(units);
  return 'done';
};

describe('runMetered()', () => {
  it('lets a budget be spent to its last unit, and no further', () => {
    const meter = createCelMeter(10);
    assert.deepEqual(runMetered(meter, 0, use(10)), { within: true, value: 'done' });
    assert.equal(meter.remaining, 0);
    assert.deepEqual(runMetered(createCelMeter(10), 0, use(11)), { within: false });
  });

  it('begins nothing without a budget', () => {
    let begun = 0;
    const begin = (): number => (begun += 1);
    assert.deepEqual(runMetered(createCelMeter(0), 0, begin), { within: false });
    assert.equal(begun, 0);
  });

  // Runs on a time that is not up before `run` waits for it.
  const overdue = (run: (waitUntilOverdue: () => void) => void): void => {
    const wait = (): void => {
      while (!isOverdue());
    };
    assert.throws(() => withDeadline(100, () => run(wait)), DeadlineExceeded);
  };

  it('lets nothing succeed that begins when the time is up', () => {
    overdue((wait) => {
      wait();
      assert.deepEqual(evaluate(use(0)), { within: false });
    });
  });

  it('looks at the time when enough was charged', () => {
    overdue((wait) => {
      let charged = 0;
      const result = evaluate(() => {
        wait();
        for (; charged <= 2 * UNITS_PER_CLOCK_CHECK; charged += 1) charge(1);
      });
      assert.deepEqual([result, charged], [{ within: false }, UNITS_PER_CLOCK_CHECK - 1]);
    });
  });

  it('looks at the time after a long step', () => {
    overdue((wait) => {
      let isLooked = true;
      const result = evaluate(() => {
        beginLongStep();
        wait();
        charge(0);
        isLooked = false;
      });
      assert.deepEqual([result, isLooked], [{ within: false }, true]);
    });
  });
});

describe('tryWithin()', () => {
  it('gives evaluations so many units together', () => {
    const twice = (units: number) => (): unknown => [evaluate(use(units)), evaluate(use(units))];
    const done = { within: true, value: 'done' };
    assert.deepEqual(tryWithin(10, twice(5)), { within: true, value: [done, done] });
    assert.deepEqual(tryWithin(10, twice(6)), { within: false });
  });

  it('lets nothing succeed once it is spent', () => {
    const seen: unknown[] = [];
    tryWithin(1, () =>
      seen.push(
        evaluate(use(2)),
        evaluate(() => 'free'),
      ),
    );
    assert.deepEqual(seen, [{ within: false }, { within: false }]);
  });

  it('ends before a long step, which is one no more when it is over', () => {
    const step = (): Metered<void> => evaluate(beginLongStep);
    assert.deepEqual(tryWithin(1000, step), { within: false });
    assert.deepEqual(step(), { within: true, value: undefined });
  });

  it('has no say about what comes after it', () => {
    tryWithin(1, () => evaluate(use(2)));
    assert.deepEqual(evaluate(use(2)), { within: true, value: 'done' });
  });
});
