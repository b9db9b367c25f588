// Does a cosign v2 signature count exactly when the right signer signed this digest, and does nothing that stands in
// its annotations vouch for itself?
import assert from 'node:assert/strict';
import { generateSigningKey, type SigningKeyKind } from '../../src/demo/keys.ts';
import { createSigstore, type Sigstore } from '../../src/demo/sigstore.ts';
import {
  rekorBundle,
  SIMPLE_SIGNING_ANNOTATIONS as NAMES,
  signSimple,
  signSimpleKeyless,
  simpleSigningPayload,
  timestampAnnotation,
  type SimpleKeylessOptions,
  type SimpleSignature,
} from '../../src/demo/simple-signing.ts';
import { certificatePem } from '../../src/demo/certificate.ts';
import { dsseBodyV1, hashedRekordBodyV1 } from '../../src/demo/log-entry.ts';
import { dsseEnvelope } from '../../src/demo/sign-with-key.ts';
import type { LogBody } from '../../src/demo/transparency-log.ts';
import { readSignatureAnnotations } from '../../src/evidence/annotations.ts';
import type { SimpleSigningEvidence } from '../../src/evidence/evidence.ts';
import type { SigningAuthority } from '../../src/signature/authority.ts';
import { toSimpleSigningCandidate } from '../../src/signature/candidate.ts';
import { SignatureError } from '../../src/signature/error.ts';
import type { SignatureFacts, SignatureFormat } from '../../src/signature/facts.ts';
import { parsePayload } from '../../src/signature/simple-signing.ts';
import { verifySignature } from '../../src/signature/verify.ts';
import {
  ALICE,
  DIGEST,
  exactIdentity,
  keyAuthority,
  keylessAuthority,
  OTHER_DIGEST,
  toManifest,
} from './support.ts';

const PAYLOAD = simpleSigningPayload(DIGEST, { optional: { team: 'red' } });
const FORMATS = new Set<SignatureFormat>(['CosignSimpleSigning']);
const KEY = generateSigningKey('p256');
const BY_KEY = keyAuthority(KEY.publicKeyPem, { signatureFormats: FORMATS });

function toEvidence({ payload, annotations }: SimpleSignature): SimpleSigningEvidence {
  const descriptor = { mediaType: 'x/y', digest: DIGEST, size: payload.length, annotations };
  return { place: 'tag', referrer: OTHER_DIGEST, payload, annotations: readSignatureAnnotations(descriptor) };
}

function verify(
  signature: SimpleSignature,
  authority: SigningAuthority = BY_KEY,
  now = new Date(),
): SignatureFacts {
  const candidate = toSimpleSigningCandidate(toEvidence(signature));
  return verifySignature(candidate, authority, { digest: DIGEST, manifest: toManifest() }, now);
}

function outcome(signature: SimpleSignature, authority?: SigningAuthority, now?: Date): string {
  try {
    verify(signature, authority, now);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    assert.match(error.message, /^[\x20-\x7e…’]{1,600}$/);
    return error.reason;
  }
}

function annotated(signature: SimpleSignature, changes: Readonly<Record<string, string>>): SimpleSignature {
  return { ...signature, annotations: { ...signature.annotations, ...changes } };
}

function without(signature: SimpleSignature, ...names: string[]): SimpleSignature {
  const left = Object.entries(signature.annotations).filter(([name]) => !names.includes(name));
  return { ...signature, annotations: Object.fromEntries(left) };
}

