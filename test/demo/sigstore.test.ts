// Do keyless bundles verify with @sigstore/verify, and does each single fault break them?
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier, type Signer } from '@sigstore/verify';
import { KEY_PURPOSE } from '../../src/demo/certificate.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import type { DsseEnvelope } from '../../src/demo/sign-with-key.ts';
import { createSigstore, type KeylessOptions, type Sigstore } from '../../src/demo/sigstore.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import type { LogEntry, RekorVersion } from '../../src/demo/transparency-log.ts';

const STATEMENT = cosignSignStatement(`sha256:${'ab'.repeat(32)}`);
const ALICE = { issuer: 'https://idp.models.test', subject: 'alice@models.test' };
const WORKFLOW = {
  issuer: 'https://token.actions.models.test',
  subject: 'https://github.test/team/model/.github/workflows/release.yml@refs/heads/main',
  claims: { sourceRepository: 'https://github.test/team/model', githubWorkflowRef: 'refs/heads/main' },
};

interface KeylessBundle {
  verificationMaterial: {
    certificate: { rawBytes: string };
    tlogEntries?: LogEntry[];
    timestampVerificationData?: { rfc3161Timestamps: { signedTimestamp: string }[] };
  };
  dsseEnvelope: DsseEnvelope;
}

function check(sigstore: Sigstore, bundle: object): Signer {
  const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(sigstore.trustedRootJson())));
  return new Verifier(trust).verify(toSignedEntity(bundleFromJSON(bundle)));
}

function materialOf(bundle: object): KeylessBundle['verificationMaterial'] {
  return (bundle as KeylessBundle).verificationMaterial;
}

function leafOf(bundle: object): X509Certificate {
  return new X509Certificate(Buffer.from(materialOf(bundle).certificate.rawBytes, 'base64'));
}

