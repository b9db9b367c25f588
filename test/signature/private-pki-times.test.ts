// When was a private PKI's signature made? At the times that known authorities vouch for, every one of which the whole
// path must fit; where nobody vouches, now.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { createIntermediateAuthority, createRootAuthority } from '../../src/demo/certificate-authority.ts';
import { certificatePem } from '../../src/demo/certificate.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { dsseBodyV1, hashedRekordBodyV1, type LogVerifier } from '../../src/demo/log-entry.ts';
import { createSigstore, type Sigstore } from '../../src/demo/sigstore.ts';
import { signBytes } from '../../src/demo/sign-with-key.ts';
import {
  rekorBundle,
  SIMPLE_SIGNING_ANNOTATIONS as NAMES,
  simpleSigningPayload,
  timestampAnnotation,
} from '../../src/demo/simple-signing.ts';
import { createTimestampAuthority } from '../../src/demo/timestamp-authority.ts';
import { encodeTrustedRoot } from '../../src/demo/trusted-root.ts';
import { createWitness } from '../../src/demo/witness.ts';
import { readSignatureAnnotations } from '../../src/evidence/annotations.ts';
import { sha256Hex } from '../../src/lib/digest.ts';
import type { CertificateAuthority, NamedTrust, Requirements } from '../../src/signature/authority.ts';
import { toSimpleSigningCandidate } from '../../src/signature/candidate.ts';
import { verifySignature } from '../../src/signature/verify.ts';
import { NO_REVOCATIONS, toSerial, type Revocations } from '../../src/trust/revocation.ts';
import {
  certificatesOf,
  createPki,
  leafExtensions,
  pkiAuthority,
  signAs,
  withSeen,
  type Seen,
} from './pki.ts';
import {
  cosign,
  DIGEST,
  observersOf,
  OTHER_DIGEST,
  outcome,
  toManifest,
  toWitnessKey,
  verify,
} from './support.ts';

const pki = createPki();
const [NOT_BEFORE, NOT_AFTER] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-02-01T00:00:00Z')];
const INSIDE = new Date('2026-01-15T12:00:00Z');
const NOW = new Date('2026-05-05T12:00:00Z');
const against = { now: NOW };