describe('a simple signing signature by a key', () => {
  const kinds: readonly (readonly [SigningKeyKind, object])[] = [
    ['p256', {}],
    ['p384', {}],
    ['p384', { hash: 'sha256' }],
    ['p521', {}],
    ['p521', { hash: 'sha256' }],
    ['ed25519', {}],
    ['ed25519', { ed25519ph: true }],
  ];
  for (const [kind, options] of kinds)
    it(`counts when made by ${kind} ${JSON.stringify(options)}`, () => {
      const key = generateSigningKey(kind);
      const authority = keyAuthority(key.publicKeyPem, { signatureFormats: FORMATS });
      const facts = verify(signSimple(PAYLOAD, key, options), authority);
      assert.equal(facts.format, 'CosignSimpleSigning');
      assert.deepEqual([facts.issuer, facts.subject, facts.logs, facts.timeSources], ['', '', [], []]);
      assert.deepEqual(facts.annotations, { team: 'red' });
      assert.equal(facts.keyFingerprint, authority.keys[0]?.fingerprint);
    });

  for (const [kind, hash] of [
    ['p256', 'sha384'],
    ['p384', 'sha512'],
  ] as const)
    it(`does not count with ${kind} and ${hash}`, () => {
      const key = generateSigningKey(kind);
      const authority = keyAuthority(key.publicKeyPem, { signatureFormats: FORMATS });
      assert.equal(outcome(signSimple(PAYLOAD, key, { hash }), authority), 'SignerNotTrusted');
    });

  const good = signSimple(PAYLOAD, KEY);

  it('counts only where signatureFormats lists it', () => {
    for (const format of ['CosignBundle', 'ModelSigning'] as const)
      assert.equal(
        outcome(good, keyAuthority(KEY.publicKeyPem, { signatureFormats: new Set([format]) })),
        'SignerNotTrusted',
      );
  });

  it('does not count when another key made it', () => {
    assert.equal(outcome(signSimple(PAYLOAD, generateSigningKey('p256'))), 'SignerNotTrusted');
  });

  it('does not count for a payload that was edited', () => {
    const edited = Buffer.from(PAYLOAD.toString().replace('red', 'blu'));
    assert.equal(outcome({ ...good, payload: edited }), 'SignerNotTrusted');
    assert.equal(
      outcome({ ...good, payload: Buffer.concat([PAYLOAD, Buffer.from(' ')]) }),
      'SignerNotTrusted',
    );
  });

  it('does not count for another digest, and says which', () => {
    const copied = signSimple(simpleSigningPayload(OTHER_DIGEST), KEY);
    assert.equal(outcome(copied), 'SubjectMismatch');
    assert.throws(() => verify(copied), new RegExp(OTHER_DIGEST));
  });

  it('does not count when payload and signature are swapped between signatures', () => {
    const other = signSimple(simpleSigningPayload(OTHER_DIGEST), KEY);
    assert.equal(outcome({ ...good, annotations: other.annotations }), 'SignerNotTrusted');
  });

  it('ignores the name in the payload, which its signer chose', () => {
    const payload = simpleSigningPayload(DIGEST, { dockerReference: 'evil.example/other' });
    assert.equal(outcome(signSimple(payload, KEY)), 'accepted');
  });

  it('ignores log and timestamp, which a key authority does not ask for', async () => {
    const sigstore = await createSigstore({ rekor: 'v1' });
    const body = hashedRekordBodyV1(PAYLOAD, Buffer.from('x'), { publicKey: KEY.publicKey });
    const logged = annotated(good, {
      [NAMES.bundle]: rekorBundle(sigstore.log.append(body, new Date())),
      [NAMES.timestamp]: timestampAnnotation(sigstore, Buffer.from('x'), new Date()),
    });
    assert.equal(outcome(logged), 'accepted');
  });

  it('does not count for a key when a certificate stands beside it', () => {
    const pem = certificatePem(Buffer.from('30', 'hex'));
    assert.equal(outcome(annotated(good, { [NAMES.certificate]: pem })), 'SignerNotTrusted');
  });

  const broken: readonly (readonly [string, string])[] = [
    ['no base64', '%%%'],
    ['empty', ''],
    ['not canonical', `${good.annotations[NAMES.signature] ?? ''}\n`],
    [
      'URL-safe',
      (good.annotations[NAMES.signature] ?? '').replaceAll('+', '-').replaceAll('/', '_').slice(0, -1),
    ],
  ];
  for (const [what, text] of broken)
    it(`is invalid with a signature that is ${what}`, () => {
      assert.equal(outcome(annotated(good, { [NAMES.signature]: text })), 'SignatureInvalid');
    });

  it('is invalid without a signature, and with one under another name', () => {
    assert.equal(outcome(without(good, NAMES.signature)), 'SignatureInvalid');
    const text = good.annotations[NAMES.signature] ?? '';
    assert.equal(outcome({ ...good, annotations: { signature: text } }), 'SignatureInvalid');
  });

  it('passes over annotations that mean nothing to it', () => {
    const junk = { toString: 'x', __proto__: 'y', 'dev.cosignproject.cosign/other': '{', '': '\u0000' };
    assert.equal(outcome(annotated(good, junk)), 'accepted');
  });
});

