// Is time used once, over all runs that share it, and nobody else's?
import assert from 'node:assert/strict';
import { createAllowance, isTimeUp, runOn } from '../../src/lib/allowance.ts';
import { processorTime } from '../../src/lib/processor-time.ts';

function compute(microseconds: number): void {
  const end = processorTime() + microseconds;
  while (processorTime() < end);
}

describe('runOn()', () => {
  it('shares an allowance between runs, and does not stop them', () => {
    const allowance = createAllowance(4);
    const answers = [0, 1].map(() =>
      runOn(allowance, () => {
        compute(3000);
        return isTimeUp();
      }),
    );
    assert.equal(answers[1], true);
    assert.ok(allowance.left < 0);
    assert.equal(
      runOn(allowance, () => isTimeUp()),
      true,
    );
  });

  it('leaves nothing behind, whatever happens', () => {
    const allowance = createAllowance(0);
    assert.throws(() =>
      runOn(allowance, () => {
        throw new Error('x');
      }),
    );
    assert.equal(isTimeUp(), false);
    assert.equal(
      runOn(createAllowance(1000), () => isTimeUp()),
      false,
    );
  });
});
