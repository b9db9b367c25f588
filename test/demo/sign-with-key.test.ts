// Do key bundles verify with the keys and hashes that the field's tools use, and have their shape?
import assert from 'node:assert/strict';
import { createHash, verify } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { generateSigningKey, publicKeyDer, type SigningKeyKind } from '../../src/demo/keys.ts';
import { keyHint, signBundleWithKey, type DsseEnvelope } from '../../src/demo/sign-with-key.ts';
import {
  attestationStatement,
  cosignSignStatement,
  modelSigningStatement,
  preAuthenticationEncoding,
} from '../../src/demo/statement.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

interface KeyBundle {
  mediaType: string;
  verificationMaterial: Record<string, unknown>;
  dsseEnvelope: DsseEnvelope;
}

function signedParts(bundle: object): { encoded: Buffer; signature: Buffer } {
  const { dsseEnvelope } = bundle as KeyBundle;
  const payload = Buffer.from(dsseEnvelope.payload, 'base64');
  const encoded = preAuthenticationEncoding(dsseEnvelope.payloadType, payload);
  return { encoded, signature: Buffer.from(dsseEnvelope.signatures[0]?.sig ?? '', 'base64') };
}

describe('signBundleWithKey', () => {
  const hashes: [SigningKeyKind, string | null][] = [
    ['p256', 'sha256'],
    ['p384', 'sha384'],
    ['p521', 'sha512'],
    ['rsa2048', 'sha256'],
    ['ed25519', null],
  ];
  for (const [kind, hash] of hashes) {
    it(`signs with ${kind} over ${hash ?? 'the bytes themselves'}`, () => {
      const key = generateSigningKey(kind);
      const { encoded, signature } = signedParts(signBundleWithKey(cosignSignStatement(DIGEST), key));
      assert.ok(verify(hash, encoded, key.publicKey, signature));
    });
  }

  it('writes what cosign 3 writes without a log', () => {
    const key = generateSigningKey('p256');
    const bundle = signBundleWithKey(cosignSignStatement(DIGEST), key) as KeyBundle;
    assert.equal(bundle.mediaType, 'application/vnd.dev.sigstore.bundle.v0.3+json');
    const hint = createHash('sha256').update(publicKeyDer(key.publicKey)).digest('base64');
    assert.deepEqual(bundle.verificationMaterial, { publicKey: { hint } });
    assert.equal(bundle.dsseEnvelope.payloadType, 'application/vnd.in-toto+json');
    assert.deepEqual(Object.keys(bundle.dsseEnvelope.signatures[0] ?? {}), ['sig']);
  });

  it('writes what model_signing writes when asked', () => {
    const key = generateSigningKey('p384');
    const bundle = signBundleWithKey(modelSigningStatement('m', []), key, {
      style: 'model_signing',
    }) as KeyBundle;
    const hint = createHash('sha256').update(key.publicKeyPem).digest('hex');
    assert.deepEqual(bundle.verificationMaterial, { publicKey: { hint }, tlogEntries: [] });
    assert.equal(bundle.dsseEnvelope.signatures[0]?.keyid, '');
  });

  it('signs with another hash when asked', () => {
    const key = generateSigningKey('p384');
    const { encoded, signature } = signedParts(signBundleWithKey({}, key, { hash: 'sha256' }));
    assert.ok(verify('sha256', encoded, key.publicKey, signature));
  });

  it('signs with Ed25519ph when asked', () => {
    const key = generateSigningKey('ed25519');
    const { encoded, signature } = signedParts(signBundleWithKey({}, key, { ed25519ph: true }));
    assert.ok(ed25519ph.verify(signature, encoded, publicKeyDer(key.publicKey).subarray(-32)));
    assert.equal(verify(null, encoded, key.publicKey, signature), false);
  });

  it('carries a certificate chain, another hint or another payload type', () => {
    const key = generateSigningKey('p256');
    const chained = signBundleWithKey({}, key, { certificateChain: [Buffer.from('leaf')] }) as KeyBundle;
    assert.deepEqual(chained.verificationMaterial, {
      x509CertificateChain: { certificates: [{ rawBytes: 'bGVhZg==' }] },
    });
    const odd = signBundleWithKey(Buffer.from('raw'), key, { hint: 'h', payloadType: 'text/x' }) as KeyBundle;
    assert.deepEqual(odd.verificationMaterial, { publicKey: { hint: 'h' } });
    assert.equal(odd.dsseEnvelope.payload, 'cmF3');
    assert.equal(odd.dsseEnvelope.payloadType, 'text/x');
  });

  it('verifies with @sigstore/verify, and not with another key', () => {
    const key = generateSigningKey('p256');
    const bundle = bundleFromJSON(signBundleWithKey(cosignSignStatement(DIGEST), key));
    const check = (trusted: { publicKey: typeof key.publicKey }): void => {
      const material = toTrustMaterial(
        { mediaType: '', tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] },
        () => ({ publicKey: trusted.publicKey, validFor: () => true }),
      );
      new Verifier(material, { tlogThreshold: 0, timestampThreshold: 0 }).verify(toSignedEntity(bundle));
    };
    check(key);
    assert.throws(() => check(generateSigningKey('p256')), { code: 'SIGNATURE_ERROR' });
  });
});

describe('keyHint', () => {
  it('has the two forms in use', () => {
    const { publicKey } = generateSigningKey('p256');
    assert.match(keyHint(publicKey), /^[A-Za-z0-9+/]{43}=$/u);
    assert.match(keyHint(publicKey, 'model_signing'), /^[0-9a-f]{64}$/u);
  });
});

describe('cosignSignStatement', () => {
  it('is what cosign 3.1 signs', () => {
    assert.deepEqual(cosignSignStatement(DIGEST, { team: 'a' }), {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: 'ab'.repeat(32) }, annotations: { team: 'a' } }],
      predicateType: 'https://sigstore.dev/cosign/sign/v1',
      predicate: {},
    });
  });
});

describe('attestationStatement', () => {
  it('names the subject and carries the predicate', () => {
    assert.deepEqual(attestationStatement(DIGEST, 'https://slsa.dev/provenance/v1', { a: 1 }), {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'model', digest: { sha256: 'ab'.repeat(32) } }],
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: { a: 1 },
    });
  });
});

describe('modelSigningStatement', () => {
  it('computes the root digest of the vectors', () => {
    // The four files of vectors/oci/_models/tiny and the root that model_signing 1.1.1 signed for them.
    const resources = [
      ['README.md', 'aad8fba94ad1b3c1cb822fa2bda1e7d5db0275959d1e1fa233aa9f210b785613'],
      ['config.json', '19fd05d081df3f027ce83475197ad33495b0b7c14d7437f53966ece7c5944cb4'],
      ['model.safetensors', '47f299d00d2e66df77bde73c73daa24dd18a818ec8ea08b0fca5464bfbff3380'],
      ['tokenizer.json', '18ca24ac29565d6a2cab9a313fde801f748a6146688679ea4790148ab802af19'],
    ].map(([name = '', digest = '']) => ({ name, digest }));
    const statement = modelSigningStatement('m', resources) as { subject: { digest: { sha256: string } }[] };
    assert.equal(
      statement.subject[0]?.digest.sha256,
      '6b71e0ca2797b1c64a8340f1dcb14f9e691f61a04f987eca7ebb4d516de67b28',
    );
  });
});

describe('preAuthenticationEncoding', () => {
  it('counts bytes, not characters', () => {
    const encoded = preAuthenticationEncoding('é', Buffer.from('hello'));
    assert.equal(encoded.toString(), 'DSSEv1 2 é 5 hello');
  });
});
