// Can foreign text break out of a message, or make it too long?
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  boundBytes,
  isRecord,
  quote,
  toArray,
  toErrorMessage,
  toSeconds,
  toRecord,
  toText,
} from '../../src/lib/text.ts';

describe('quote()', () => {
  it('writes any text as printable ASCII on one line, bounded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const quoted = quote(text);
        assert.match(quoted, /^"[\x20-\x7e…]*"$/);
        assert.ok(quoted.length <= 6 * 200 + 40);
      }),
    );
  });

  it('gives short text back to JSON.parse', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) =>
        assert.equal(JSON.parse(quote(text)), text),
      ),
    );
  });

  for (const text of ['\u001b[31m', 'a\nb', '\u202eevil', '\u2028', '\u007f', '\ud800', '\u0000']) {
    it(`escapes ${JSON.stringify(text)}`, () => assert.match(quote(text), /\\(?:u[0-9a-f]{4}|n)/));
  }

  it('says how long the text was', () => assert.equal(quote('x'.repeat(1000), 3), '"xxx…(1000 chars)"'));
});

describe('boundBytes()', () => {
  it('keeps to the bound and to whole characters', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        fc.integer({ min: 8, max: 100 }),
        (text, max) => {
          const bounded = boundBytes(text, max);
          assert.ok(Buffer.byteLength(bounded) <= max);
          assert.ok(bounded === text || bounded.endsWith('…'));
          assert.ok(!bounded.includes('\ufffd') || text.includes('\ufffd'));
        },
      ),
    );
  });
});

describe('toRecord()', () => {
  it('takes objects only', () => {
    const object = { a: 1 };
    assert.equal(toRecord(object), object);
    for (const value of [null, undefined, [], 'x', 1, true]) {
      assert.deepEqual(toRecord(value), {});
      assert.equal(isRecord(value), false);
    }
  });
});

describe('toArray()', () => {
  it('takes arrays only', () => {
    assert.deepEqual(toArray([1]), [1]);
    for (const value of [null, undefined, {}, { length: 1 }, 'x']) assert.deepEqual(toArray(value), []);
  });
});

describe('toText()', () => {
  it('takes strings only', () => {
    assert.equal(toText('x'), 'x');
    for (const value of [null, 1, {}, ['x']]) assert.equal(toText(value), undefined);
  });
});

describe('toErrorMessage()', () => {
  it('reads anything that can be thrown', () => {
    assert.equal(toErrorMessage(new Error('e')), 'e');
    assert.equal(toErrorMessage('s'), 's');
    assert.equal(toErrorMessage(undefined), 'undefined');
  });
});

describe('toSeconds()', () => {
  it('cuts off what is left of a second', () => {
    assert.equal(toSeconds(new Date('2026-12-05T00:00:00.999Z')), '2026-12-05T00:00:00Z');
  });
});