describe('parsePayload()', () => {
  const parse = (text: string): ReturnType<typeof parsePayload> => parsePayload(Buffer.from(text));
  const critical = (changes: object = {}): object => ({
    type: 'cosign container image signature',
    image: { 'docker-manifest-digest': DIGEST },
    identity: { 'docker-reference': '' },
    ...changes,
  });
  const text = (changes: object = {}, more: object = {}): string =>
    JSON.stringify({ critical: critical(changes), optional: null, ...more });

  it('reads what cosign writes', () => {
    assert.deepEqual(parse(PAYLOAD.toString()), { digest: DIGEST, annotations: { team: 'red' } });
    assert.deepEqual(parse(text()).annotations, {});
    assert.deepEqual(parse(text({}, { optional: undefined })).annotations, {});
  });

  it('leaves out what is no text of optional: some tools write a number there', () => {
    const optional = {
      creator: 'containers/image 5.30.0',
      timestamp: 1_700_000_000,
      a: null,
      b: ['c'],
      d: true,
    };
    assert.deepEqual(parse(text({}, { optional })).annotations, { creator: 'containers/image 5.30.0' });
  });

  const bad: readonly (readonly [string, string])[] = [
    ['another type', text({ type: 'atomic container signature' })],
    ['another case of the type', text({ type: 'Cosign container image signature' })],
    ['no type', text({ type: undefined })],
    ['no image', text({ image: undefined })],
    ['no digest', text({ image: {} })],
    ['a digest that is no text', text({ image: { 'docker-manifest-digest': [DIGEST] } })],
    [
      'a second digest',
      text({ image: { 'docker-manifest-digest': DIGEST, 'Docker-manifest-digest': DIGEST } }),
    ],
    ['an unknown critical member', text({ must: 'understand' })],
    ['a twin of critical', text({}, { Critical: critical() })],
    ['no critical', JSON.stringify({ optional: null })],
    ['optional of another type', text({}, { optional: 'x' })],
    ['optional as a list', text({}, { optional: [] })],
    ['a member twice', text().replace('"optional"', '"critical":{},"optional"')],
    ['a list', '[]'],
    ['null', 'null'],
    ['nothing', ''],
    ['something after it', `${text()}{}`],
    ['invalid UTF-8', '\u0000'],
    ['depth', `{"critical":${'['.repeat(65)}${']'.repeat(65)}}`],
  ];
  for (const [what, payload] of bad)
    it(`refuses a payload with ${what}`, () => {
      assert.throws(() => parse(payload), { reason: 'SignatureInvalid' });
      // also when the right key signed it
      assert.equal(outcome(signSimple(Buffer.from(payload), KEY)), 'SignatureInvalid');
    });

  it('refuses a payload over its cap before it is parsed', () => {
    const huge = Buffer.from(text({}, { optional: { x: 'y'.repeat(64 * 1024) } }));
    assert.throws(() => parsePayload(huge), { reason: 'SignatureInvalid', message: /exceeds 65536/ });
  });
});

