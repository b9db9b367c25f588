// Is data counted up to a limit and no further, with all that it shares?
import assert from 'node:assert/strict';
import { CHARACTERS_PER_UNIT, ELEMENT_COST } from '../../../src/policy/cel/limits.ts';
import { comparisonSize, costOfSize, membershipSize, sizeOf } from '../../../src/policy/cel/size.ts';

// What looking at one value is in characters.
const ONE = 2 * ELEMENT_COST * CHARACTERS_PER_UNIT;

describe('sizeOf()', () => {
  it('counts characters and bytes, each value, and its place in a list', () => {
    assert.equal(sizeOf('abc'), ONE + 3);
    assert.equal(sizeOf(Uint8Array.of(1, 2)), ONE + 2);
    assert.equal(sizeOf(1n), ONE);
    assert.equal(sizeOf(['ab', 'c']), ONE + 2 * (2 * ONE) + 3);
    assert.equal(sizeOf(new Map([['key', 'ab']])), ONE + 2 * ONE + ONE + 2);
  });

  it('ends at the limit, and not before', () => {
    const many = Array.from({ length: 1000 }, () => 'x');
    assert.ok(sizeOf(many) >= 1000 * 2 * ONE);
    assert.equal(sizeOf(['abc'], ONE), 2 * ONE);
    assert.equal(sizeOf(many, 10), ONE + 10 * ONE);
    assert.equal(sizeOf('abc', 0), 0);
  });
});

describe('comparisonSize()', () => {
  it('is that of the smaller operand', () => {
    assert.equal(comparisonSize('abc', 'abcdef'), 3);
    assert.equal(comparisonSize('abcdef', 'abc'), 3);
    assert.equal(comparisonSize([1n], [1n, 2n, 3n]), sizeOf([1n]));
    const long = Array.from({ length: 500 }, () => 1n);
    assert.equal(comparisonSize(long, [...long, 1n]), sizeOf(long));
  });

  it('is nothing where types already differ', () => {
    for (const [left, right] of [
      ['abc', 1n],
      [[1n], 'abc'],
      ['abc', [1n]],
      [1n, 2n],
      [null, [1n]],
      [[1n], null],
    ])
      assert.equal(comparisonSize(left, right), 0);
  });
});

describe('membershipSize()', () => {
  it('is that of a list, and none of a map', () => {
    assert.deepEqual([membershipSize(['ab']), membershipSize(new Map([['a', 'b']]))], [sizeOf(['ab']), 0]);
  });
});

describe('costOfSize()', () => {
  it('is a unit for each eight characters that were begun', () => {
    assert.deepEqual([0, 1, 8, 9].map(costOfSize), [0, 1, 1, 2]);
  });
});
