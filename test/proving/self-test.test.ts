// Does the self-test pass here, and would it notice?
import assert from 'node:assert/strict';
import { SELF_TEST_BUNDLE } from '../../src/proving/self-test-material.ts';
import { selfTest } from '../../src/proving/self-test.ts';

describe('selfTest()', () => {
  it('finds nothing wrong', () => {
    assert.equal(selfTest(), undefined);
  });

  it('says so when a good bundle is not accepted', () => {
    assert.match(selfTest(Buffer.from('{}').toString('base64')) ?? '', /a good bundle is not accepted/);
    const other = Buffer.from(SELF_TEST_BUNDLE, 'base64')
      .toString()
      .replace('"payloadType":"', '"payloadType":"x');
    assert.match(selfTest(Buffer.from(other).toString('base64')) ?? '', /a good bundle is not accepted/);
  });
});
