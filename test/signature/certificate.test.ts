// Is every certificate outside the profile refused, and the identity read strictly?
import assert from 'node:assert/strict';
import * as der from '../../src/demo/der.ts';
import {
  basicConstraints,
  encodeCertificate,
  extendedKeyUsage,
  extension,
  KEY_PURPOSE,
  keyUsage,
} from '../../src/demo/certificate.ts';
import {
  certificateFields,
  createIntermediateAuthority,
  createRootAuthority,
} from '../../src/demo/certificate-authority.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { parseLeafCertificate, type LeafCertificate } from '../../src/signature/certificate.ts';
import { SignatureError } from '../../src/signature/error.ts';
import { CLAIM_NAMES } from '../../src/signature/fulcio-claims.ts';

const ARC = '1.3.6.1.4.1.57264.1';
const issuer = createIntermediateAuthority(createRootAuthority('root', { kind: 'p256' }), 'ca');
const key = generateSigningKey('p256');

const san = (...names: Buffer[]): Buffer => extension('2.5.29.17', der.sequence(...names), true);
const email = (text: string | Buffer): Buffer => der.taggedPrimitive(1, Buffer.from(text as string));
const uri = (text: string | Buffer): Buffer => der.taggedPrimitive(6, Buffer.from(text as string));
const otherName = (oid: string, value: Buffer): Buffer =>
  der.tagged(0, Buffer.concat([der.objectIdentifier(oid), der.tagged(0, value)]));
const claim = (number: number, value: string | Buffer): Buffer =>
  extension(
    `${ARC}.${number}`,
    Buffer.isBuffer(value) ? value : number < 7 ? Buffer.from(value) : der.utf8String(value),
  );

interface Parts {
  usage?: Buffer[];
  purposes?: Buffer[];
  names?: Buffer[];
  claims?: Buffer[];
  more?: Buffer[];
}

function encode({
  usage = [keyUsage('digitalSignature')],
  purposes = [extendedKeyUsage([KEY_PURPOSE.codeSigning])],
  names = [san(email('a@b.test'))],
  claims = [claim(8, 'https://idp.test')],
  more = [],
}: Parts): Buffer {
  const fields = certificateFields(issuer, {
    publicKey: key.publicKey,
    extensions: [...usage, ...purposes, ...names, ...claims, ...more],
  });
  return encodeCertificate(fields, issuer.key.privateKey);
}

const parse = (parts: Parts = {}): LeafCertificate => parseLeafCertificate(encode(parts));

function refusal(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    assert.ok(error instanceof SignatureError, String(error));
    assert.equal(error.reason, 'CertificateInvalid');
    return error.message;
  }
  return 'accepted';
}

function refuses(what: string, parts: Parts, pattern: RegExp): void {
  it(`refuses ${what}`, () => {
    assert.match(
      refusal(() => parse(parts)),
      pattern,
    );
  });
}

