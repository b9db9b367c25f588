// Are places counted for each owner, and given back once they are left?
import assert from 'node:assert/strict';
import { createShares } from '../../src/lib/shares.ts';

describe('createShares()', () => {
  it('gives one owner half, and others of what is left', () => {
    const shares = createShares(8);
    const take = (owner: string): number =>
      Array.from({ length: 8 }, () => shares.take(owner)).filter((release) => release !== undefined).length;
    assert.deepEqual([take('a'), take('b'), take('c'), take('d'), take('e')], [4, 2, 1, 1, 0]);
    assert.equal(shares.taken, 8);
  });

  it('takes places back', () => {
    const shares = createShares(4);
    const releases = [shares.take('a'), shares.take('a')];
    assert.equal(shares.take('a'), undefined);
    for (const release of releases) release?.();
    assert.equal(shares.taken, 0);
    assert.ok(shares.take('a'));
    assert.ok(shares.take('a'));
    assert.equal(shares.take('a'), undefined);
    assert.equal(shares.taken, 2);
  });
});
