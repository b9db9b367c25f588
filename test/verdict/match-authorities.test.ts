// Are authorities counted only by distinct signers?
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { countDistinctAuthorities } from '../../src/verdict/match-authorities.ts';

// Every assignment of signers to authorities, one by one.
function bruteForce(signers: readonly (readonly string[])[], used: ReadonlySet<string> = new Set()): number {
  const [first, ...rest] = signers;
  if (first === undefined) return 0;
  const taken = first
    .filter((signer) => !used.has(signer))
    .map((signer) => 1 + bruteForce(rest, new Set([...used, signer])));
  return Math.max(bruteForce(rest, used), ...taken);
}

describe('countDistinctAuthorities()', () => {
  it('counts what brute force counts', () => {
    const signer = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'constructor', '__proto__');
    fc.assert(
      fc.property(fc.array(fc.array(signer, { maxLength: 5 }), { maxLength: 6 }), (signers) => {
        assert.equal(countDistinctAuthorities(signers), bruteForce(signers));
      }),
      { numRuns: 500 },
    );
  });

  it('counts one signer once, however many authorities and signatures', () => {
    assert.equal(countDistinctAuthorities([['a'], ['a'], ['a', 'a']]), 1);
    assert.equal(countDistinctAuthorities([['a', 'a', 'a']]), 1);
    assert.equal(countDistinctAuthorities([]), 0);
    assert.equal(countDistinctAuthorities([[], []]), 0);
  });

  it('moves an earlier authority to another signer when that helps', () => {
    assert.equal(countDistinctAuthorities([['a', 'b'], ['a']]), 2);
    assert.equal(countDistinctAuthorities([['a', 'b'], ['b', 'c'], ['a'], ['b']]), 3);
  });

  it('counts the largest policy fast', () => {
    const all = Array.from({ length: 64 }, (_, n) => `s${n}`);
    assert.equal(countDistinctAuthorities(Array.from({ length: 32 }, () => all.slice(0, 31))), 31);
  });
});