describe('a keyless simple signing signature', () => {
  let sigstore: Sigstore;
  let good: SimpleSignature;
  const sign = (options: SimpleKeylessOptions = {}, payload = PAYLOAD): SimpleSignature =>
    signSimpleKeyless(sigstore, payload, ALICE, options);
  const authority = (more: object = {}): SigningAuthority =>
    keylessAuthority(sigstore.trustedRootJson(), { signatureFormats: FORMATS, ...more });
  const judged = (signature: SimpleSignature, now?: Date): string => outcome(signature, authority(), now);

  before(async () => {
    sigstore = await createSigstore({ rekor: 'v1' });
    good = sign();
  });

  it('counts with a signed entry timestamp, and says who, when and where', () => {
    const facts = verify(good, authority());
    assert.deepEqual(
      [facts.issuer, facts.subject, facts.format],
      [ALICE.issuer, ALICE.subject, 'CosignSimpleSigning'],
    );
    assert.deepEqual(facts.timeSources, ['transparency-log']);
    assert.deepEqual(
      facts.logs.map(({ origin }) => origin),
      [sigstore.log.baseUrl],
    );
    assert.ok(facts.signedAt instanceof Date);
    assert.deepEqual(facts.annotations, { team: 'red' });
  });

  it('counts with a timestamp instead, where the root asks for no log entry', () => {
    const stamped = sign({ omitLogEntry: true, omitTimestamp: false });
    const requirements = { logEntries: 0, timestamps: 1, certificateTimestamps: 1 };
    assert.deepEqual(verify(stamped, authority({ requirements })).timeSources, ['tsa']);
    assert.equal(judged(stamped), 'TransparencyLogInvalid');
  });

  it('counts with both', () => {
    assert.deepEqual(verify(sign({ omitTimestamp: false }), authority()).timeSources, [
      'tsa',
      'transparency-log',
    ]);
  });

  it('does not count for a key, nor for another identity', () => {
    assert.equal(outcome(good, BY_KEY), 'SignerNotTrusted');
    const other = exactIdentity({ issuer: ALICE.issuer, subject: 'mallory@models.test' });
    assert.equal(outcome(good, authority({ identities: [other] })), 'IdentityMismatch');
  });

  it('does not count by a bare key where identities are named', () => {
    assert.equal(judged(without(good, NAMES.certificate)), 'SignerNotTrusted');
  });

  it('does not count for another digest, an edited payload, or with parts of another signature', () => {
    assert.equal(judged(sign({}, simpleSigningPayload(OTHER_DIGEST))), 'SubjectMismatch');
    const edited = { ...good, payload: simpleSigningPayload(DIGEST, { optional: { team: 'blue' } }) };
    assert.equal(judged(edited), 'TransparencyLogInvalid');
    const other = sign();
    for (const name of [NAMES.signature, NAMES.certificate, NAMES.bundle])
      assert.equal(
        judged(annotated(good, { [name]: other.annotations[name] ?? '' })),
        'TransparencyLogInvalid',
        name,
      );
  });

  it('does not count with an edited payload or swapped signature where no log is asked for either', () => {
    const requirements = { logEntries: 0, timestamps: 1, certificateTimestamps: 1 };
    const stamped = sign({ omitLogEntry: true, omitTimestamp: false });
    const payload = simpleSigningPayload(DIGEST, { optional: { team: 'blue' } });
    assert.equal(outcome({ ...stamped, payload }, authority({ requirements })), 'SignatureInvalid');
    const other = sign({ omitLogEntry: true, omitTimestamp: false });
    for (const name of [NAMES.signature, NAMES.certificate, NAMES.timestamp])
      assert.notEqual(
        outcome(annotated(stamped, { [name]: other.annotations[name] ?? '' }), authority({ requirements })),
        'accepted',
        name,
      );
  });

  it('does not count when the certificate is for another key', () => {
    assert.equal(judged(sign({ signWithOtherKey: true })), 'SignatureInvalid');
  });

  it('does not count without log entry, without any time, or without certificate timestamp', () => {
    assert.equal(judged(sign({ omitLogEntry: true })), 'TransparencyLogInvalid');
    const requirements = { logEntries: 0, timestamps: 1, certificateTimestamps: 1 };
    assert.equal(outcome(sign({ omitLogEntry: true }), authority({ requirements })), 'TimestampInvalid');
    assert.equal(judged(sign({ certificate: { omitSct: true } })), 'CertificateInvalid');
  });

  it('does not count when the entry was made outside the certificate’s validity', () => {
    const at = new Date();
    const certificate = {
      notBefore: new Date(at.getTime() - 7_200_000),
      notAfter: new Date(at.getTime() - 3_600_000),
    };
    assert.notEqual(judged(sign({ certificate })), 'accepted');
    assert.equal(judged(good, new Date(Date.now() - 3_600_000)), 'TimestampInvalid');
  });

  it('does not count with an entry about other bytes, by the same key', () => {
    assert.equal(judged(sign({ logMessage: Buffer.from('other') })), 'TransparencyLogInvalid');
  });

  it('does not count with an entry that names another signer', () => {
    const logVerifier = { publicKey: KEY.publicKey };
    assert.equal(judged(sign({ logVerifier })), 'TransparencyLogInvalid');
  });

  const append = (body: LogBody): string => rekorBundle(sigstore.log.append(body, new Date()));

  it('does not count with entries of kinds that are not about messages', () => {
    const verifier = { publicKey: KEY.publicKey };
    const envelope = dsseEnvelope(
      PAYLOAD,
      'x',
      Buffer.from(good.annotations[NAMES.signature] ?? '', 'base64'),
    );
    const intoto = { apiVersion: '0.0.1', kind: 'intoto', spec: {} };
    const bodies = [
      dsseBodyV1(envelope, verifier),
      { kind: 'intoto', version: '0.0.1', body: Buffer.from(JSON.stringify(intoto)) },
      { kind: 'x', version: '', body: Buffer.from('{}') },
    ];
    for (const body of bodies)
      assert.equal(judged(annotated(good, { [NAMES.bundle]: append(body) })), 'UnsupportedFormat');
  });

  it('leaves out an entry of a log that the root does not know', async () => {
    const elsewhere = await createSigstore({ rekor: 'v1' });
    const certificate = Buffer.from(
      (good.annotations[NAMES.certificate] ?? '').replaceAll(/-----[A-Z ]+-----|\n/g, ''),
      'base64',
    );
    const signature = Buffer.from(good.annotations[NAMES.signature] ?? '', 'base64');
    const entry = elsewhere.log.append(hashedRekordBodyV1(PAYLOAD, signature, { certificate }), new Date());
    assert.equal(judged(annotated(good, { [NAMES.bundle]: rekorBundle(entry) })), 'TransparencyLogInvalid');
  });

  describe('whose log bundle', () => {
    const bundle = (): { SignedEntryTimestamp: string; Payload: Record<string, unknown> } =>
      JSON.parse(good.annotations[NAMES.bundle] ?? '') as {
        SignedEntryTimestamp: string;
        Payload: Record<string, unknown>;
      };
    const withBundle = (value: unknown): string =>
      judged(annotated(good, { [NAMES.bundle]: typeof value === 'string' ? value : JSON.stringify(value) }));
    const withPayload = (changes: object): string =>
      withBundle({ ...bundle(), Payload: { ...bundle().Payload, ...changes } });

    it('is not signed as it stands does not count', () => {
      const { integratedTime, logIndex } = bundle().Payload as { integratedTime: number; logIndex: number };
      for (const changes of [
        { integratedTime: integratedTime + 1 },
        { logIndex: logIndex + 1 },
        { logIndex: 0 },
        { body: Buffer.from('{"kind":"hashedrekord","apiVersion":"0.0.1"}').toString('base64') },
        { logID: '00'.repeat(32) },
      ])
        assert.equal(withPayload(changes), 'TransparencyLogInvalid', JSON.stringify(changes));
      // Without a time in it nothing says when it was signed.
      assert.notEqual(withPayload({ integratedTime: 0 }), 'accepted');
      const promise = Buffer.from(bundle().SignedEntryTimestamp, 'base64');
      promise[promise.length - 1] = (promise.at(-1) ?? 0) ^ 1;
      assert.equal(
        withBundle({ ...bundle(), SignedEntryTimestamp: promise.toString('base64') }),
        'TransparencyLogInvalid',
      );
    });

    it('is malformed does not count', () => {
      for (const value of ['', '{', 'null', '[]', '{}', '{"a":1,"a":2}', { ...bundle(), Payload: null }])
        assert.equal(withBundle(value), 'TransparencyLogInvalid');
      for (const changes of [
        { body: undefined },
        { body: 'e30' },
        { body: Buffer.from('[]').toString('base64') },
        { integratedTime: '1' },
        { integratedTime: -1 },
        { integratedTime: 1.5 },
        { integratedTime: 1e300 },
        { logIndex: null },
        { logID: 'AB'.repeat(32) },
        { logID: 'abc' },
      ])
        assert.equal(withPayload(changes), 'TransparencyLogInvalid', JSON.stringify(changes));
      assert.equal(withBundle({ Payload: bundle().Payload }), 'TransparencyLogInvalid');
    });
  });

  describe('whose certificate annotation', () => {
    const withCertificate = (text: string): string => judged(annotated(good, { [NAMES.certificate]: text }));
    const pem = (): string => good.annotations[NAMES.certificate] ?? '';
    const key = KEY.publicKeyPem;

    it('holds a bare key does not count: it would vouch for itself', () => {
      assert.equal(withCertificate(key), 'CertificateInvalid');
      // the attacker's own payload, signature and key, with somebody's certificate around it
      const own = signSimple(PAYLOAD, KEY);
      for (const text of [key, pem() + key, key + pem()])
        assert.equal(
          judged(annotated(good, { ...own.annotations, [NAMES.certificate]: text })),
          'CertificateInvalid',
        );
    });

    it('holds anything but one certificate does not count', () => {
      for (const text of [
        pem() + pem(),
        `x${pem()}`,
        `${pem()}x`,
        pem().replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE'),
        pem().replace('-----END CERTIFICATE-----', ''),
        '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
        '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
        ' ',
      ])
        assert.equal(withCertificate(text), 'CertificateInvalid', JSON.stringify(text.slice(0, 60)));
    });

    it('is somebody else’s does not count', () => {
      assert.equal(withCertificate(sign().annotations[NAMES.certificate] ?? ''), 'TransparencyLogInvalid');
    });
  });

  it('does not count when any character of what was signed or logged is another', () => {
    for (const name of [NAMES.signature, NAMES.certificate, NAMES.bundle]) {
      const text = good.annotations[name] ?? '';
      for (let index = 0; index < text.length; index += 13) {
        const other = text[index] === 'B' ? 'C' : 'B';
        const changed = text.slice(0, index) + other + text.slice(index + 1);
        assert.notEqual(judged(annotated(good, { [name]: changed })), 'accepted', `${name} at ${index}`);
      }
    }
    for (let index = 0; index < PAYLOAD.length; index += 1) {
      const payload = Buffer.from(PAYLOAD);
      payload[index] = (payload[index] ?? 0) ^ 1;
      assert.notEqual(judged({ ...good, payload }), 'accepted', `payload at ${index}`);
    }
  });

  it('trusts no chain that it brings along, and needs none', async () => {
    assert.equal(judged(without(good, NAMES.chain)), 'accepted');
    const evil = await createSigstore({ rekor: 'v1' });
    const forged = signSimpleKeyless({ ...sigstore, authority: evil.authority }, PAYLOAD, ALICE);
    assert.equal(judged(forged), 'CertificateInvalid');
  });

  it('refuses chains that are none or too long', () => {
    const pem = good.annotations[NAMES.chain] ?? '';
    for (const chain of ['x', `${pem}x`, KEY.publicKeyPem, pem.repeat(6)])
      assert.equal(judged(annotated(good, { [NAMES.chain]: chain })), 'CertificateInvalid');
  });

  it('refuses timestamps that are none', () => {
    for (const text of [
      'x',
      'null',
      '{}',
      '{"SignedRFC3161Timestamp":""}',
      '{"SignedRFC3161Timestamp":"AAAA"}',
    ])
      assert.equal(judged(annotated(good, { [NAMES.timestamp]: text })), 'TimestampInvalid', text);
    const other = timestampAnnotation(sigstore, Buffer.from('other'), new Date());
    assert.equal(judged(annotated(good, { [NAMES.timestamp]: other })), 'TimestampInvalid');
  });
});
