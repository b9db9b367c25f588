// Has one value one encoding, and does nothing read beyond its container?
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { objectIdentifier } from '../../src/demo/der.ts';
import {
  DER_TAG,
  DerError,
  readDer,
  readDerChildren,
  requireTag,
  toOid,
  writeDer,
} from '../../src/lib/der.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('readDer()', () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536, 70_000]) {
    it(`reads content of ${length} bytes in the one form it can have`, () => {
      const content = Buffer.alloc(length, 7);
      const element = readDer(writeDer(DER_TAG.octetString, content), DER_TAG.octetString);
      assert.ok(element.content.equals(content));
    });
  }

  const refused: readonly (readonly [string, string])[] = [
    ['nothing at all', ''],
    ['a tag alone', '04'],
    ['content that is cut off', '04 02 00'],
    ['trailing bytes', '04 01 00 00'],
    ['another tag', '05 00'],
    ['an indefinite length', '04 80 00 00'],
    ['a reserved length', '04 ff 00'],
    ['a length in one byte too many', '04 81 01 00'],
    ['a length of two bytes that fits one', `04 82 00 80 ${'00'.repeat(128)}`],
    ['a length of three bytes that fits two', `04 83 00 01 00 ${'00'.repeat(256)}`],
    ['a length of four bytes', '04 84 00 00 00 01 00'],
    ['a length whose bytes are cut off', '04 82 01'],
    ['a length beyond the buffer', '04 83 ff ff ff 00'],
    ['a tag of two bytes', '1f 81 00 00'],
    ['a constructed octet string', '24 03 04 01 00'],
  ];
  for (const [what, bytes] of refused) {
    it(`refuses ${what}`, () => assert.throws(() => readDer(hex(bytes), DER_TAG.octetString), DerError));
  }

  it('throws nothing but DerError on any bytes, and accepts only what it would write', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          const element = readDer(Buffer.from(bytes), DER_TAG.sequence);
          assert.ok(writeDer(DER_TAG.sequence, element.content).equals(Buffer.from(bytes)));
        } catch (error) {
          assert.ok(error instanceof DerError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses or reads differently every bit flip of a header', () => {
    const original = writeDer(DER_TAG.sequence, writeDer(DER_TAG.octetString, Buffer.alloc(200, 1)));
    for (let bit = 0; bit < 8 * 6; bit += 1) {
      const flipped = Buffer.from(original);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.throws(() => {
        const [inner, ...others] = readDerChildren(readDer(flipped, DER_TAG.sequence).content);
        assert.equal(others.length, 0);
        requireTag(inner, DER_TAG.octetString);
      }, `bit ${bit}`);
    }
  });
});

describe('readDerChildren()', () => {
  it('walks elements in order and views the same memory', () => {
    const content = hex('02 01 05 0c 01 61 30 00');
    const children = readDerChildren(content);
    assert.deepEqual(
      children.map(({ tag }) => tag),
      [DER_TAG.integer, DER_TAG.utf8String, DER_TAG.sequence],
    );
    assert.equal(children[1]?.bytes.buffer, content.buffer);
    assert.deepEqual(readDerChildren(Buffer.alloc(0)), []);
  });

  it('refuses a rest that is no element', () => {
    assert.throws(() => readDerChildren(hex('02 01 05 02')), DerError);
    assert.throws(() => readDerChildren(hex('02 01 05 02 02 00')), DerError);
  });

  it('stops at too many elements', () => {
    assert.equal(readDerChildren(hex('0500'.repeat(2000))).length, 2000);
    assert.throws(() => readDerChildren(hex('0500'.repeat(2001))), DerError);
  });
});

describe('requireTag()', () => {
  it('names what it found', () => {
    assert.throws(() => requireTag(undefined, 0x30), /0x30 expected, found nothing/);
    assert.throws(() => requireTag(readDer(hex('0500'), 5), 0x30), /found 0x5/);
  });
});

describe('toOid()', () => {
  const read = (bytes: Buffer): string => toOid(readDer(bytes, DER_TAG.oid));

  for (const oid of ['1.2.840.113549', '1.3.6.1.4.1.57264.1.8', '2.5.29.17', '0.0', '1.39.1', '2.999.3']) {
    it(`reads ${oid}`, () => assert.equal(read(objectIdentifier(oid)), oid));
  }

  for (const bytes of [
    '06 00',
    '06 01 80',
    '06 02 2a 80',
    '06 03 2a 80 01',
    '06 0a 2a ff ff ff ff ff ff ff ff 7f',
  ]) {
    it(`refuses ${bytes}`, () => assert.throws(() => read(hex(bytes)), DerError));
  }

  it('refuses one that is longer than any use', () =>
    assert.throws(() => read(writeDer(DER_TAG.oid, Buffer.alloc(65, 1))), DerError));

  it('refuses another element and none', () => {
    assert.throws(() => toOid(undefined), DerError);
    assert.throws(() => toOid(readDer(hex('0500'), 5)), DerError);
  });
});
