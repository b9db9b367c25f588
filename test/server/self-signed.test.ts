// Is the certificate that is made at start one that clients accept?
import assert from 'node:assert/strict';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { createSelfSigned } from '../../src/server/self-signed.ts';

describe('createSelfSigned()', () => {
  const now = new Date('2026-11-21T12:00:00Z');

  it('makes a certificate for the hosts under its own CA', async () => {
    const { key, cert, ca } = await createSelfSigned(['webhook.test', '127.0.0.1', '::1'], now);
    const [leaf, root] = [new X509Certificate(cert), new X509Certificate(ca)];
    assert.equal(leaf.verify(root.publicKey), true);
    assert.equal(leaf.checkIssued(root), true);
    assert.equal(leaf.checkPrivateKey(createPrivateKey(key)), true);
    assert.deepEqual([root.ca, leaf.ca], [true, false]);
    assert.ok(
      leaf.checkHost('webhook.test') !== undefined &&
        leaf.checkIP('127.0.0.1') !== undefined &&
        leaf.checkIP('::1') !== undefined,
    );
    assert.equal(leaf.checkHost('other.test'), undefined);
  });

  it('makes it valid from just before now, for 90 days', async () => {
    const leaf = new X509Certificate((await createSelfSigned(['localhost'], now)).cert);
    assert.ok(leaf.validFromDate <= now && now.getTime() - leaf.validFromDate.getTime() <= 600_000);
    assert.equal(Math.round((leaf.validToDate.getTime() - now.getTime()) / 86_400_000), 90);
  });

  it('makes another key every time', async () => {
    const [first, second] = await Promise.all([
      createSelfSigned(['a.test'], now),
      createSelfSigned(['a.test'], now),
    ]);
    assert.notEqual(first.key, second.key);
    assert.notEqual(first.ca, second.ca);
  });
});
