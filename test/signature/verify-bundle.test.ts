// Which bundles sign a file, in each version, by certificate and by key, with the file and with its digest alone?
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { generateSigningKey, type SigningKeyKind } from '../../src/demo/keys.ts';
import { parseBundle } from '../../src/signature/bundle.ts';
import { SignatureError } from '../../src/signature/error.ts';
import type { SignerFacts } from '../../src/signature/facts.ts';
import type { Artifact } from '../../src/signature/message.ts';
import { prepareTrust } from '../../src/signature/prepared-trust.ts';
import { parsePublicKeys, type TrustedKey } from '../../src/signature/public-key.ts';
import { verifyBundle, type WantedSigner } from '../../src/signature/verify-bundle.ts';
import { parseTrustedRoot } from '../../src/trust/trusted-root.ts';
import { signMessage } from './message-bundle.ts';
import { plainVerdict } from './plain-library.ts';
import {
  ALICE,
  change,
  createWorld,
  ONE_OF_EACH,
  STATEMENT,
  toBytes,
  type Path,
  type World,
} from './support.ts';

const MODEL = Buffer.from('a model');
const FILE: Artifact = { kind: 'bytes', bytes: MODEL };
const digestOf = (bytes: Buffer): Artifact => ({
  kind: 'digest',
  sha256: createHash('sha256').update(bytes).digest(),
});
const ALICE_SIGNED: WantedSigner = { kind: 'identity', ...ALICE };
const ENTRY: Path = ['verificationMaterial', 'tlogEntries', 0];

function keysOf(pem: string): readonly TrustedKey[] {
  const parsed = parsePublicKeys(pem);
  assert.ok(parsed.ok);
  return parsed.keys;
}

function facts(world: World, bundle: object, artifact: Artifact, signer = ALICE_SIGNED): SignerFacts {
  const trust = prepareTrust(parseTrustedRoot(Buffer.from(world.sigstore.trustedRootJson())));
  const required = { trust, trustRoot: 'test', requirements: ONE_OF_EACH };
  return verifyBundle({ bundle: toBytes(bundle), artifact, signer }, required, { now: new Date() });
}

function verdict(world: World, bundle: object, artifact: Artifact, signer = ALICE_SIGNED): string {
  try {
    facts(world, bundle, artifact, signer);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    return error.reason;
  }
}

