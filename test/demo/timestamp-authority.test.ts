// Are timestamps accepted by @sigstore/core, for the bytes and the key they are about only?
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { RFC3161Timestamp } from '@sigstore/core';
import { KEY_PURPOSE } from '../../src/demo/certificate.ts';
import { createTimestampAuthority } from '../../src/demo/timestamp-authority.ts';

const BYTES = Buffer.from('signature');

describe('createTimestampAuthority', () => {
  const authority = createTimestampAuthority('https://tsa.models.test', 'tsa');
  const leaf = new X509Certificate(authority.chain[0] ?? '');

  function stamp(at: Date): RFC3161Timestamp {
    return RFC3161Timestamp.parse(Buffer.from(authority.timestamp(BYTES, at)));
  }

  it('signs the time, cut to whole seconds', () => {
    const timestamp = stamp(new Date('2026-01-02T03:04:05.120Z'));
    timestamp.verify(BYTES, leaf.publicKey);
    assert.equal(timestamp.signingTime.toISOString(), '2026-01-02T03:04:05.000Z');
  });

  it('is about these bytes only', () => {
    assert.throws(() => stamp(new Date()).verify(Buffer.from('other'), leaf.publicKey), /imprint/u);
  });

  it('is signed by this authority only', () => {
    const other = createTimestampAuthority('https://tsa.models.test', 'tsa');
    const { publicKey } = new X509Certificate(other.chain[0] ?? '');
    assert.throws(() => stamp(new Date()).verify(BYTES, publicKey), /signature/u);
  });

  it('names its certificate by issuer and serial number', () => {
    const timestamp = stamp(new Date());
    assert.equal(timestamp.signerSerialNumber.toString('hex').toUpperCase(), leaf.serialNumber);
  });

  it('has a leaf for timestamps alone, under a root of its own', () => {
    assert.deepEqual(leaf.keyUsage, [KEY_PURPOSE.timeStamping]);
    const root = new X509Certificate(authority.chain[1] ?? '');
    assert.ok(leaf.verify(root.publicKey));
  });

  it('takes another purpose, to be wrong', () => {
    const wrong = createTimestampAuthority('https://tsa.models.test', 'tsa', [KEY_PURPOSE.serverAuth]);
    assert.deepEqual(new X509Certificate(wrong.chain[0] ?? '').keyUsage, [KEY_PURPOSE.serverAuth]);
  });
});
