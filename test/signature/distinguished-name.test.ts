// Is a name written so that exactly one name reads like it? RFC 4514 §2 and its examples, and names made to mislead.
import assert from 'node:assert/strict';
import * as der from '../../src/demo/der.ts';
import { DerError } from '../../src/lib/der.ts';
import { toDistinguishedName } from '../../src/signature/distinguished-name.ts';

const TYPES = { CN: '2.5.4.3', O: '2.5.4.10', OU: '2.5.4.11', DC: '0.9.2342.19200300.100.1.25' } as const;
const attribute = (type: string, value: Buffer): Buffer => der.sequence(der.objectIdentifier(type), value);
const text = (type: keyof typeof TYPES, value: string): Buffer =>
  attribute(TYPES[type], der.utf8String(value));
const name = (...parts: readonly (readonly Buffer[])[]): Buffer =>
  der.sequence(...parts.map((part) => der.setOf(...part)));

describe('toDistinguishedName()', () => {
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['no part', name(), ''],
    [
      'parts, last first',
      name([text('DC', 'net')], [text('DC', 'example')], [text('CN', 'x')]),
      'CN=x,DC=example,DC=net',
    ],
    ['a part of two attributes', name([text('OU', 'Sales'), text('CN', 'J')]), 'CN=J+OU=Sales'],
    [
      'special characters',
      name([text('CN', String.raw`a,b+c"d\e<f>g;h`)]),
      String.raw`CN=a\,b\+c\"d\\e\<f\>g\;h`,
    ],
    [
      'spaces and a hash at the ends',
      name([text('CN', ' a ')], [text('CN', '#a')]),
      String.raw`CN=\#a,CN=\ a\ `,
    ],
    ['a single space', name([text('CN', ' ')]), String.raw`CN=\ `],
    ['control characters', name([text('CN', 'a\r\n\0\u0085')]), String.raw`CN=a\0d\0a\00\c2\85`],
    ['what is not ASCII', name([text('CN', 'Lučić')]), 'CN=Lučić'],
    [
      'an unknown type',
      name([attribute('1.2.840.113549.1.9.1', der.element(0x16, Buffer.from('a@b')))]),
      '1.2.840.113549.1.9.1=#1603614062',
    ],
    ['a value that is no text', name([attribute(TYPES.CN, der.integer(1))]), 'CN=#020101'],
  ];
  for (const [what, bytes, expected] of cases)
    it(`writes ${what}`, () => assert.equal(toDistinguishedName(bytes), expected));

  const broken: readonly (readonly [string, Buffer])[] = [
    ['a part without attributes', name([])],
    ['an attribute without value', name([der.sequence(der.objectIdentifier(TYPES.CN))])],
    ['broken UTF-8', name([attribute(TYPES.CN, der.element(0x0c, Buffer.from([0xc3])))])],
    ['a printable string beyond ASCII', name([attribute(TYPES.CN, der.element(0x13, Buffer.from([0xe4])))])],
    ['trailing bytes', Buffer.concat([name(), Buffer.from([0])])],
  ];
  for (const [what, bytes] of broken)
    it(`refuses ${what}`, () => assert.throws(() => toDistinguishedName(bytes), DerError));
});
