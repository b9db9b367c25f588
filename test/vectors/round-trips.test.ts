// Is a round of requests counted once, and the next one only when its answers were there?
import assert from 'node:assert/strict';
import { RoundTrips } from './round-trips.ts';

describe('RoundTrips', () => {
  it('takes what arrives before an answer for one round', async () => {
    const trips = new RoundTrips(5);
    const ends: string[] = [];
    const enter = (name: string): Promise<unknown> => trips.enter().then(() => ends.push(name));
    await Promise.all([enter('a'), enter('b'), enter('c')]);
    assert.deepEqual([trips.count, ends], [1, ['a', 'b', 'c']]);
  });

  it('counts what follows an answer as the next', async () => {
    const trips = new RoundTrips(1);
    for (const expected of [1, 2, 3]) {
      await trips.enter();
      assert.equal(trips.count, expected);
    }
  });

  it('waits for nothing that never arrives', () => assert.equal(new RoundTrips(1).count, 0));
});
