// When are two values the same, and does a difference never get lost in what they hold?
import assert from 'node:assert/strict';
import { Optional } from 'cel-js';
import { Duration, UnsignedInt } from 'cel-js/evaluator';
import { compareNumbers, includes, isEqual, isNumeric, toKey } from '../../../src/policy/cel/equality.ts';
import { Cidr, IpAddress, parseCidr, parseIp } from '../../../src/policy/cel/ip-address.ts';
import { createCelMeter, runMetered } from '../../../src/policy/cel/meter.ts';
import { parseQuantity } from '../../../src/policy/cel/quantity.ts';
import { parseSemver } from '../../../src/policy/cel/semver.ts';
import { parseUrl } from '../../../src/policy/cel/url.ts';
import { Unreadable } from '../../../src/policy/cel/value.ts';

const metered = <T>(run: () => T): T => {
  const outcome = runMetered(createCelMeter(), 0, run);
  if (!outcome.within) throw new Error('over budget');
  return outcome.value;
};
const areEqual = (left: unknown, right: unknown): boolean => metered(() => isEqual(left, right));
const uint = (value: bigint): UnsignedInt => new UnsignedInt(value);
const map = (...entries: readonly (readonly [unknown, unknown])[]): Map<unknown, unknown> => new Map(entries);

describe('isEqual()', () => {
  // Values of one row are equal, those of two rows are not.
  const rows: readonly (readonly [unknown, ...unknown[]])[] = [
    [0n, 0, -0, uint(0n)],
    [1n, 1, uint(1n)],
    [1.5, 1.5],
    [2n ** 64n - 1n, uint(2n ** 64n - 1n)],
    ['', ''],
    ['0', '0'],
    ['1', '1'],
    ['a', 'a'],
    ['ab', 'ab'],
    [true, true],
    [false, false],
    [null, null],
    [[], []],
    [[1n], [1], [uint(1n)]],
    [['a'], ['a']],
    [['1'], ['1']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [[97n], [97]],
    [[null], [null]],
    [map(), map()],
    [map(['a', 1n]), map(['a', 1])],
    [map(['a', 2n]), map(['a', 2n])],
    [map(['b', 1n]), map(['b', 1n])],
    [map(['a', 1n], ['b', 2n]), map(['b', 2n], ['a', 1n])],
    [map(['a', null]), map(['a', null])],
    [map([0n, 'a']), map([0n, 'a'])],
    [new Date(0), new Date(0)],
    [new Date(1), new Date(1)],
    [new Duration(1n, 0), new Duration(1n, 0)],
    [new Duration(1n, 1), new Duration(1n, 1)],
    [new Duration(0n, 1), new Duration(0n, 1)],
    [Uint8Array.of(97), Uint8Array.of(97)],
    [Uint8Array.of(), Uint8Array.of()],
    [Optional.none(), Optional.none()],
    [Optional.of(null), Optional.of(null)],
    [Optional.of(1n), Optional.of(1)],
    [Optional.of(2n), Optional.of(2n)],
    [parseQuantity('1k'), parseQuantity('1000')],
    [parseQuantity('1'), parseQuantity('1')],
    [parseSemver('1.0.0'), parseSemver('1.0.0+build')],
    [parseSemver('1.0.0-a'), parseSemver('1.0.0-a')],
    [parseIp('::1'), new IpAddress(6, 1n)],
    [parseIp('0.0.0.1'), new IpAddress(4, 1n)],
    [parseIp('::2'), parseIp('::2')],
    [parseCidr('::1/64'), new Cidr(parseIp('::1'), 64)],
    [parseCidr('::1/65'), parseCidr('::1/65')],
    [parseCidr('::2/64'), parseCidr('::2/64')],
    [parseUrl('/a'), parseUrl('/a')],
    [parseUrl('/b'), parseUrl('/b')],
  ];

  it('holds between the same values of any type, in both directions', () => {
    for (const row of rows)
      for (const left of row) for (const right of row) assert.ok(areEqual(left, right), String(row));
  });

  it('holds between no others, in both directions', () => {
    for (const [at, row] of rows.entries())
      for (const left of row)
        for (const right of rows.filter((_, other) => other !== at).flat())
          assert.equal(areEqual(left, right), false, `${String(left)}, ${String(right)}`);
  });

  it('does not hold between what is not a number and itself', () => {
    assert.equal(areEqual(Number.NaN, Number.NaN), false);
  });

  it('fails on what cannot be read, whatever it is compared with', () => {
    const unreadable = new Unreadable();
    for (const [value] of rows) {
      assert.throws(() => areEqual(unreadable, value), /cannot be read/);
      assert.throws(() => areEqual(value, unreadable), /cannot be read/);
    }
    assert.throws(() => areEqual([unreadable], [unreadable]), /cannot be read/);
    assert.throws(() => areEqual(map(['a', []]), map(['a', unreadable])), /cannot be read/);
  });

  it('takes types and the like for what they are', () => {
    const [one, other] = [{}, {}];
    assert.deepEqual([areEqual(one, one), areEqual(one, other)], [true, false]);
  });
});

describe('compareNumbers()', () => {
  it('orders by value, across types', () => {
    for (const [left, right] of [
      [1n, 2n],
      [1.5, 2n],
      [1n, 1.5],
      [-Infinity, 0n],
    ] as const)
      assert.deepEqual([compareNumbers(left, right), compareNumbers(right, left)], [-1, 1]);
    assert.deepEqual([compareNumbers(2n ** 53n + 1n, 2 ** 53), compareNumbers(1n, 1)], [0, 0]);
    assert.ok(Number.isNaN(compareNumbers(1n, Number.NaN)));
  });
});

describe('isNumeric()', () => {
  it('knows the three types of numbers', () => {
    for (const number of [1n, 1, uint(1n)]) assert.ok(isNumeric(number));
    for (const other of ['1', true, null, [1n], new Date(1)]) assert.ok(!isNumeric(other));
  });
});

describe('includes()', () => {
  const holds = (collection: unknown, value: unknown): boolean => metered(() => includes(collection, value));

  it('finds elements of lists and keys of maps', () => {
    assert.deepEqual([holds([1n, 'a'], 1), holds([1n, 'a'], '1'), holds([], 1)], [true, false, false]);
    assert.deepEqual([holds(map([1n, 2n]), uint(1n)), holds(map([1n, 2n]), 2n)], [true, false]);
  });

  it('fails on anything else', () => {
    for (const other of ['abc', null, 1n, Uint8Array.of(1)])
      assert.throws(() => holds(other, 'a'), /not defined/);
  });
});

describe('toKey()', () => {
  it('makes one key of a whole number of any type, and leaves the others', () => {
    assert.deepEqual([1n, 1, uint(1n), 1.5, '1', true].map(toKey), [1n, 1n, 1n, 1.5, '1', true]);
  });
});
