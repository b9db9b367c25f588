// Which candidates satisfy a key authority, and what can be made to count that should not?
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { generateSigningKey, publicKeyDer, type SigningKeyKind } from '../../src/demo/keys.ts';
import {
  dsseEnvelope,
  keyHint,
  signBundleWithKey,
  signBytes,
  type KeySigningOptions,
} from '../../src/demo/sign-with-key.ts';
import {
  attestationStatement,
  COSIGN_SIGN_PREDICATE,
  cosignSignStatement,
  IN_TOTO_PAYLOAD_TYPE,
  preAuthenticationEncoding,
} from '../../src/demo/statement.ts';
import { toSignatureCandidate } from '../../src/signature/candidate.ts';
import { toEnvelopeContent } from '../../src/signature/content.ts';
import { toPreAuthenticationEncoding } from '../../src/signature/dsse.ts';
import { SignatureError } from '../../src/signature/error.ts';
import {
  change,
  createWorld,
  DIGEST,
  keyAuthority,
  outcome,
  OTHER_DIGEST,
  STATEMENT,
  toBytes,
  valueAt,
  verify,
} from './support.ts';

const SUBJECT = { digest: { sha256: 'ab'.repeat(32) } };
const statementWith = (changes: object): object => ({ ...STATEMENT, ...changes });

