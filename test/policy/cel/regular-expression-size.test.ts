// Is a pattern's program estimated by its atoms, groups and repetitions?
import assert from 'node:assert/strict';
import { estimateProgramSize } from '../../../src/policy/cel/regular-expression-size.ts';

// Two for the whole and for each group, one for an atom; a repetition is what it repeats, so many times, and one.
const SIZES: Readonly<Record<string, number>> = {
  '': 2,
  ab: 4,
  'a|b': 5,
  // Groups, also those that do not begin or end.
  '(a)': 5,
  '((a)b)': 8,
  '(a': 5,
  '((a': 7,
  'a)': 3,
  'a)b': 4,
  '(ab){9}': 39,
  '((a){2}b){3}': 33,
  // Repetitions.
  'a*': 4,
  'a*{9}': 21,
  'a+{9}': 21,
  'a?{9}': 21,
  'a{9}': 12,
  'a{9,}': 12,
  'a{2,9}': 12,
  'a{9,2}': 12,
  'a{0}': 4,
  'a{12345}': 12_348,
  // Braces that count nothing.
  'a{,9}': 7,
  'a{123456}': 11,
  'a{9': 5,
  // Classes.
  '[abc]': 3,
  '[abc]d': 4,
  '[(*]{9}': 12,
  '[]ab]': 3,
  '[^]ab]': 3,
  '[^ab]': 3,
  '[\\]ab]': 3,
  '[[:alpha:]ab]': 3,
  '[[:^alpha:]ab]': 3,
  '[[:al]ab': 5,
  '[ab': 3,
  // Escapes and quotations.
  '\\(a': 4,
  '\\d{9}': 12,
  '\\p{Greek}a': 4,
  '\\P{Greek}a': 4,
  '\\x{10FFFF}a': 4,
  '\\d{Greek}': 10,
  '\\Q[(*\\E': 9,
  '\\Q[(*': 7,
  '\\Qab\\Ec': 9,
};

describe('estimateProgramSize()', () => {
  for (const [pattern, size] of Object.entries(SIZES)) {
    it(`is ${size} of ${pattern}`, () => {
      assert.equal(estimateProgramSize(pattern), size);
    });
  }
});
