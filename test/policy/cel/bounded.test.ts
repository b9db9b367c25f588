import assert from 'node:assert/strict';
import { runBounded } from '../../../src/policy/cel/bounded.ts';
import { DeadlineExceeded, isOverdue } from '../../../src/policy/cel/deadline.ts';
import type { CelResult } from '../../../src/policy/cel/engine.ts';
import { TRIAL_COST } from '../../../src/policy/cel/limits.ts';
import { createCelMeter, type CelMeter } from '../../../src/policy/cel/meter.ts';
import { bindings, engine } from './support.ts';

const CHEAP = 'object.count == 3';
/** About 30,000 units. */
const DEAR = 'object.big.all(a, object.big.exists(b, a == b))';

function evaluate(expression: string, meter: CelMeter): CelResult {
  const compiled = engine.compile(expression, 'validation');
  assert.ok(compiled.ok);
  return compiled.program.evaluate(bindings, meter);
}

describe('runBounded()', () => {
  const runsOf = (...expressions: readonly string[]): { runs: number; values: readonly unknown[] } => {
    let runs = 0;
    const values = runBounded(10_000, () => {
      runs += 1;
      const meter = createCelMeter();
      return expressions.map((expression) => {
        const result = evaluate(expression, meter);
        return result.ok ? result.value : result.kind;
      });
    });
    return { runs, values };
  };

  it('runs cheap rules once', () => {
    assert.deepEqual(runsOf(CHEAP, CHEAP), { runs: 1, values: [true, true] });
  });

  it('runs rules again that want more than the trial gives, and keeps nothing of it', () => {
    assert.deepEqual(runsOf(CHEAP, DEAR, CHEAP), { runs: 2, values: [true, true, true] });
  });

  it('runs rules again whose spent trial was absorbed', () => {
    assert.deepEqual(runsOf(`${DEAR} || true`), { runs: 2, values: [true] });
  });

  it('runs rules again whose match may take longer than it costs, and those alone', () => {
    assert.deepEqual(runsOf('object.long.matches("^x+$")'), { runs: 1, values: [true] });
    const long = 'object.long.substring(0, 512).matches("^x{100}")';
    assert.deepEqual(runsOf(long), { runs: 2, values: [true] });
  });

  it('adds up what single rules cost', () => {
    const meter = createCelMeter();
    evaluate(CHEAP, meter);
    const cost = createCelMeter().remaining - meter.remaining;
    const count = Math.floor(TRIAL_COST / cost);
    assert.equal(runsOf(...Array.from({ length: count }, () => CHEAP)).runs, 1);
    assert.equal(runsOf(...Array.from({ length: count + 1 }, () => CHEAP)).runs, 2);
  });

  it('says of a small meter what the meter says', () => {
    let runs = 0;
    const result = runBounded(10_000, () => {
      runs += 1;
      return evaluate(DEAR, createCelMeter(TRIAL_COST / 2));
    });
    assert.ok(!result.ok && result.kind === 'budget');
    assert.equal(runs, 1);
  });

  it('looks at the time of what wants more', () => {
    const overdueAtEnd: boolean[] = [];
    const wait = (milliseconds: number): void => {
      const end = performance.now() + milliseconds;
      while (performance.now() < end);
    };
    assert.throws(
      () =>
        runBounded(1, () => {
          evaluate(DEAR, createCelMeter());
          wait(20);
          overdueAtEnd.push(isOverdue());
          evaluate(CHEAP, createCelMeter());
        }),
      DeadlineExceeded,
    );
    assert.deepEqual(overdueAtEnd[0], false);
  });

  it('passes errors on, but none that a spent trial made', () => {
    let runs = 0;
    const fail = (expression: string) => (): never => {
      runs += 1;
      evaluate(expression, createCelMeter());
      throw new Error('own');
    };
    assert.throws(() => runBounded(10_000, fail(CHEAP)), /own/);
    assert.equal(runs, 1);
    assert.throws(() => runBounded(10_000, fail(DEAR)), /own/);
    assert.equal(runs, 3);
    const requireValue = (): unknown => {
      const result = evaluate(DEAR, createCelMeter());
      if (!result.ok) throw new Error(result.message);
      return result.value;
    };
    assert.equal(runBounded(10_000, requireValue), true);
  });
});