describe('verifySignature() by key', () => {
  const kinds: [string, SigningKeyKind, KeySigningOptions][] = [
    ['P-256 with SHA-256', 'p256', {}],
    ['P-384 with SHA-384', 'p384', {}],
    ['P-384 with SHA-256', 'p384', { hash: 'sha256' }],
    ['P-521 with SHA-512', 'p521', {}],
    ['P-521 with SHA-256', 'p521', { hash: 'sha256' }],
    ['Ed25519', 'ed25519', {}],
    ['Ed25519ph', 'ed25519', { ed25519ph: true }],
    ['RSA PKCS#1 v1.5 with SHA-256', 'rsa2048', {}],
    ['RSA PKCS#1 v1.5 with SHA-384', 'rsa2048', { hash: 'sha384' }],
    ['RSA PKCS#1 v1.5 with SHA-512', 'rsa2048', { hash: 'sha512' }],
    ['RSA PSS with SHA-256', 'rsa2048', { pss: true }],
    ['RSA PSS with SHA-384', 'rsa2048', { pss: true, hash: 'sha384' }],
    ['RSA PSS with SHA-512', 'rsa2048', { pss: true, hash: 'sha512' }],
    ['ML-DSA-44', 'mldsa44', {}],
    ['ML-DSA-65', 'mldsa65', {}],
    ['ML-DSA-87', 'mldsa87', {}],
  ];
  for (const [what, kind, options] of kinds)
    it(`accepts ${what}, and no other key of its kind`, () => {
      const key = generateSigningKey(kind);
      const bundle = signBundleWithKey(STATEMENT, key, options);
      const facts = verify(bundle, keyAuthority(key.publicKeyPem));
      assert.equal(facts.format, 'CosignBundle');
      assert.deepEqual(
        [facts.issuer, facts.subject, facts.claims, facts.logs, facts.timeSources],
        ['', '', {}, [], []],
      );
      assert.equal(facts.signedAt, undefined);
      assert.deepEqual({ ...facts.annotations }, { team: 'red' });
      assert.equal(outcome(bundle, keyAuthority(generateSigningKey(kind).publicKeyPem)), 'SignerNotTrusted');
    });

  for (const [kind, hash] of [
    ['p256', 'sha384'],
    ['p256', 'sha512'],
    ['p384', 'sha512'],
    ['p521', 'sha384'],
  ] as const)
    it(`refuses ${kind} with ${hash}`, () => {
      const key = generateSigningKey(kind);
      assert.equal(
        outcome(signBundleWithKey(STATEMENT, key, { hash }), keyAuthority(key.publicKeyPem)),
        'SignatureInvalid',
      );
    });

  it('refuses a weak key even when it gets in', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const trusted = { key: publicKey, fingerprint: 'f', hints: new Set<string>() };
    const authority = { ...keyAuthority(generateSigningKey('p256').publicKeyPem), keys: [trusted] };
    const bundle = signBundleWithKey(STATEMENT, { privateKey });
    assert.equal(outcome(bundle, authority), 'SignerNotTrusted');
  });

  it('accepts any key of a rotation, whatever the hint says', () => {
    const [first, second] = [generateSigningKey('p256'), generateSigningKey('ed25519')];
    const authority = keyAuthority(first.publicKeyPem + second.publicKeyPem);
    const facts = verify(signBundleWithKey(STATEMENT, second, { hint: keyHint(first.publicKey) }), authority);
    assert.equal(facts.keyFingerprint, authority.keys[1]?.fingerprint);
  });

  it('tells a broken signature of a named key from a stranger', () => {
    const key = generateSigningKey('p256');
    const hint = keyHint(key.publicKey);
    const forged = signBundleWithKey(STATEMENT, generateSigningKey('p256'), { hint });
    assert.equal(outcome(forged, keyAuthority(key.publicKeyPem)), 'SignatureInvalid');
    const odd = change(forged, ['verificationMaterial', 'publicKey', 'hint'], 'constructor');
    assert.equal(outcome(odd, keyAuthority(key.publicKeyPem)), 'SignerNotTrusted');
  });

  it('refuses a bundle of another kind of signer', async () => {
    const { authority, sign } = await createWorld();
    const key = generateSigningKey('p256');
    assert.equal(outcome(await sign(), keyAuthority(key.publicKeyPem)), 'SignerNotTrusted');
    assert.equal(outcome(signBundleWithKey(STATEMENT, key), authority), 'SignerNotTrusted');
    const chained = signBundleWithKey(STATEMENT, key, { certificateChain: [publicKeyDer(key.publicKey)] });
    assert.equal(outcome(chained, keyAuthority(key.publicKeyPem)), 'SignerNotTrusted');
    assert.equal(outcome(chained, authority), 'UnsupportedFormat');
  });

  it('refuses a bare key where a certificate belongs (GHSA-fx35-mq7g-6g98)', async () => {
    const { authority, sign } = await createWorld();
    const rawBytes = publicKeyDer(generateSigningKey('p256').publicKey).toString('base64');
    const bundle = change(await sign(), ['verificationMaterial', 'certificate', 'rawBytes'], rawBytes);
    assert.equal(outcome(bundle, authority), 'CertificateInvalid');
  });

  it('ignores what it cannot check: logs and timestamps beside a key', async () => {
    const { sigstore } = await createWorld();
    const key = generateSigningKey('p256');
    const bundle = await sigstore.signLogged(STATEMENT, key);
    const facts = verify(bundle, keyAuthority(key.publicKeyPem));
    assert.deepEqual([facts.logs, facts.timeSources, facts.existedBy], [[], [], undefined]);
  });

  it('refuses malformed signatures without throwing anything else', () => {
    for (const kind of ['p256', 'p521', 'ed25519', 'rsa2048', 'mldsa44'] as const) {
      const key = generateSigningKey(kind);
      const bundle = signBundleWithKey(STATEMENT, key);
      for (const bytes of [
        [0],
        [0x30, 0],
        [0x30, 0x80, 0, 0],
        Array<number>(64).fill(0),
        Array<number>(64).fill(0xff),
        Array<number>(5000).fill(0x30),
      ]) {
        const changed = change(
          bundle,
          ['dsseEnvelope', 'signatures', 0, 'sig'],
          Buffer.from(bytes).toString('base64'),
        );
        assert.equal(outcome(changed, keyAuthority(key.publicKeyPem)), 'SignatureInvalid');
      }
    }
  });

  it('gives a malleated ECDSA signature the signer of the first', () => {
    const key = generateSigningKey('p256');
    const bundle = signBundleWithKey(STATEMENT, key);
    const path = ['dsseEnvelope', 'signatures', 0, 'sig'];
    const { r, s } = p256.Signature.fromBytes(Buffer.from(valueAt(bundle, path) as string, 'base64'), 'der');
    const twin = new p256.Signature(r, p256.Point.Fn.ORDER - s).toBytes('der');
    const malleated = change(bundle, path, Buffer.from(twin).toString('base64'));
    const authority = keyAuthority(key.publicKeyPem);
    assert.notDeepEqual(malleated, bundle);
    assert.equal(verify(malleated, authority).keyFingerprint, verify(bundle, authority).keyFingerprint);
  });
});