describe('createSigstore', () => {
  for (const rekor of ['v1', 'v2'] as const satisfies RekorVersion[]) {
    describe(`with Rekor ${rekor}`, () => {
      let sigstore: Sigstore;

      before(async () => {
        sigstore = await createSigstore({ rekor });
      });

      it('signs for an email identity', async () => {
        const { identity } = check(sigstore, await sigstore.signKeyless(STATEMENT, ALICE));
        assert.equal(identity?.subjectAlternativeName, ALICE.subject);
        assert.equal(identity?.extensions?.issuer, ALICE.issuer);
      });

      it('signs for a workflow identity with claims', async () => {
        const { identity } = check(sigstore, await sigstore.signKeyless(STATEMENT, WORKFLOW));
        assert.equal(identity?.subjectAlternativeName, WORKFLOW.subject);
        const values = identity?.oids?.map(({ oid, value }) => [oid?.id.join('.'), value.toString('latin1')]);
        const claims = new Map(values?.map(([oid = '', value = '']) => [oid, value]));
        const raw = claims.get('1.3.6.1.4.1.57264.1.6');
        assert.equal(raw, 'refs/heads/main');
        assert.match(claims.get('1.3.6.1.4.1.57264.1.12') ?? '', /^\f.https:\/\/github\.test\/team\/model$/u);
      });

      it('signs many times, with proofs that stay valid as the log grows', async () => {
        const bundles: object[] = [];
        for (let n = 0; n < 20; n += 1) bundles.push(await sigstore.signKeyless({ n }, ALICE));
        for (const bundle of bundles) {
          check(sigstore, bundle);
          const [entry] = materialOf(bundle).tlogEntries ?? [];
          assert.ok((entry?.inclusionProof.hashes ?? []).length > 0);
        }
      });

      it('signs at a given time', async () => {
        const at = new Date('2026-03-04T05:06:07.120Z');
        const bundle = await sigstore.signKeyless(STATEMENT, ALICE, { at });
        check(sigstore, bundle);
        assert.equal(leafOf(bundle).validFrom, 'Mar  4 05:06:07 2026 GMT');
        assert.equal(leafOf(bundle).validTo, 'Mar  4 05:16:07 2026 GMT');
      });

      it('follows the clock it is given', async () => {
        const now = (): Date => new Date('2031-01-01T00:00:00Z');
        const later = await createSigstore({ rekor, now });
        const bundle = await later.signKeyless(STATEMENT, ALICE);
        check(later, bundle);
        assert.equal(leafOf(bundle).validFrom, 'Jan  1 00:00:00 2031 GMT');
      });

      it('is not trusted by another deployment', async () => {
        const other = await createSigstore({ rekor });
        const bundle = await sigstore.signKeyless(STATEMENT, ALICE);
        assert.throws(() => check(other, bundle));
      });

      it('signs with a managed key and logs that', async () => {
        const key = generateSigningKey('p256');
        const bundle = bundleFromJSON(await sigstore.signLogged(STATEMENT, key, { omitTimestamp: false }));
        const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(sigstore.trustedRootJson())), () => ({
          publicKey: key.publicKey,
          validFor: () => true,
        }));
        new Verifier(trust).verify(toSignedEntity(bundle));
      });

      it('is not fooled by a changed payload', async () => {
        const bundle = (await sigstore.signKeyless(STATEMENT, ALICE)) as KeylessBundle;
        const payload = Buffer.from('{"_type":"forged"}').toString('base64');
        assert.throws(() =>
          check(sigstore, { ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload } }),
        );
      });

      const faults: [string, KeylessOptions, string][] = [
        ['the SCT is missing', { certificate: { omitSct: true } }, 'CERTIFICATE_ERROR'],
        ['the log entry is missing', { omitLogEntry: true, omitTimestamp: false }, 'TLOG_ERROR'],
        ['another key signs', { signWithOtherKey: true }, 'SIGNATURE_ERROR'],
        ['another statement is logged', { logBodyFor: { other: true } }, 'TLOG_BODY_ERROR'],
        [
          'the certificate is not yet valid',
          {
            certificate: {
              notBefore: new Date(Date.now() + 3_600_000),
              notAfter: new Date(Date.now() + 7_200_000),
            },
          },
          'CERTIFICATE_ERROR',
        ],
        [
          'the certificate has expired',
          {
            certificate: {
              notBefore: new Date(Date.now() - 7_200_000),
              notAfter: new Date(Date.now() - 3_600_000),
            },
          },
          'CERTIFICATE_ERROR',
        ],
      ];
      for (const [what, options, code] of faults) {
        it(`makes a bundle that is rejected when ${what}`, async () => {
          const bundle = await sigstore.signKeyless(STATEMENT, ALICE, options);
          assert.throws(() => check(sigstore, bundle), { code });
        });
      }

      // @sigstore/verify does not see these (research/sigstore-js.md, H1 and H4): our own core has to.
      it('makes the faults that the library accepts', async () => {
        const stranger = await sigstore.signKeyless(STATEMENT, WORKFLOW);
        const certificate = Buffer.from(materialOf(stranger).certificate.rawBytes, 'base64');
        const wrongEntry = await sigstore.signKeyless(STATEMENT, ALICE, { logVerifier: { certificate } });
        const [entry] = materialOf(wrongEntry).tlogEntries ?? [];
        assert.ok(entry !== undefined);
        const logged = Buffer.from(entry.canonicalizedBody, 'base64').toString();
        assert.ok(!logged.includes(materialOf(wrongEntry).certificate.rawBytes));
        check(sigstore, wrongEntry);

        const extendedKeyUsage = [KEY_PURPOSE.serverAuth];
        const tls = await sigstore.signKeyless(STATEMENT, ALICE, { certificate: { extendedKeyUsage } });
        assert.deepEqual(leafOf(tls).keyUsage, extendedKeyUsage);
        check(sigstore, tls);
      });
    });
  }

  it('gives a v1 bundle a promise and no timestamp, unless asked', async () => {
    const sigstore = await createSigstore({ rekor: 'v1' });
    const plain = materialOf(await sigstore.signKeyless(STATEMENT, ALICE));
    assert.deepEqual(plain.tlogEntries?.[0]?.kindVersion, { kind: 'dsse', version: '0.0.1' });
    assert.ok(plain.tlogEntries?.[0]?.inclusionPromise !== undefined);
    assert.notEqual(plain.tlogEntries?.[0]?.logIndex, plain.tlogEntries?.[0]?.inclusionProof.logIndex);
    assert.equal(plain.timestampVerificationData, undefined);
    const stamped = await sigstore.signKeyless(STATEMENT, ALICE, { omitTimestamp: false });
    check(sigstore, stamped);
    assert.equal(materialOf(stamped).timestampVerificationData?.rfc3161Timestamps.length, 1);
  });

  it('gives a v2 bundle a timestamp and no promise', async () => {
    const sigstore = await createSigstore();
    const material = materialOf(await sigstore.signKeyless(STATEMENT, ALICE));
    assert.deepEqual(material.tlogEntries?.[0]?.kindVersion, { kind: 'hashedrekord', version: '0.0.2' });
    assert.equal(material.tlogEntries?.[0]?.inclusionPromise, undefined);
    assert.equal(material.tlogEntries?.[0]?.integratedTime, undefined);
    assert.equal(material.timestampVerificationData?.rfc3161Timestamps.length, 1);
  });

  it('makes a v2 bundle without a timestamp that is rejected', async () => {
    const sigstore = await createSigstore({ rekor: 'v2' });
    const bundle = await sigstore.signKeyless(STATEMENT, ALICE, { omitTimestamp: true });
    assert.throws(() => check(sigstore, bundle), { code: 'TIMESTAMP_ERROR' });
  });

  it('logs dsse 0.0.2 when asked', async () => {
    const sigstore = await createSigstore({ rekor: 'v2' });
    const bundle = await sigstore.signKeyless(STATEMENT, ALICE, { logKind: 'dsse' });
    check(sigstore, bundle);
    const [entry] = materialOf(bundle).tlogEntries ?? [];
    assert.deepEqual(entry?.kindVersion, { kind: 'dsse', version: '0.0.2' });
  });

  it('leaves the extended key usage out when the list is empty', async () => {
    const sigstore = await createSigstore();
    const bundle = await sigstore.signKeyless(STATEMENT, ALICE, { certificate: { extendedKeyUsage: [] } });
    assert.equal(leafOf(bundle).keyUsage, undefined);
  });

  it('refuses a claim that Fulcio does not have', async () => {
    const sigstore = await createSigstore();
    await assert.rejects(
      sigstore.signKeyless(STATEMENT, { ...ALICE, claims: { shoeSize: '43' } }),
      /shoeSize/u,
    );
  });
});
