// Are texts ordered by code points, where UTF-16 orders otherwise too?
import assert from 'node:assert/strict';
import { compareTexts } from '../../../src/policy/cel/text-order.ts';

describe('compareTexts()', () => {
  const ordered = ['', 'a', 'aa', 'b', '\ud7fe', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'];
  for (const [index, left] of ordered.entries())
    it(`puts ${JSON.stringify(left)} behind what comes before it`, () =>
      assert.deepEqual(
        ordered.map((right) => compareTexts(left, right)),
        ordered.map((_, other) => Math.sign(index - other)),
      ));
});