describe('verifySignature() about its subject', () => {
  const key = generateSigningKey('p256');
  const authority = keyAuthority(key.publicKeyPem);
  const outcomeOf = (statement: object, digest = DIGEST): string =>
    outcome(signBundleWithKey(statement, key), authority, { digest });

  it('refuses another digest', () => {
    assert.equal(outcomeOf(cosignSignStatement(OTHER_DIGEST)), 'SubjectMismatch');
    assert.equal(outcomeOf(STATEMENT, OTHER_DIGEST), 'SubjectMismatch');
  });

  it('compares the algorithm that the reference names', () => {
    const sha512 = `sha512:${'ab'.repeat(64)}`;
    assert.equal(outcomeOf(STATEMENT, sha512), 'SubjectMismatch');
    assert.equal(outcomeOf(cosignSignStatement(sha512), sha512), 'accepted');
    assert.equal(outcomeOf(cosignSignStatement(sha512)), 'SubjectMismatch');
  });

  const digests: Readonly<Record<string, unknown>> = {
    'upper case': { sha256: 'AB'.repeat(32) },
    'a prefix in it': { sha256: DIGEST },
    'a space in it': { sha256: ` ${'ab'.repeat(32)}` },
    'another name': { SHA256: 'ab'.repeat(32) },
    'no entry': {},
    'prototype names': JSON.parse(`{"__proto__":"${'ab'.repeat(32)}","constructor":"x"}`) as unknown,
  };
  for (const [what, digest] of Object.entries(digests))
    it(`refuses a digest with ${what}`, () => {
      assert.equal(outcomeOf(statementWith({ subject: [{ digest }] })), 'SubjectMismatch');
    });

  const invalid: Readonly<Record<string, object>> = {
    'a digest map inside __proto__': {
      subject: [JSON.parse(`{"digest":{"__proto__":{"sha256":"${'ab'.repeat(32)}"}}}`)],
    },
    'two subjects': { subject: [SUBJECT, SUBJECT] },
    'another subject first': { subject: [{ digest: { sha256: 'cd'.repeat(32) } }, SUBJECT] },
    'no subject': { subject: [] },
    'a subject that is no list': { subject: SUBJECT },
    'too many subjects': { subject: Array.from({ length: 1025 }, () => SUBJECT) },
    'a digest that is no text': { subject: [{ digest: { sha256: ['ab'.repeat(32)] } }] },
    'annotations that are no text': { subject: [{ ...SUBJECT, annotations: { a: 1 } }] },
    'another statement type': { _type: 'https://in-toto.io/Statement/v0.1' },
    'a look-alike statement type': { _type: 'https://in-toto.io/Statement/v1 ' },
    'no statement type': { _type: undefined },
  };
  for (const [what, changes] of Object.entries(invalid))
    it(`refuses ${what}`, () => {
      assert.equal(outcomeOf(statementWith(changes)), 'SignatureInvalid');
    });

  it('keeps annotations with prototype names as data', () => {
    const annotations: unknown = JSON.parse('{"__proto__":"x","constructor":"y"}');
    const facts = verify(
      signBundleWithKey(statementWith({ subject: [{ ...SUBJECT, annotations }] }), key),
      authority,
    );
    assert.equal(JSON.stringify(facts.annotations), '{"__proto__":"x","constructor":"y"}');
  });

  it('refuses payloads that are no statement', () => {
    for (const payload of [
      'null',
      '[]',
      'x',
      '{"a":1,"a":2}',
      '"text"',
      `${'['.repeat(70)}${']'.repeat(70)}`,
    ])
      assert.equal(outcomeOf(Buffer.from(payload)), 'SignatureInvalid', payload);
  });

  it('refuses a statement that says one member twice', () => {
    const text = JSON.stringify(STATEMENT).replace('"subject":', '"subject":[],"subject":');
    assert.equal(outcomeOf(Buffer.from(text)), 'SignatureInvalid');
  });

  it('refuses a signature over another payload type', () => {
    const bundle = signBundleWithKey(STATEMENT, key, { payloadType: 'text/plain' });
    assert.equal(outcome(bundle, authority), 'UnsupportedFormat');
    const relabelled = change(bundle, ['dsseEnvelope', 'payloadType'], IN_TOTO_PAYLOAD_TYPE);
    assert.equal(outcome(relabelled, authority), 'SignatureInvalid');
  });

  it('refuses a signature over the payload alone', () => {
    const payload = Buffer.from(JSON.stringify(STATEMENT));
    const envelope = dsseEnvelope(payload, IN_TOTO_PAYLOAD_TYPE, signBytes(payload, key.privateKey));
    assert.equal(
      outcome(change(signBundleWithKey(STATEMENT, key), ['dsseEnvelope'], envelope), authority),
      'SignatureInvalid',
    );
  });

  it('counts a format only where the authority lists it', () => {
    const files = keyAuthority(key.publicKeyPem, { signatureFormats: new Set(['ModelSigning']) });
    assert.equal(outcome(signBundleWithKey(STATEMENT, key), files), 'SignerNotTrusted');
  });
});

