// Is the encoding DER, at the edges where it is easy to get wrong?
import assert from 'node:assert/strict';
import * as der from '../../src/demo/der.ts';

function hex(bytes: Buffer): string {
  return bytes.toString('hex');
}

describe('der', () => {
  it('uses the shortest length', () => {
    assert.equal(hex(der.octetString(Buffer.alloc(127))).slice(0, 4), '047f');
    assert.equal(hex(der.octetString(Buffer.alloc(128))).slice(0, 6), '048180');
    assert.equal(hex(der.octetString(Buffer.alloc(256))).slice(0, 8), '04820100');
  });

  it('keeps integers positive', () => {
    assert.equal(hex(der.integer(0)), '020100');
    assert.equal(hex(der.integer(127)), '02017f');
    assert.equal(hex(der.integer(128)), '02020080');
    assert.equal(hex(der.integer(Buffer.from('ff', 'hex'))), '020200ff');
  });

  it('encodes object identifiers with long arcs', () => {
    assert.equal(hex(der.objectIdentifier('1.2.840.113549')), '06062a864886f70d');
    assert.equal(hex(der.objectIdentifier('1.3.6.1.4.1.57264.1.8')), '060a2b0601040183bf300108');
  });

  it('sorts sets', () => {
    assert.equal(hex(der.setOf(der.integer(2), der.boolean(true), der.integer(1))), '31090101ff020101020102');
  });

  it('writes times as certificates want them', () => {
    assert.equal(der.certificateTime(new Date('2049-12-31T23:59:59Z')).toString(), '\u0017\r491231235959Z');
    assert.equal(
      der.certificateTime(new Date('2050-01-01T00:00:00Z')).toString(),
      '\u0018\u000f20500101000000Z',
    );
  });

  it('writes the rest', () => {
    assert.equal(hex(der.nullValue()), '0500');
    assert.equal(hex(der.boolean(false)), '010100');
    assert.equal(hex(der.bitString(Buffer.from([0x80]), 7)), '03020780');
    assert.equal(hex(der.utf8String('é')), '0c02c3a9');
    assert.equal(hex(der.tagged(3, der.nullValue())), 'a3020500');
    assert.equal(hex(der.taggedPrimitive(1, Buffer.from('a'))), '810161');
  });
});
