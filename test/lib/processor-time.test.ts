import assert from 'node:assert/strict';
import { processorTime } from '../../src/lib/processor-time.ts';

describe('processorTime()', () => {
  it('grows with work and stands still in sleep', () => {
    const start = processorTime();
    while (processorTime() < start + 2000);
    const worked = processorTime();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    assert.ok(processorTime() - worked < 100_000);
  });
});