describe('parseLeafCertificate', () => {
  it('reads a Fulcio leaf', () => {
    const leaf = parse({
      claims: [claim(1, 'https://idp.test'), claim(8, 'https://idp.test'), claim(12, 'https://r.test')],
    });
    assert.equal(leaf.subject, 'a@b.test');
    assert.equal(leaf.issuer, 'https://idp.test');
    assert.deepEqual(leaf.claims, {
      issuerV1: 'https://idp.test',
      issuer: 'https://idp.test',
      sourceRepositoryURI: 'https://r.test',
      sourceRepository: 'https://r.test',
    });
    assert.match(leaf.serial, /^[0-9a-f]{40}$/);
    assert.equal(leaf.notBefore.toISOString(), '2020-01-01T00:00:00.000Z');
  });

  it('reads URIs and Fulcio usernames', () => {
    assert.equal(
      parse({ names: [san(uri('https://x.test/a b'.replace(' ', '-')))] }).subject,
      'https://x.test/a-b',
    );
    assert.equal(
      parse({ names: [san(otherName(`${ARC}.7`, der.utf8String('jané!idp.test')))] }).subject,
      'jané!idp.test',
    );
  });

  describe('about the subject alternative name', () => {
    const pattern = /subject alternative name|names no subject/;
    refuses('none', { names: [] }, pattern);
    refuses('an empty list', { names: [san()] }, pattern);
    refuses('two names', { names: [san(email('a@b.test'), email('c@d.test'))] }, pattern);
    refuses('two names of two types', { names: [san(uri('https://x.test'), email('a@b.test'))] }, pattern);
    refuses('two extensions', { names: [san(email('a@b.test')), san(email('c@d.test'))] }, /twice/);
    refuses('a DNS name', { names: [san(der.taggedPrimitive(2, Buffer.from('a.test')))] }, pattern);
    refuses('an IP address', { names: [san(der.taggedPrimitive(7, Buffer.from([127, 0, 0, 1])))] }, pattern);
    refuses('a directory name', { names: [san(der.tagged(4, der.sequence()))] }, pattern);
    refuses(
      'another other name',
      { names: [san(otherName('1.3.6.1.4.1.311.20.2.3', der.utf8String('a')))] },
      pattern,
    );
    refuses(
      'a username that is no UTF8String',
      { names: [san(otherName(`${ARC}.7`, der.element(0x16, Buffer.from('a'))))] },
      /cannot be read/,
    );
    refuses(
      'a username that is no UTF-8',
      { names: [san(otherName(`${ARC}.7`, der.element(0x0c, Buffer.from([0xc3, 0x28]))))] },
      /UTF-8/,
    );
    // H6: with bit 7 cleared these bytes read alice@example.com
    refuses(
      'bytes with bit 7 set',
      { names: [san(email(Buffer.from([0xe1, ...Buffer.from('lice@example.com')])))] },
      /printable ASCII/,
    );
    refuses(
      'a URI with bit 7 set',
      { names: [san(uri(Buffer.from('https://idp.t\u00e9st')))] },
      /printable ASCII/,
    );
    refuses('a zero byte', { names: [san(email('a@b.test\u0000.evil'))] }, /printable ASCII/);
    refuses('a line break', { names: [san(email('a@b.test\n'))] }, /printable ASCII/);
    refuses('an empty name', { names: [san(email(''))] }, /printable ASCII/);
  });

  describe('about extensions', () => {
    refuses(
      'the issuer twice',
      { claims: [claim(8, 'https://idp.test'), claim(8, 'https://evil.test')] },
      /twice/,
    );
    refuses(
      'the same issuer twice',
      { claims: [claim(8, 'https://idp.test'), claim(8, 'https://idp.test')] },
      /twice/,
    );
    refuses(
      'two issuers that differ',
      { claims: [claim(1, 'https://evil.test'), claim(8, 'https://idp.test')] },
      /two OIDC issuers/,
    );
    refuses('no issuer', { claims: [] }, /no OIDC issuer/);
    refuses('an empty issuer', { claims: [claim(8, '')] }, /no OIDC issuer/);
    refuses(
      'an issuer that is no UTF8String',
      { claims: [claim(8, Buffer.from('https://idp.test'))] },
      /cannot be read/,
    );
    refuses(
      'bytes after the issuer',
      { claims: [claim(8, Buffer.concat([der.utf8String('https://idp.test'), Buffer.from([0])]))] },
      /cannot be read/,
    );
    refuses('an issuer that is no UTF-8', { claims: [claim(1, Buffer.from([0xe9, 0x21]))] }, /UTF-8/);
    refuses(
      'an endless claim',
      { claims: [claim(8, 'https://idp.test'), claim(12, 'x'.repeat(4097))] },
      /more than 4096/,
    );
    refuses(
      'an unknown critical extension',
      { more: [extension('1.2.3.4', der.nullValue(), true)] },
      /unknown critical/,
    );
    refuses(
      'critical name constraints',
      { more: [extension('2.5.29.30', der.sequence(), true)] },
      /unknown critical/,
    );
    refuses(
      'a critical flag of another value than TRUE',
      {
        more: [
          der.sequence(
            der.objectIdentifier('1.2.3.4'),
            der.element(1, Buffer.from([1])),
            der.octetString(der.nullValue()),
          ),
        ],
      },
      /neither critical nor not|OpenSSL/,
    );
    refuses(
      'a critical flag that says FALSE',
      {
        more: [
          der.sequence(der.objectIdentifier('1.2.3.4'), der.boolean(false), der.octetString(der.nullValue())),
        ],
      },
      /neither critical nor not/,
    );

    it('takes unknown extensions that are not critical, and no claim from other arcs', () => {
      const leaf = parse({
        more: [
          extension('1.2.3.4', der.nullValue()),
          extension(`${ARC}.8.1`, der.utf8String('x')),
          extension(`${ARC}.99`, der.utf8String('x')),
          extension(`${ARC}0.9`, der.utf8String('x')),
        ],
      });
      assert.deepEqual(leaf.claims, { issuer: 'https://idp.test' });
    });

    it('never names a claim after a prototype member', () => {
      for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty'])
        assert.ok(!CLAIM_NAMES.has(name));
      assert.ok(
        CLAIM_NAMES.has('sourceRepositoryOwnerIdentifier') && CLAIM_NAMES.has('sourceRepositoryOwner'),
      );
    });
  });

  describe('about usage', () => {
    refuses('CA:TRUE', { more: [basicConstraints(true)] }, /CA certificate/);
    refuses('CA:TRUE with a path length', { more: [basicConstraints(true, 0)] }, /CA certificate/);
    refuses('no key usage', { usage: [] }, /digital signatures/);
    refuses('key usage for certificates', { usage: [keyUsage('certificateSigning')] }, /digital signatures/);
    // H4: every public TLS certificate could sign.
    refuses('serverAuth', { purposes: [extendedKeyUsage([KEY_PURPOSE.serverAuth])] }, /code signing/);
    refuses('timeStamping', { purposes: [extendedKeyUsage([KEY_PURPOSE.timeStamping])] }, /code signing/);
    refuses('any purpose', { purposes: [extendedKeyUsage(['2.5.29.37.0'])] }, /code signing/);
    refuses('no extended key usage', { purposes: [] }, /code signing/);

    it('takes an explicit CA:FALSE in its DER form', () => {
      assert.equal(parse({ more: [basicConstraints(false)] }).subject, 'a@b.test');
    });
  });

  describe('about encoding', () => {
    const good = encode({});

    it('refuses bytes before, after and inside', () => {
      assert.match(
        refusal(() => parseLeafCertificate(Buffer.concat([good, Buffer.from([0])]))),
        /trailing/,
      );
      assert.notEqual(
        refusal(() => parseLeafCertificate(good.subarray(1))),
        'accepted',
      );
      assert.notEqual(
        refusal(() => parseLeafCertificate(good.subarray(0, -1))),
        'accepted',
      );
    });

    it('refuses PEM, two certificates and other structures', () => {
      for (const bytes of [
        Buffer.alloc(0),
        Buffer.from('-----BEGIN CERTIFICATE-----'),
        Buffer.concat([good, good]),
        der.sequence(good),
        der.sequence(),
        der.sequence(der.sequence()),
        Buffer.alloc(40_000, 0x30),
      ])
        assert.notEqual(
          refusal(() => parseLeafCertificate(bytes)),
          'accepted',
        );
    });

    it('survives every flipped byte with an answer or a SignatureError', () => {
      let accepted = 0;
      for (let at = 0; at < good.length; at += 1)
        for (const bit of [0x01, 0x80]) {
          const bytes = Buffer.from(good);
          bytes[at] = (bytes[at] ?? 0) ^ bit;
          if (refusal(() => parseLeafCertificate(bytes)) === 'accepted') accepted += 1;
        }
      // Names, serial, times, key identifiers and the CA's signature are for the chain to judge.
      assert.ok(accepted < good.length * 2);
    });

    it('refuses thousands of extensions fast', () => {
      const many = Array.from({ length: 3000 }, (_, n) => extension(`1.2.3.${n}`, Buffer.alloc(0)));
      assert.match(
        refusal(() => parse({ more: many })),
        /larger than|more than/,
      );
    });
  });
});
