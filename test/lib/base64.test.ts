// Is only canonical base64 decoded?
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeBase64 } from '../../src/lib/base64.ts';

describe('decodeBase64()', () => {
  it('reads back whatever was written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        assert.deepEqual(decodeBase64(buffer.toString('base64')), buffer);
      }),
    );
  });

  for (const text of [
    'YQ',
    'YR==',
    'YWJ=',
    'Y Q==',
    'YQ==\n',
    'YQ=a',
    '_-8=',
    '====',
    '=',
    'YQ====',
    'é===',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(decodeBase64(text), undefined));
  }

  it('gives one text for one value: whatever is decoded is written the same way', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        const bytes = decodeBase64(text);
        assert.ok(bytes === undefined || bytes.toString('base64') === text);
      }),
    );
  });
});
