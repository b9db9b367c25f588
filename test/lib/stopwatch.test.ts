// Do the stages of a request add up?
import assert from 'node:assert/strict';
import { createStopwatch } from '../../src/lib/stopwatch.ts';

describe('createStopwatch()', () => {
  it('gives each stage and the total, none negative', () => {
    const watch = createStopwatch();
    watch.mark('first');
    watch.mark('second');
    const durations = watch.durations();
    assert.deepEqual(Object.keys(durations), ['first', 'second', 'total']);
    for (const value of Object.values(durations)) assert.ok(value >= 0 && Number.isFinite(value));
    assert.ok((durations['total'] ?? 0) + 0.01 >= (durations['first'] ?? 0) + (durations['second'] ?? 0));
  });

  it('gives the total alone when nothing was marked', () =>
    assert.deepEqual(Object.keys(createStopwatch().durations()), ['total']));
});
