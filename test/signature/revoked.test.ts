// Does a revocation end trust at once: in the leaf, in the chain above it, and in one artifact?
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { sha256Hex } from '../../src/lib/digest.ts';
import { parseTrustedRoot } from '../../src/trust/trusted-root.ts';
import { NO_REVOCATIONS, type Revocations } from '../../src/trust/revocation.ts';
import { createWorld, DIGEST, keylessAuthority, outcome, verify, type World } from './support.ts';

describe('verifySignature() with revocations', () => {
  let world: World;
  let bundle: object;
  before(async () => {
    world = await createWorld('v2');
    bundle = await world.sign();
  });
  const judge = (revoked: Partial<Revocations>): string =>
    outcome(
      bundle,
      keylessAuthority(world.sigstore.trustedRootJson(), { revoked: { ...NO_REVOCATIONS, ...revoked } }),
    );

  it('accepts what is not on the list', () => {
    assert.equal(judge({ spkis: new Map([['00'.repeat(32), 'other']]) }), 'accepted');
  });

  it('refuses a revoked key of the signer', () => {
    const { keyFingerprint } = verify(bundle, world.authority);
    assert.equal(judge({ spkis: new Map([[keyFingerprint, 'stolen']]) }), 'Revoked');
  });

  it('refuses a revoked certificate of the signer', () => {
    const serial = verify(bundle, world.authority).certificate?.serial.replace(/^0+/, '') ?? '';
    assert.equal(judge({ certificateSerials: new Map([[serial, 'misissued']]) }), 'Revoked');
  });

  it('refuses everything below a revoked certificate authority', () => {
    const [authority] = parseTrustedRoot(
      Buffer.from(world.sigstore.trustedRootJson()),
    ).certificateAuthorities;
    for (const der of authority?.chain ?? []) {
      const spki = new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' });
      assert.equal(judge({ spkis: new Map([[sha256Hex(spki), 'compromised']]) }), 'Revoked');
    }
  });

  it('refuses a revoked artifact', () => {
    assert.equal(judge({ artifactDigests: new Map([[DIGEST, 'poisoned']]) }), 'Revoked');
  });
});
