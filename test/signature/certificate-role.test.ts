// Which certificates may issue, and which may stamp times? Each demand alone, on certificates that are right otherwise.
import assert from 'node:assert/strict';
import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  AUTHORITY_VALIDITY,
  createIntermediateAuthority,
  createRootAuthority,
  issueCertificate,
} from '../../src/demo/certificate-authority.ts';
import {
  basicConstraints,
  distinguishedName,
  encodeCertificate,
  extendedKeyUsage,
  extension,
  KEY_PURPOSE,
  keyUsage,
  randomSerial,
} from '../../src/demo/certificate.ts';
import * as der from '../../src/demo/der.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { DerError } from '../../src/lib/der.ts';
import { isPathKey } from '../../src/signature/certificate-path.ts';
import { isIssuedBy, requireTimestampSigner } from '../../src/signature/certificate-role.ts';
import { readCertificate, type Certificate } from '../../src/signature/x509.ts';
import { certificatesOf, createAuthorityWith, createPki, pkiAuthority, signAs, signWith } from './pki.ts';
import { outcome } from './support.ts';

const root = createRootAuthority('root', { kind: 'p256' });
const key = generateSigningKey('p256');
const issue = (...extensions: Buffer[]): Certificate =>
  readCertificate(issueCertificate(root, { publicKey: key.publicKey, commonName: 'child', extensions }));

describe('isIssuedBy()', () => {
  const parent = { certificate: readCertificate(root.certificate), key: root.key.publicKey };

  it('takes the issuer that signed', () => {
    assert.equal(isIssuedBy(issue(), parent), true);
  });

  it('wants names that agree, although the key is the same', () => {
    const other = createRootAuthority('other', { kind: 'p256' });
    const renamed = { certificate: readCertificate(other.certificate), key: root.key.publicKey };
    const fields = {
      serial: randomSerial(),
      issuer: root.name,
      subject: distinguishedName('child'),
      ...AUTHORITY_VALIDITY,
      publicKey: key.publicKey,
      extensions: [basicConstraints(false)],
    };
    const child = readCertificate(encodeCertificate(fields, root.key.privateKey));
    assert.equal(isIssuedBy(child, parent), true);
    assert.equal(isIssuedBy(child, renamed), false);
  });

  it('wants key identifiers that do not contradict, and can be read', () => {
    const named = (identifier: Buffer): Certificate => {
      const fields = {
        serial: randomSerial(),
        issuer: root.name,
        subject: distinguishedName('child'),
        ...AUTHORITY_VALIDITY,
        publicKey: key.publicKey,
        extensions: [extension('2.5.29.35', identifier)],
      };
      return readCertificate(encodeCertificate(fields, root.key.privateKey));
    };
    assert.equal(isIssuedBy(named(der.sequence()), parent), true);
    assert.equal(isIssuedBy(named(der.sequence(der.taggedPrimitive(0, Buffer.alloc(20)))), parent), false);
    assert.equal(isIssuedBy(named(Buffer.from('no DER')), parent), false);
  });
});

describe('requireTimestampSigner()', () => {
  const STAMPING = extendedKeyUsage([KEY_PURPOSE.timeStamping], true);
  const nonRepudiation = extension('2.5.29.15', der.bitString(Buffer.from([0x40]), 6), true);

  it('takes a signer for time stamping, with or without key usage', () => {
    requireTimestampSigner(issue(STAMPING));
    requireTimestampSigner(issue(STAMPING, keyUsage('digitalSignature')));
    requireTimestampSigner(issue(STAMPING, nonRepudiation));
  });

  const wrong: Readonly<Record<string, readonly [readonly Buffer[], RegExp]>> = {
    'no purpose': [[], /time stamping only/],
    'another purpose': [[extendedKeyUsage([KEY_PURPOSE.codeSigning])], /time stamping only/],
    'a second purpose': [
      [extendedKeyUsage([KEY_PURPOSE.timeStamping, KEY_PURPOSE.codeSigning])],
      /time stamping only/,
    ],
    'the CA flag': [[STAMPING, basicConstraints(true)], /is a CA/],
    'a key usage for certificates': [[STAMPING, keyUsage('certificateSigning')], /not for signatures/],
    'an unknown critical extension': [
      [STAMPING, extension('1.2.3.4', der.nullValue(), true)],
      /unknown critical extension/,
    ],
  };
  for (const [what, [extensions, message]] of Object.entries(wrong))
    it(`refuses a signer with ${what}`, () => {
      assert.throws(
        () => requireTimestampSigner(issue(...extensions)),
        (error) => error instanceof DerError && message.test(error.message),
      );
    });
});

describe('isPathKey()', () => {
  const rsa = (bytes: number, exponent: number[]): KeyObject => {
    const modulus = Buffer.alloc(bytes, 0xff).toString('base64url');
    const e = Buffer.from(exponent).toString('base64url');
    return createPublicKey({ key: { kty: 'RSA', n: modulus, e }, format: 'jwk' });
  };

  it('takes keys that are strong, and not made to be slow', () => {
    assert.equal(isPathKey(rsa(256, [1, 0, 1])), true);
    assert.equal(isPathKey(rsa(1024, [1, 0, 1])), true);
    assert.equal(isPathKey(rsa(128, [1, 0, 1])), false);
    assert.equal(isPathKey(rsa(1032, [1, 0, 1])), false);
    assert.equal(isPathKey(rsa(256, [3, 0, 0, 0, 1])), false);
  });
});

describe('findPath()', () => {
  it('has no more than ten certificates between leaf and root', () => {
    const { root: anchor } = createPki();
    const authorities = [anchor];
    for (let depth = 0; depth < 11; depth += 1)
      authorities.push(createIntermediateAuthority(authorities.at(-1) ?? anchor, `int-${depth}`));
    const certificates = authorities.slice(1).map(({ certificate }) => certificate);
    const judge = (depth: number): string => {
      const signer = signAs(authorities[depth] ?? anchor);
      return outcome(
        signWith(signer.key, [signer.leaf]),
        pkiAuthority([anchor.certificate], { intermediates: certificatesOf(...certificates) }),
      );
    };
    assert.equal(judge(10), 'accepted');
    assert.equal(judge(11), 'CertificateInvalid');
  });

  it('calls an issuer whose extensions cannot be read no issuer', () => {
    const { root: anchor } = createPki();
    const broken = createAuthorityWith(anchor, 'broken', [
      extension('2.5.29.19', Buffer.from('no DER'), true),
    ]);
    assert.equal(outcome(signAs(broken).bundle, pkiAuthority([anchor.certificate])), 'CertificateInvalid');
  });
});