describe('verifyPrivatePki() with observers', () => {
  let sigstore: Sigstore;
  let stranger: Sigstore;
  const { bundle, leaf, key } = signAs(pki.intermediate, { notBefore: NOT_BEFORE, notAfter: NOT_AFTER });
  const { bundle: lasting } = signAs(pki.intermediate);

  before(async () => {
    sigstore = await createSigstore({ rekor: 'v1' });
    stranger = await createSigstore({ rekor: 'v1' });
  });

  function authority(
    needs: Partial<Requirements> = {},
    more: Partial<CertificateAuthority> = {},
    trust: Partial<NamedTrust> = {},
  ): CertificateAuthority {
    const observers = observersOf(sigstore.trustedRootJson(), needs, trust);
    return pkiAuthority([pki.root.certificate], { observers, ...more });
  }
  const stamp =
    (at: Date, by = sigstore) =>
    (signature: Buffer): Buffer =>
      by.timestampAuthority.timestamp(signature, at);
  const entry =
    (at: Date, verifier: LogVerifier = { certificate: leaf }, by = sigstore) =>
    (envelope: Parameters<typeof dsseBodyV1>[0]): ReturnType<Sigstore['log']['append']> =>
      by.log.append(dsseBodyV1(envelope, verifier), at);
  const seen = (what: Seen, signed = bundle): object => withSeen(signed, what);
  const messageOf = (signed: object, trusted: CertificateAuthority): string => {
    try {
      verify(signed, trusted, against);
      return 'accepted';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };

  it('lets a timestamped signature outlive its certificate', () => {
    const stamped = seen({ stamps: [stamp(INSIDE)] });
    const facts = verify(stamped, authority({ timestamps: 1 }), against);
    assert.equal(facts.existedBy?.getTime(), INSIDE.getTime());
    assert.equal(facts.signedAt, undefined);
    assert.deepEqual(facts.timeSources, ['tsa']);
    assert.equal(verify(stamped, authority(), against).existedBy?.getTime(), INSIDE.getTime());
    assert.equal(outcome(stamped, pkiAuthority([pki.root.certificate]), against), 'CertificateInvalid');
    assert.equal(outcome(bundle, authority(), against), 'CertificateInvalid');
    assert.equal(outcome(bundle, authority(), { now: INSIDE }), 'accepted');
  });

  it('demands as many times as the authority says', () => {
    assert.equal(outcome(lasting, authority({ timestamps: 1 }), against), 'TimestampInvalid');
    const stamped = seen({ stamps: [stamp(INSIDE)] });
    assert.equal(outcome(stamped, authority({ timestamps: 2 }), against), 'TimestampInvalid');
    const second = createTimestampAuthority('https://tsa2.models.test', 'tsa2');
    const json = JSON.parse(
      encodeTrustedRoot({
        certificateAuthorities: [],
        ctLogs: [],
        logs: [],
        timestampAuthorities: [sigstore.timestampAuthority, second],
      }),
    ) as { timestampAuthorities: object[] };
    const operated = (...names: string[]): string =>
      JSON.stringify({
        ...json,
        timestampAuthorities: json.timestampAuthorities.map((tsa, index) => ({
          ...tsa,
          operator: names[index],
        })),
      });
    const both = seen({ stamps: [stamp(INSIDE), (signature) => second.timestamp(signature, INSIDE)] });
    const two = (...names: string[]): CertificateAuthority =>
      authority({}, { observers: observersOf(operated(...names), { timestamps: 2 }) });
    assert.equal(outcome(both, two('a', 'b'), against), 'accepted');
    assert.equal(outcome(both, two('a', 'a'), against), 'TimestampInvalid');
  });

  const windows: readonly (readonly [string, string])[] = [
    ['2025-12-31T23:59:59Z', 'CertificateInvalid'],
    ['2026-01-01T00:00:00Z', 'accepted'],
    ['2026-02-01T00:00:00Z', 'accepted'],
    ['2026-02-01T00:00:01Z', 'CertificateInvalid'],
  ];
  for (const [at, expected] of windows)
    it(`asks whether the certificate was valid at ${at}`, () => {
      assert.equal(outcome(seen({ stamps: [stamp(new Date(at))] }), authority(), against), expected);
    });

  it('refuses a certificate that is valid now and was not at the time, and one time of two that does not fit', () => {
    const now = INSIDE;
    const early = new Date('2025-06-01T00:00:00Z');
    assert.equal(outcome(bundle, authority(), { now }), 'accepted');
    assert.equal(outcome(seen({ stamps: [stamp(early)] }), authority(), { now }), 'CertificateInvalid');
    const mixed = seen({ stamps: [stamp(INSIDE), stamp(early)] });
    assert.equal(outcome(mixed, authority(), against), 'CertificateInvalid');
    const logged = seen({ stamps: [stamp(INSIDE)], entries: [entry(early)] });
    assert.equal(outcome(logged, authority(), against), 'CertificateInvalid');
  });

  it('validates the issuers at the time too', () => {
    const root = createRootAuthority('old-root', { notBefore: NOT_BEFORE, notAfter: NOT_AFTER });
    const window = {
      notBefore: new Date('2026-01-10T00:00:00Z'),
      notAfter: new Date('2026-01-20T00:00:00Z'),
    };
    const issuer = createIntermediateAuthority(root, 'old-int', window);
    const signed = signAs(issuer, { notBefore: NOT_BEFORE, notAfter: NOT_AFTER }).bundle;
    const trusted = authority({}, { roots: certificatesOf(root.certificate) });
    assert.equal(messageOf(seen({ stamps: [stamp(INSIDE)] }, signed), trusted), 'accepted');
    const outside = new Date('2026-01-25T00:00:00Z');
    assert.match(
      messageOf(seen({ stamps: [stamp(outside)] }, signed), trusted),
      /one of its issuers is not valid at 2026-01-25/,
    );
    assert.match(
      messageOf(seen({ stamps: [stamp(INSIDE), stamp(outside)] }, signed), trusted),
      /one of its issuers is not valid at 2026-01-25/,
    );
  });

  it('asks whether it was signed before the end that the authority names', () => {
    const stamped = seen({ stamps: [stamp(INSIDE)] });
    const until = (notAfter: string): CertificateAuthority => authority({}, { notAfter: new Date(notAfter) });
    assert.equal(messageOf(stamped, until('2026-01-15T12:00:00Z')), 'accepted');
    assert.match(messageOf(stamped, until('2026-01-15T11:59:59Z')), /counts no more since/);
    assert.match(messageOf(lasting, until('2026-03-01T00:00:00Z')), /counts no more since/);
  });

  it('takes an integrated time under the log’s promise, for the certificate that signed', () => {
    const logged = seen({ entries: [entry(INSIDE)] });
    const facts = verify(logged, authority({ timestamps: 1 }), against);
    assert.equal(facts.existedBy?.getTime(), INSIDE.getTime());
    assert.deepEqual(facts.timeSources, ['transparency-log']);
    assert.equal(facts.logs.length, 1);
    const other = signAs(pki.intermediate).leaf;
    for (const verifier of [{ certificate: other }, { publicKey: key.publicKey }])
      assert.equal(
        outcome(seen({ entries: [entry(INSIDE, verifier)] }), authority(), against),
        'TransparencyLogInvalid',
      );
  });

  it('leaves out what strangers wrote: then everything must be valid now', () => {
    for (const what of [
      { stamps: [stamp(INSIDE, stranger)] },
      { entries: [entry(INSIDE, { certificate: leaf }, stranger)] },
    ]) {
      assert.equal(outcome(seen(what), authority(), against), 'CertificateInvalid');
      assert.equal(outcome(seen(what), authority({ timestamps: 1 }), against), 'TimestampInvalid');
      assert.equal(outcome(seen(what), authority(), { now: INSIDE }), 'accepted');
    }
  });

  it('refuses wrong timestamps of known authorities, whatever else is there', () => {
    const tsa = sigstore.timestampAuthority;
    const forger = generateSigningKey('p256').privateKey;
    for (const bad of [
      () => tsa.timestamp(Buffer.from('another'), INSIDE),
      (signature: Buffer) => tsa.timestamp(signature, INSIDE, { signingKey: forger }),
      (signature: Buffer) => tsa.timestamp(signature, new Date(NOW.getTime() + 301_000)),
      (signature: Buffer) => tsa.timestamp(Buffer.concat([signature, Buffer.from([0])]), INSIDE),
    ])
      for (const stamps of [[bad], [stamp(INSIDE), bad]])
        assert.equal(outcome(seen({ stamps }, lasting), authority(), against), 'TimestampInvalid');
  });

  it('counts no time of an entry that too few witnesses cosigned', () => {
    const witness = createWitness('one.test');
    const trusted = authority({ witnesses: 1 }, {}, { witnesses: [toWitnessKey(witness)] });
    const logged = seen({ entries: [entry(INSIDE)] });
    assert.equal(outcome(logged, trusted, against), 'CertificateInvalid');
    const facts = verify(cosign(logged, witness), trusted, { now: new Date() });
    assert.deepEqual(facts.logs[0]?.witnesses, ['one.test']);
  });

  describe('and revocations', () => {
    const stamped = (): object => seen({ stamps: [stamp(INSIDE)] });
    const judge = (revoked: Partial<Revocations>): string =>
      outcome(stamped(), authority({}, {}, { revoked: { ...NO_REVOCATIONS, ...revoked } }), against);
    const path = { leaf, intermediate: pki.intermediate.certificate, root: pki.root.certificate };

    it('change nothing for others', () => {
      assert.equal(judge({}), 'accepted');
      assert.equal(judge({ spkis: new Map([['00'.repeat(32), 'other']]) }), 'accepted');
      assert.equal(judge({ certificateSerials: new Map([['1234', 'other']]) }), 'accepted');
      assert.equal(judge({ artifactDigests: new Map([[OTHER_DIGEST, 'other']]) }), 'accepted');
    });

    for (const [name, der] of Object.entries(path))
      it(`end trust in the ${name} by key and by serial, although it was timestamped before`, () => {
        const { publicKey, serialNumber } = new X509Certificate(der);
        const spki = publicKey.export({ type: 'spki', format: 'der' });
        assert.equal(judge({ spkis: new Map([[sha256Hex(spki), 'stolen']]) }), 'Revoked');
        assert.equal(judge({ certificateSerials: new Map([[toSerial(serialNumber), 'stolen']]) }), 'Revoked');
      });

    it('end trust in one artifact', () => {
      assert.equal(judge({ artifactDigests: new Map([[DIGEST, 'poisoned']]) }), 'Revoked');
    });
  });

  it('believes the timestamp and the log entry of a cosign 2 signature', () => {
    const payload = simpleSigningPayload(DIGEST);
    const signer = generateSigningKey('p256');
    const { leaf: certificate } = signAs(pki.intermediate, {
      publicKey: signer.publicKey,
      notBefore: NOT_BEFORE,
      notAfter: NOT_AFTER,
      extensions: leafExtensions(),
    });
    const signature = signBytes(payload, signer.privateKey);
    const annotations = {
      [NAMES.signature]: signature.toString('base64'),
      [NAMES.certificate]: certificatePem(certificate),
      [NAMES.chain]: certificatePem(pki.intermediate.certificate),
    };
    const judge = (more: Readonly<Record<string, string>>): string | undefined => {
      const descriptor = {
        mediaType: 'x/y',
        digest: DIGEST,
        size: payload.length,
        annotations: { ...annotations, ...more },
      };
      const read = readSignatureAnnotations(descriptor);
      const candidate = toSimpleSigningCandidate({
        place: 'tag',
        referrer: OTHER_DIGEST,
        payload,
        annotations: read,
      });
      const trusted = authority({}, { signatureFormats: new Set(['CosignSimpleSigning']) });
      return verifySignature(
        candidate,
        trusted,
        { digest: DIGEST, manifest: toManifest() },
        NOW,
      ).existedBy?.toISOString();
    };
    assert.equal(
      judge({ [NAMES.timestamp]: timestampAnnotation(sigstore, signature, INSIDE) }),
      INSIDE.toISOString(),
    );
    const body = hashedRekordBodyV1(payload, signature, { certificate });
    assert.equal(
      judge({ [NAMES.bundle]: rekorBundle(sigstore.log.append(body, INSIDE)) }),
      INSIDE.toISOString(),
    );
    assert.throws(() => judge({}), { reason: 'CertificateInvalid' });
  });
});
