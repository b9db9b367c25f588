// Is an end told when it is near or past, and only by somebody who knows the time?
import assert from 'node:assert/strict';
import { describeEnd } from '../../src/policy/advice.ts';

describe('describeEnd()', () => {
  const now = new Date('2026-11-21T12:00:00Z');
  for (const [end, expected] of [
    ['2026-11-20T12:00:00Z', 'ended on 2026-11-20'],
    ['2026-11-22T12:00:00Z', 'ends on 2026-11-22'],
    ['2036-11-22T12:00:00Z', undefined],
  ] as const)
    it(`says ${expected ?? 'nothing'} of ${end}`, () =>
      assert.equal(describeEnd(new Date(end), now), expected));

  it('says nothing without a time', () => assert.equal(describeEnd(new Date(0), undefined), undefined));
});
