// Does an implementation that is not ours (OpenSSL, through node:crypto) read these certificates as meant?
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import {
  certificatePem,
  extension,
  keyIdentifier,
  KEY_PURPOSE,
  keyUsage,
} from '../../src/demo/certificate.ts';
import {
  createIntermediateAuthority,
  createRootAuthority,
  issueCertificate,
} from '../../src/demo/certificate-authority.ts';
import { generateSigningKey, type SigningKeyKind } from '../../src/demo/keys.ts';

describe('createRootAuthority', () => {
  for (const kind of ['p256', 'p384', 'p521', 'ed25519', 'rsa2048'] as const satisfies SigningKeyKind[]) {
    it(`signs itself with ${kind}`, () => {
      const root = createRootAuthority('some-root', { kind });
      const certificate = new X509Certificate(root.certificate);
      assert.ok(certificate.verify(root.key.publicKey));
      assert.ok(certificate.checkIssued(certificate));
      assert.ok(certificate.ca);
      assert.equal(certificate.subject, 'O=models.test\nCN=some-root');
    });
  }

  it('takes another validity', () => {
    const notAfter = new Date('2051-02-03T04:05:06Z');
    const certificate = new X509Certificate(createRootAuthority('r', { notAfter }).certificate);
    assert.equal(certificate.validFrom, 'Jan  1 00:00:00 2020 GMT');
    assert.equal(certificate.validTo, 'Feb  3 04:05:06 2051 GMT');
  });
});

describe('createIntermediateAuthority', () => {
  it('stands between root and leaf', () => {
    const root = createRootAuthority('r');
    const options = { pathLength: 0, purposes: [KEY_PURPOSE.codeSigning] };
    const intermediate = createIntermediateAuthority(root, 'i', options);
    assert.deepEqual(intermediate.chain, [intermediate.certificate, root.certificate]);
    const certificate = new X509Certificate(intermediate.certificate);
    assert.ok(certificate.verify(root.key.publicKey));
    assert.ok(certificate.checkIssued(new X509Certificate(root.certificate)));
    assert.deepEqual(certificate.keyUsage, [KEY_PURPOSE.codeSigning]);
  });
});

describe('issueCertificate', () => {
  const root = createRootAuthority('r', { kind: 'p256' });
  const { publicKey } = generateSigningKey('p256');

  it('leaves the subject empty without a common name', () => {
    const certificate = new X509Certificate(issueCertificate(root, { publicKey, extensions: [] }));
    assert.ok(!certificate.subject);
    assert.equal(certificate.ca, false);
    assert.ok(certificate.publicKey.equals(publicKey));
  });

  it('takes serial number, validity and extensions', () => {
    const certificate = new X509Certificate(
      issueCertificate(root, {
        publicKey,
        commonName: 'leaf',
        serial: Buffer.from('ff01', 'hex'),
        notBefore: new Date('2026-01-01T00:00:00.999Z'),
        notAfter: new Date('2026-01-02T00:00:00Z'),
        extensions: [keyUsage('digitalSignature'), extension('1.2.3.4', Buffer.from('value'), true)],
      }),
    );
    assert.equal(certificate.serialNumber, 'FF01');
    assert.equal(certificate.validFrom, 'Jan  1 00:00:00 2026 GMT');
    assert.ok(certificate.raw.includes(Buffer.from('value')));
    assert.ok(certificate.verify(root.key.publicKey));
  });

  it('names both keys', () => {
    const raw = issueCertificate(root, { publicKey, extensions: [] });
    assert.ok(raw.includes(keyIdentifier(publicKey)));
    assert.ok(raw.includes(keyIdentifier(root.key.publicKey)));
  });
});

describe('certificatePem', () => {
  it('is what OpenSSL writes', () => {
    const { certificate } = createRootAuthority('r');
    assert.equal(certificatePem(certificate), new X509Certificate(certificate).toString());
  });
});
