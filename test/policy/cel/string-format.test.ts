// What does a format string make of values at the edges, and what does it refuse with its own error?
import assert from 'node:assert/strict';
import { UnsignedInt } from 'cel-js/evaluator';
import { createCelMeter, runMetered } from '../../../src/policy/cel/meter.ts';
import { formatString } from '../../../src/policy/cel/string-format.ts';

function format(pattern: string, ...values: readonly unknown[]): string {
  const result = runMetered(createCelMeter(), 0, () => formatString(pattern, values));
  assert.ok(result.within);
  return result.value;
}

function nested(depth: number): unknown {
  return depth === 0 ? 1n : [nested(depth - 1)];
}

describe('formatString()', () => {
  const written: readonly (readonly [pattern: string, value: unknown, text: string])[] = [
    ['%f', 1e21, '1000000000000000000000.000000'],
    ['%.2f', -1e21, '-1000000000000000000000.00'],
    ['%.0f', 1e21, '1000000000000000000000'],
    ['%.1f', 999_999_999_999_999_868_928, '999999999999999868928.0'],
    ['%.1f', -0, '-0.0'],
    ['%.1f', -1.5, '-1.5'],
    ['%.1f', 0.29, '0.3'],
    ['%.1f', new UnsignedInt(7n), '7.0'],
    ['%.1f', 0, '0.0'],
    ['%.100f', 0.5, `0.5${'0'.repeat(99)}`],
    ['%.0e', 9.5, '1e+01'],
    ['%.0e', 8.5, '8e+00'],
    ['%.2e', 9.999, '1.00e+01'],
    ['%.2e', 0.000_999_9, '1.00e-03'],
    ['%d', -0, '-0'],
    ['%d', -1.5e-7, '-0.00000015'],
    ['%d', new UnsignedInt(7n), '7'],
    ['%s', new UnsignedInt(7n), '7'],
    ['%s', Uint8Array.of(0x68, 0x69), 'hi'],
    ['%X', Uint8Array.of(0xab, 0x01), 'AB01'],
    ['%s', nested(63), `${'['.repeat(63)}1${']'.repeat(63)}`],
  ];
  for (const [pattern, value, text] of written)
    it(`writes ${text.slice(0, 40)} for ${pattern}`, () => assert.equal(format(pattern, value), text));

  const refused: Readonly<Record<string, readonly [pattern: string, ...values: unknown[]]>> = {
    'a letter that is no clause': ['%y', 1n],
    'a percent sign alone': ['%', 1n],
    'a clause without an argument': ['%s'],
    'a clause more than there are arguments': ['%d %d', 1n],
    'more digits than can be written': ['%.101f', 1.5],
    'more digits of a number that needs none': ['%.101f', 1e21],
    'a text as a number': ['%f', 'a'],
    'a list that is nested too deeply': ['%s', nested(64)],
    'an object that has no text': ['%s', {}],
    'such an object in a list': ['%s', [{}]],
  };
  for (const [what, [pattern, ...values]] of Object.entries(refused))
    it(`refuses ${what}`, () => assert.throws(() => format(pattern, ...values), { code: 'invalid_format' }));
});
