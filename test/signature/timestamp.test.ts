// Which timestamps tell a time? Each case departs from a good token in one thing.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { distinguishedName } from '../../src/demo/certificate.ts';
import * as der from '../../src/demo/der.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { createSigstore, type Sigstore } from '../../src/demo/sigstore.ts';
import { createTimestampAuthority, type TimestampFaults } from '../../src/demo/timestamp-authority.ts';
import { SignatureError } from '../../src/signature/error.ts';
import { prepareTrust, type PreparedTrust } from '../../src/signature/prepared-trust.ts';
import { verifyTimestamp } from '../../src/signature/timestamp.ts';
import { readCertificate } from '../../src/signature/x509.ts';
import { parseTrustedRoot } from '../../src/trust/trusted-root.ts';
import { change } from './support.ts';

const SIGNATURE = Buffer.from('a signature');
const AT = new Date('2026-05-05T12:00:00Z');

describe('verifyTimestamp', () => {
  let sigstore: Sigstore;
  let trust: PreparedTrust;

  before(async () => {
    sigstore = await createSigstore();
    trust = prepareTrust(parseTrustedRoot(Buffer.from(sigstore.trustedRootJson())));
  });

  const stamp = (faults?: TimestampFaults): Buffer =>
    sigstore.timestampAuthority.timestamp(SIGNATURE, AT, faults);
  function refusal(response: Buffer, signature = SIGNATURE, by = trust): string {
    try {
      return verifyTimestamp(response, signature, by) === undefined ? 'unknown' : 'accepted';
    } catch (error) {
      assert.ok(error instanceof SignatureError, String(error));
      assert.equal(error.reason, 'TimestampInvalid');
      return error.message;
    }
  }

  it('tells the time and the authority', () => {
    const verified = verifyTimestamp(stamp(), SIGNATURE, trust);
    assert.equal(verified?.at.toISOString(), AT.toISOString());
    assert.equal(verified.authority.uri, sigstore.timestampAuthority.url);
  });

  it('takes status 0 and 1 only', () => {
    assert.equal(refusal(stamp({ status: 1 })), 'accepted');
    for (const status of [2, 3, 255]) assert.match(refusal(stamp({ status })), /not granted/);
  });

  it('refuses a token over another signature', () => {
    assert.match(refusal(stamp(), Buffer.from('another')), /another signature/);
  });

  it('refuses attributes about another content, content type or certificate', () => {
    assert.match(refusal(stamp({ digestOf: Buffer.from('other') })), /another content/);
    assert.match(refusal(stamp({ contentType: '1.2.840.113549.1.7.1' })), /another content type/);
    const [namedCertificate] = sigstore.authority.chain;
    assert.ok(namedCertificate);
    assert.match(refusal(stamp({ namedCertificate })), /another signing certificate/);
  });

  it('refuses attributes that alone are about another content type', () => {
    assert.match(refusal(stamp({ signedContentType: '1.2.840.113549.1.7.1' })), /another content type/);
  });

  it('compares the signing certificate of the older attribute by SHA-1', () => {
    const named = (certificate: Buffer | undefined, ...issuerSerial: Buffer[]): Buffer => {
      const hash = der.octetString(
        createHash('sha1')
          .update(certificate ?? '')
          .digest(),
      );
      const value = der.sequence(der.sequence(der.sequence(hash, ...issuerSerial)));
      return der.sequence(der.objectIdentifier('1.2.840.113549.1.9.16.2.12'), der.setOf(value));
    };
    const [signer, issuer] = sigstore.timestampAuthority.chain;
    assert.equal(refusal(stamp({ attributes: [named(signer)] })), 'accepted');
    assert.match(refusal(stamp({ attributes: [named(issuer)] })), /another signing certificate/);
    const { issuer: name, serial } = readCertificate(signer ?? Buffer.alloc(0));
    const issuedBy = (by: Buffer, as: Buffer): Buffer =>
      named(signer, der.sequence(der.sequence(der.tagged(4, by)), der.integer(as)));
    const another = /another signing certificate/;
    assert.equal(refusal(stamp({ attributes: [issuedBy(name, serial)] })), 'accepted');
    assert.match(refusal(stamp({ attributes: [issuedBy(name, Buffer.from([1]))] })), another);
    assert.match(refusal(stamp({ attributes: [issuedBy(distinguishedName('other'), serial)] })), another);
  });

  it('refuses a list of hashes other than the signer’s', () => {
    const response = stamp();
    const sha256 = Buffer.from('608648016503040201', 'hex');
    const first = response.indexOf(sha256);
    const listed = Buffer.from(response);
    listed[first + sha256.length - 1] = 2;
    assert.match(refusal(listed), /another hash/);
  });

  it('refuses a signature by another key', () => {
    assert.match(refusal(stamp({ signingKey: generateSigningKey('p256').privateKey })), /not signed by/);
    assert.match(refusal(stamp({ signingKey: generateSigningKey('p384').privateKey })), /not signed by/);
  });

  it('refuses unknown and critical members of the signed time', () => {
    const extension = (critical: boolean): Buffer =>
      der.tagged(
        1,
        der.sequence(
          der.objectIdentifier('1.2.3'),
          der.boolean(critical),
          der.octetString(Buffer.from([5, 0])),
        ),
      );
    assert.equal(refusal(stamp({ extra: [der.boolean(true), der.integer(7)] })), 'accepted');
    assert.match(refusal(stamp({ extra: [der.integer(7), der.boolean(true)] })), /unknown members/);
    assert.match(refusal(stamp({ extra: [der.utf8String('x')] })), /unknown members/);
    assert.match(refusal(stamp({ extra: [extension(true)] })), /critical|unknown members/);
  });

  it('leaves out an authority that the root does not know, also under the same names', () => {
    const other = createTimestampAuthority(sigstore.timestampAuthority.url, 'tsa');
    assert.equal(refusal(other.timestamp(SIGNATURE, AT)), 'unknown');
  });

  it('wants the authority and its certificates to be valid at the time', () => {
    const root = JSON.parse(sigstore.trustedRootJson()) as object;
    const during = (validFor: object): PreparedTrust =>
      prepareTrust(
        parseTrustedRoot(
          Buffer.from(JSON.stringify(change(root, ['timestampAuthorities', 0, 'validFor'], validFor))),
        ),
      );
    const [start, end] = ['2020-01-01T00:00:00Z', AT.toISOString()];
    assert.equal(refusal(stamp(), SIGNATURE, during({ start, end })), 'accepted');
    assert.equal(refusal(stamp(), SIGNATURE, during({ start: end })), 'accepted');
    assert.match(refusal(stamp(), SIGNATURE, during({ start, end: '2026-05-05T11:59:59Z' })), /not valid at/);
    assert.match(refusal(stamp(), SIGNATURE, during({ start: '2026-05-05T12:00:01Z' })), /not valid at/);
    assert.match(refusal(stamp({ genTime: '20190101000000Z' })), /not valid at/);
    assert.match(refusal(stamp({ genTime: '20470101000000Z' })), /not valid at/);
  });

  it('answers every flipped byte with a time, a stranger or an error of its own', () => {
    const good = stamp();
    let accepted = 0;
    for (let at = 0; at < good.length; at += 1)
      for (const bit of [0x01, 0x80]) {
        const bytes = Buffer.from(good);
        bytes[at] = (bytes[at] ?? 0) ^ bit;
        if (refusal(bytes) === 'accepted') accepted += 1;
      }
    // The status, and names in the list of digest algorithms: outside every signature, and never read as facts.
    assert.ok(accepted < 40, String(accepted));
  });

  it('refuses cut and surplus bytes', () => {
    const good = stamp();
    for (const bytes of [
      good.subarray(0, -1),
      Buffer.concat([good, Buffer.from([0])]),
      Buffer.alloc(0),
      Buffer.from([0x30, 0]),
      der.sequence(good),
    ])
      assert.notEqual(refusal(bytes), 'accepted');
  });
});