describe('toSignatureCandidate', () => {
  const key = generateSigningKey('p256');
  const candidateOf = (statement: object): ReturnType<typeof toSignatureCandidate> =>
    toSignatureCandidate(toBytes(signBundleWithKey(statement, key)));

  for (const predicateType of [
    'https://slsa.dev/provenance/v1',
    'https://cyclonedx.org/bom',
    `${COSIGN_SIGN_PREDICATE}x`,
    `${COSIGN_SIGN_PREDICATE}/`,
    `${COSIGN_SIGN_PREDICATE} `,
    'HTTPS://sigstore.dev/cosign/sign/v1',
    'https://sigstore.dev/cosign/sign/v2',
    '',
  ])
    it(`takes no attestation of type ${JSON.stringify(predicateType)} for a signature`, () => {
      assert.equal(candidateOf(attestationStatement(DIGEST, predicateType, {})), undefined);
    });

  it('takes no predicate type of another type than text for a signature', () => {
    assert.equal(candidateOf(statementWith({ predicateType: [COSIGN_SIGN_PREDICATE] })), undefined);
  });

  for (const predicateType of [
    'https://model_signing/signature/v1.1',
    'https://model_signing/Digests/v0.1',
    'https://model_signing/signature/v1.0x',
  ])
    it(`names ${predicateType} unsupported`, () => {
      assert.throws(() => candidateOf(attestationStatement(DIGEST, predicateType, {})), {
        name: 'SignatureError',
        reason: 'UnsupportedFormat',
      });
    });

  it('bounds and escapes what it shows', () => {
    const predicateType = `https://model_signing/\u001b[31m\n${'x'.repeat(100_000)}`;
    assert.throws(
      () => candidateOf(attestationStatement(DIGEST, predicateType, {})),
      (error) =>
        error instanceof SignatureError && error.message.length < 300 && !/\p{Cc}/u.test(error.message),
    );
  });
});

describe('toPreAuthenticationEncoding', () => {
  it('counts bytes, not characters (GHSA-jfc7-64v2-mr8c)', () => {
    for (const type of ['application/vnd.in-toto+json', 'é', '\u016e'])
      assert.deepEqual(
        toPreAuthenticationEncoding(type, Buffer.from('a b')),
        preAuthenticationEncoding(type, Buffer.from('a b')),
      );
    assert.equal(toPreAuthenticationEncoding('é', Buffer.from('x')).toString(), 'DSSEv1 2 é 1 x');
  });
});

describe('toEnvelopeContent()', () => {
  it('finds none for key types that are not supported', () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const payload = Buffer.from('{}');
    const signature = signBytes(preAuthenticationEncoding(IN_TOTO_PAYLOAD_TYPE, payload), key.privateKey);
    assert.equal(
      toEnvelopeContent({ payloadType: IN_TOTO_PAYLOAD_TYPE, payload, signature }).findAlgorithm(
        key.publicKey,
      ),
      undefined,
    );
  });
});
