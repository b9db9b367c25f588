// Which times does DER allow, and are dates that do not exist refused?
import assert from 'node:assert/strict';
import { DerError, readDer } from '../../src/lib/der.ts';
import { toCertificateTime, toGeneralizedTime } from '../../src/lib/der-time.ts';
import * as der from '../../src/demo/der.ts';

const element = (tag: number, text: string): ReturnType<typeof readDer> =>
  readDer(der.element(tag, Buffer.from(text, 'latin1')), tag);
const utc = (text: string): string => toCertificateTime(element(0x17, text)).toISOString();
const generalized = (text: string): string => toGeneralizedTime(element(0x18, text)).toISOString();

describe('toCertificateTime', () => {
  it('reads both forms, with the century of RFC 5280', () => {
    assert.equal(utc('491231235959Z'), '2049-12-31T23:59:59.000Z');
    assert.equal(utc('500101000000Z'), '1950-01-01T00:00:00.000Z');
    assert.equal(
      toCertificateTime(element(0x18, '20500101000000Z')).toISOString(),
      '2050-01-01T00:00:00.000Z',
    );
  });

  it('refuses other forms', () => {
    for (const text of [
      '',
      '4912312359Z',
      '491231235959',
      '491231235959+0000',
      '49123123595Z',
      '4912312359590Z',
    ])
      assert.throws(() => utc(text), DerError, text);
    assert.throws(() => toCertificateTime(element(0x18, '20500101000000.5Z')), DerError);
    assert.throws(() => toCertificateTime(element(0x04, '500101000000Z')), DerError);
    assert.throws(() => toCertificateTime(undefined), DerError);
  });
});

describe('toGeneralizedTime', () => {
  it('reads fractions of any length and keeps milliseconds', () => {
    assert.equal(generalized('20260101000000Z'), '2026-01-01T00:00:00.000Z');
    assert.equal(generalized('20260101000000.1Z'), '2026-01-01T00:00:00.100Z');
    assert.equal(generalized('20260101000000.12Z'), '2026-01-01T00:00:00.120Z');
    assert.equal(generalized('20260101000000.9999999Z'), '2026-01-01T00:00:00.999Z');
  });

  it('refuses dates that do not exist', () => {
    for (const text of [
      '20260231000000Z',
      '20261301000000Z',
      '20260100000000Z',
      '20260101240000Z',
      '20260101006000Z',
      '20260101000060Z',
      '20250229000000Z',
      '00010101000000Z',
    ])
      assert.throws(() => generalized(text), DerError, text);
    assert.equal(generalized('20240229000000Z'), '2024-02-29T00:00:00.000Z');
  });

  it('refuses what DER forbids', () => {
    for (const text of [
      '20260101000000.Z',
      '20260101000000.10Z',
      '20260101000000.0Z',
      '20260101000000,1Z',
      '202601010000Z',
      '20260101000000',
      '20260101000000+0000',
      ' 20260101000000Z',
      '20260101000000Z\n',
      '2026010100000\u0660Z',
      `20260101000000.${'1'.repeat(40)}Z`,
    ])
      assert.throws(() => generalized(text), DerError, text);
  });
});
