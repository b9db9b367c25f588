// When is the second opinion asked, and what does it change? A disagreement denies; facts say what was asked.
import assert from 'node:assert/strict';
import { parseBundle } from '../../src/signature/bundle.ts';
import { generateSigningKey, type SigningKeyKind } from '../../src/demo/keys.ts';
import { signBundleWithKey, type KeySigningOptions } from '../../src/demo/sign-with-key.ts';
import type { SigningAuthority } from '../../src/signature/authority.ts';
import { toSignatureCandidate } from '../../src/signature/candidate.ts';
import { parseLeafCertificate } from '../../src/signature/certificate.ts';
import { toEnvelopeContent } from '../../src/signature/content.ts';
import { DisagreementError } from '../../src/signature/error.ts';
import type { SecondOpinion, SignatureFacts } from '../../src/signature/facts.ts';
import { verifyObservations } from '../../src/signature/observers.ts';
import { preparedTrustOf } from '../../src/signature/prepared-trust.ts';
import { verifySignature } from '../../src/signature/verify.ts';
import { NO_REVOCATIONS } from '../../src/trust/revocation.ts';
import { witnessCertificate, witnessKey } from '../../src/signature/witness.ts';
import {
  createWorld,
  DIGEST,
  keyAuthority,
  ONE_OF_EACH,
  outcome,
  STATEMENT,
  toBytes,
  toManifest,
  verify,
} from './support.ts';

function parse(bundle: object): NonNullable<ReturnType<typeof toSignatureCandidate>> {
  const candidate = toSignatureCandidate(toBytes(bundle));
  assert.ok(candidate);
  return candidate;
}

describe('the second opinion', () => {
  for (const rekor of ['v1', 'v2'] as const)
    it(`agrees about a Rekor ${rekor} bundle, and is not asked when it is off`, async () => {
      const { authority, sign } = await createWorld(rekor);
      const bundle = await sign({ omitTimestamp: false });
      const facts = (when: Date | Parameters<typeof verifySignature>[3]): SignatureFacts =>
        verifySignature(parse(bundle), authority, { digest: DIGEST, manifest: toManifest() }, when);
      const now = new Date();
      assert.equal(facts(now).secondOpinion, 'agrees');
      assert.equal(facts({ now }).secondOpinion, 'agrees');
      assert.equal(facts({ now, secondOpinion: 'before' }).secondOpinion, 'agrees');
      const off = facts({ now, secondOpinion: 'off' });
      assert.deepEqual({ ...off, secondOpinion: 'agrees' }, facts(now));
    });

  const kinds: [SigningKeyKind, KeySigningOptions, SecondOpinion][] = [
    ['p256', {}, 'agrees'],
    ['p384', {}, 'cannotJudge'],
    ['p384', { hash: 'sha256' }, 'agrees'],
    ['p521', {}, 'cannotJudge'],
    ['ed25519', {}, 'agrees'],
    ['ed25519', { ed25519ph: true }, 'cannotJudge'],
    ['rsa2048', {}, 'agrees'],
    ['rsa2048', { hash: 'sha512' }, 'cannotJudge'],
    ['rsa2048', { pss: true }, 'cannotJudge'],
    ['mldsa65', {}, 'cannotJudge'],
  ];
  for (const [kind, options, expected] of kinds)
    it(`${expected} about a key ${kind} ${JSON.stringify(options)}`, () => {
      const key = generateSigningKey(kind);
      const facts = verify(signBundleWithKey(STATEMENT, key, options), keyAuthority(key.publicKeyPem));
      assert.equal(facts.secondOpinion, expected);
    });

  it('denies what the core would have accepted', async () => {
    const { authority, sign } = await createWorld('v2');
    const bundle = parseBundle(toBytes(await sign()));
    assert.ok(bundle.material.kind === 'certificate');
    const leaf = parseLeafCertificate(bundle.material.der);
    const required = { trust: preparedTrustOf(authority.root), trustRoot: 'x', requirements: ONE_OF_EACH };
    const content = toEnvelopeContent(bundle.envelope);
    const signature = { content, signerDer: leaf.der };
    const observations = verifyObservations(bundle, signature, required, new Date());
    const accepted = { leaf, algorithm: 'ecdsa-sha256', content, observations };
    assert.equal(witnessCertificate(accepted, required), 'agrees');
    const other = { ...bundle.envelope, payload: Buffer.from('{}') };
    const wrong: Parameters<typeof witnessCertificate>[0][] = [
      { ...accepted, content: toEnvelopeContent(other) },
      { ...accepted, observations: { ...observations, stamps: [], times: [] } },
      { ...accepted, observations: { ...observations, entries: [] } },
    ];
    for (const claim of wrong)
      assert.throws(
        () => witnessCertificate(claim, required),
        (error) =>
          error instanceof DisagreementError &&
          error.reason === 'SignatureInvalid' &&
          /second opinion/.test(error.message),
      );
    const key = generateSigningKey('p256').publicKey;
    assert.throws(() => witnessKey({ ...accepted, key }, undefined), DisagreementError);
  });
});

describe('verifySignature() by key with observers', () => {
  for (const rekor of ['v1', 'v2'] as const)
    it(`wants the log entry and the time of a Rekor ${rekor}, and reports by when it existed`, async () => {
      const { authority: keyless, sigstore } = await createWorld(rekor);
      const key = generateSigningKey('p256');
      const { root, trustRoot } = keyless;
      const observed = (more: object = {}): SigningAuthority =>
        keyAuthority(key.publicKeyPem, {
          observers: { root, trustRoot, requirements: { ...ONE_OF_EACH, ...more }, revoked: NO_REVOCATIONS },
        });
      const at = new Date('2026-05-05T12:00:00Z');
      const bundle = await sigstore.signLogged(STATEMENT, key, { at });
      const facts = verify(bundle, observed());
      assert.equal(facts.existedBy?.toISOString(), at.toISOString());
      assert.deepEqual(
        facts.logs.map(({ origin }) => origin),
        ['https://rekor.models.test'],
      );
      assert.deepEqual(
        facts.times?.map(({ at: time }) => time.getTime()),
        [at.getTime()],
      );
      assert.equal(facts.secondOpinion, 'agrees');
      assert.equal(facts.signedAt, undefined);
      assert.equal(outcome(signBundleWithKey(STATEMENT, key), observed()), 'TransparencyLogInvalid');
      assert.equal(
        outcome(signBundleWithKey(STATEMENT, key), observed({ logEntries: 0 })),
        'TimestampInvalid',
      );
      assert.equal(
        outcome(signBundleWithKey(STATEMENT, key), observed({ logEntries: 0, timestamps: 0 })),
        'accepted',
      );
      const { publicKey } = generateSigningKey('p256');
      const stranger = await sigstore.signLogged(STATEMENT, key, { at, logVerifier: { publicKey } });
      assert.equal(outcome(stranger, observed()), 'TransparencyLogInvalid');
      const late = await sigstore.signLogged(STATEMENT, key, { at: new Date(Date.now() + 600_000) });
      assert.equal(outcome(late, observed()), 'TimestampInvalid');
    });
});