describe('verifyBundle', () => {
  let worlds: Record<'v1' | 'v2', World>;

  before(async () => {
    worlds = { v1: await createWorld('v1'), v2: await createWorld('v2') };
  });

  for (const rekor of ['v1', 'v2'] as const)
    for (const version of ['0.1', '0.2', '0.3'] as const) {
      if (rekor === 'v2' && version === '0.1') continue;
      it(`takes a version ${version} bundle of a Rekor ${rekor}, with the file and with its digest`, () => {
        const bundle = signMessage(worlds[rekor].sigstore, MODEL, { version });
        const { subject, secondOpinion } = facts(worlds[rekor], bundle, FILE);
        assert.deepEqual([subject, secondOpinion], [ALICE.subject, 'agrees']);
        assert.equal(facts(worlds[rekor], bundle, digestOf(MODEL)).secondOpinion, 'cannotJudge');
        const other = Buffer.from('another model');
        assert.equal(verdict(worlds[rekor], bundle, { kind: 'bytes', bytes: other }), 'SubjectMismatch');
        assert.equal(verdict(worlds[rekor], bundle, digestOf(other)), 'SubjectMismatch');
      });
    }

  it('takes none of them at admission', () => {
    for (const version of ['0.1', '0.2', '0.3'] as const) {
      const bundle = signMessage(worlds.v1.sigstore, MODEL, { version });
      assert.throws(() => parseBundle(toBytes(bundle)), { reason: 'UnsupportedFormat' });
    }
  });

  const kinds: [string, SigningKeyKind, Parameters<typeof signMessage>[2], 'both' | 'file'][] = [
    ['P-256 with SHA-256', 'p256', {}, 'both'],
    ['P-384 with SHA-384', 'p384', { hash: 'sha384' }, 'file'],
    ['P-384 with SHA-256', 'p384', {}, 'both'],
    ['P-521 with SHA-512', 'p521', { hash: 'sha512' }, 'file'],
    ['P-521 with SHA-256', 'p521', {}, 'both'],
    ['RSA with SHA-256', 'rsa2048', {}, 'both'],
    ['RSA with SHA-512', 'rsa2048', { hash: 'sha512' }, 'file'],
    ['RSA PSS', 'rsa2048', { pss: true }, 'file'],
    ['Ed25519', 'ed25519', {}, 'file'],
    ['Ed25519ph', 'ed25519', { hash: 'sha512', ed25519ph: true }, 'file'],
    ['ML-DSA-65', 'mldsa65', {}, 'file'],
  ];
  for (const [what, kind, options, modes] of kinds)
    it(`takes ${what} by a managed key, and no other key`, () => {
      const [key, other] = [generateSigningKey(kind), generateSigningKey(kind)];
      const bundle = signMessage(worlds.v2.sigstore, MODEL, { ...options, key });
      const signer: WantedSigner = { kind: 'key', keys: keysOf(key.publicKeyPem) };
      const { existedBy, logs } = facts(worlds.v2, bundle, FILE, signer);
      assert.ok(existedBy instanceof Date);
      assert.equal(logs.length, 1);
      const stranger: WantedSigner = { kind: 'key', keys: keysOf(other.publicKeyPem) };
      assert.equal(verdict(worlds.v2, bundle, FILE, stranger), 'SignerNotTrusted');
      const byDigest = verdict(worlds.v2, bundle, digestOf(MODEL), signer);
      if (modes === 'both') assert.equal(byDigest, 'accepted');
      else assert.notEqual(byDigest, 'accepted');
    });

  it('refuses a wrong signature over the right digest, in either mode', () => {
    for (const kind of ['p256', 'p384', 'rsa2048'] as const) {
      const key = generateSigningKey(kind);
      const bundle = signMessage(worlds.v2.sigstore, MODEL, { key });
      const other = signMessage(worlds.v2.sigstore, Buffer.from('another model'), { key });
      const { messageSignature } = other as { messageSignature: { signature: string } };
      const forged = change(bundle, ['messageSignature', 'signature'], messageSignature.signature);
      const signer: WantedSigner = { kind: 'key', keys: keysOf(key.publicKeyPem) };
      assert.equal(verdict(worlds.v2, forged, FILE, signer), 'SignatureInvalid');
      assert.equal(verdict(worlds.v2, forged, digestOf(MODEL), signer), 'SignatureInvalid');
      const junk = change(bundle, ['messageSignature', 'signature'], 'AAAA');
      assert.equal(verdict(worlds.v2, junk, digestOf(MODEL), signer), 'SignatureInvalid');
    }
  });

  it('wants a log entry for this key', () => {
    const [key, other] = [generateSigningKey('p256'), generateSigningKey('p256')];
    const bundle = signMessage(worlds.v2.sigstore, MODEL, { key });
    const named = signMessage(worlds.v2.sigstore, MODEL, { key: { ...key, publicKey: other.publicKey } });
    const signer: WantedSigner = { kind: 'key', keys: keysOf(key.publicKeyPem) };
    assert.equal(verdict(worlds.v2, bundle, FILE, signer), 'accepted');
    assert.equal(verdict(worlds.v2, named, FILE, signer), 'TransparencyLogInvalid');
  });

  it('refuses a chain with a root, which the library takes (M8)', () => {
    const { sigstore } = worlds.v1;
    const bundle = signMessage(sigstore, MODEL, { version: '0.2', chain: sigstore.authority.chain });
    assert.equal(plainVerdict(bundle, sigstore.trustedRootJson(), { artifact: MODEL }), 'accepted');
    assert.throws(() => facts(worlds.v1, bundle, FILE), { message: /holds a root certificate/ });
    const [intermediate] = sigstore.authority.chain;
    assert.ok(intermediate);
    const fine = signMessage(sigstore, MODEL, { version: '0.2', chain: [intermediate] });
    assert.equal(verdict(worlds.v1, fine, FILE), 'accepted');
  });

  it('refuses other forms of naming the signer than the version has', () => {
    const { sigstore } = worlds.v1;
    const old = signMessage(sigstore, MODEL, { version: '0.2' });
    const current = signMessage(sigstore, MODEL);
    assert.equal(
      verdict(worlds.v1, { ...current, mediaType: (old as { mediaType: string }).mediaType }, FILE),
      'SignatureInvalid',
    );
    assert.equal(
      verdict(worlds.v1, { ...old, mediaType: (current as { mediaType: string }).mediaType }, FILE),
      'SignatureInvalid',
    );
    for (const version of ['0.4', '99.9', '0.3x', ''])
      assert.equal(
        verdict(
          worlds.v1,
          change(old, ['mediaType'], `application/vnd.dev.sigstore.bundle+json;version=${version}`),
          FILE,
        ),
        'UnsupportedFormat',
      );
  });

  it('wants the promise in version 0.1 and the proof in later ones', () => {
    const { sigstore } = worlds.v1;
    const first = signMessage(sigstore, MODEL, { version: '0.1' });
    assert.equal(
      verdict(worlds.v1, change(first, [...ENTRY, 'inclusionProof'], undefined), FILE),
      'accepted',
    );
    const bare = change(first, [...ENTRY, 'inclusionProof', 'checkpoint'], undefined);
    assert.equal(verdict(worlds.v1, bare, FILE), 'accepted');
    assert.equal(
      verdict(worlds.v1, change(first, [...ENTRY, 'inclusionPromise'], undefined), FILE),
      'TransparencyLogInvalid',
    );
    const second = signMessage(sigstore, MODEL, { version: '0.2' });
    assert.equal(
      verdict(worlds.v1, change(second, [...ENTRY, 'inclusionProof'], undefined), FILE),
      'TransparencyLogInvalid',
    );
  });

  it('finds the file among the subjects of a statement', async () => {
    const sha256 = createHash('sha256').update(MODEL).digest('hex');
    const subject = [
      { name: 'x', digest: { sha256: '00'.repeat(32) } },
      { name: 'y', digest: { sha256 } },
    ];
    const bundle = await worlds.v2.sign({}, { ...STATEMENT, subject });
    assert.equal(verdict(worlds.v2, bundle, FILE), 'accepted');
    assert.equal(verdict(worlds.v2, bundle, digestOf(MODEL)), 'accepted');
    assert.equal(verdict(worlds.v2, await worlds.v2.sign(), FILE), 'SubjectMismatch');
  });

  it('refuses another identity, and a signer of the other kind', () => {
    const bundle = signMessage(worlds.v2.sigstore, MODEL);
    const bob: WantedSigner = {
      ...ALICE_SIGNED,
      kind: 'identity',
      issuer: ALICE.issuer,
      subject: 'bob@models.test',
    };
    assert.equal(verdict(worlds.v2, bundle, FILE, bob), 'IdentityMismatch');
    const key = generateSigningKey('p256');
    const byKey: WantedSigner = { kind: 'key', keys: keysOf(key.publicKeyPem) };
    assert.equal(verdict(worlds.v2, bundle, FILE, byKey), 'SignerNotTrusted');
    assert.equal(
      verdict(worlds.v2, signMessage(worlds.v2.sigstore, MODEL, { key }), FILE),
      'SignerNotTrusted',
    );
  });
});
