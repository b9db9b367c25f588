// Does keyless evidence count only when every part of it holds? Each case departs from a good bundle in one thing.
import assert from 'node:assert/strict';
import { assembleBundle } from '../../src/demo/bundle-assembly.ts';
import { encodeCertificate, KEY_PURPOSE } from '../../src/demo/certificate.ts';
import { certificateFields } from '../../src/demo/certificate-authority.ts';
import * as der from '../../src/demo/der.ts';
import { identityExtensions } from '../../src/demo/identity-certificate.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import type { Sigstore } from '../../src/demo/sigstore.ts';
import { createTimestampAuthority } from '../../src/demo/timestamp-authority.ts';
import type { LogEntry } from '../../src/demo/transparency-log.ts';
import { createWitness } from '../../src/demo/witness.ts';
import { encodeTrustedRoot, type TrustedServices } from '../../src/demo/trusted-root.ts';
import type { KeylessAuthority } from '../../src/signature/authority.ts';
import { SignatureError } from '../../src/signature/error.ts';
import { createExactMatcher } from '../../src/signature/identity.ts';
import { MAX_CLOCK_SKEW_MS } from '../../src/signature/keyless.ts';
import { verifyLogBodySigner } from '../../src/signature/log-body.ts';
import {
  ALICE,
  change,
  cosign,
  createWorld,
  DIGEST,
  exactIdentity,
  keylessAuthority,
  logElsewhere,
  ONE_OF_EACH,
  outcome,
  recheck,
  STATEMENT,
  toWitnessKey,
  valueAt,
  verify,
  type Json,
  type Path,
  type World,
} from './support.ts';

const ENTRIES: Path = ['verificationMaterial', 'tlogEntries'];
const STAMPS: Path = ['verificationMaterial', 'timestampVerificationData', 'rfc3161Timestamps'];
const SIGNATURE: Path = ['dsseEnvelope', 'signatures', 0, 'sig'];
const MINUTE_MS = 60_000;

function servicesOf(sigstore: Sigstore): TrustedServices {
  return {
    certificateAuthorities: [sigstore.authority.chain],
    ctLogs: [sigstore.ctLog],
    logs: [sigstore.log],
    timestampAuthorities: [sigstore.timestampAuthority],
  };
}

const entryOf = (bundle: object): LogEntry => valueAt(bundle, [...ENTRIES, 0]) as unknown as LogEntry;
const signatureOf = (bundle: object): Buffer => Buffer.from(valueAt(bundle, SIGNATURE) as string, 'base64');
const toStamp = (bytes: Buffer): Json => ({ signedTimestamp: bytes.toString('base64') });
const certificateOf = (bundle: object): Buffer =>
  Buffer.from(valueAt(bundle, ['verificationMaterial', 'certificate', 'rawBytes']) as string, 'base64');

describe('verifySignature() keyless', () => {
  for (const rekor of ['v1', 'v2'] as const)
    describe(`with Rekor ${rekor}`, () => {
      let world: World;
      let authority: KeylessAuthority;

      before(async () => {
        world = await createWorld(rekor);
        authority = world.authority;
      });

      it('accepts a good bundle and reports what was proven', async () => {
        const at = new Date(Date.now() - MINUTE_MS);
        const facts = verify(await world.sign({ at }), authority);
        assert.equal(facts.issuer, ALICE.issuer);
        assert.equal(facts.subject, ALICE.subject);
        assert.equal(facts.signedAt?.getTime(), Math.floor(at.getTime() / 1000) * 1000);
        assert.deepEqual(facts.timeSources, [rekor === 'v1' ? 'transparency-log' : 'tsa']);
        assert.deepEqual(
          facts.logs.map(({ origin }) => origin),
          ['https://rekor.models.test'],
        );
        assert.match(facts.logs[0]?.index ?? '', /^\d+$/);
      });

      const faults: Readonly<Record<string, [Parameters<World['sign']>[0], string]>> = {
        'without SCT': [{ certificate: { omitSct: true } }, 'CertificateInvalid'],
        'without log entry': [{ omitLogEntry: true, omitTimestamp: false }, 'TransparencyLogInvalid'],
        'signed by another key': [{ signWithOtherKey: true }, 'SignatureInvalid'],
        'whose entry is about another statement': [{ logBodyFor: { other: true } }, 'TransparencyLogInvalid'],
        'with a TLS certificate (H4)': [
          { certificate: { extendedKeyUsage: [KEY_PURPOSE.serverAuth] } },
          'CertificateInvalid',
        ],
        'with a certificate without purpose': [
          { certificate: { extendedKeyUsage: [] } },
          'CertificateInvalid',
        ],
        'with a CA certificate': [
          {
            certificate: {
              extensions: [
                der.sequence(
                  der.objectIdentifier('2.5.29.19'),
                  der.octetString(der.sequence(der.boolean(true))),
                ),
              ],
            },
          },
          'CertificateInvalid',
        ],
        'signed long after the certificate ended': [
          {
            certificate: {
              notBefore: new Date(Date.now() - 120 * MINUTE_MS),
              notAfter: new Date(Date.now() - 60 * MINUTE_MS),
            },
          },
          'CertificateInvalid',
        ],
        'signed before the certificate began': [
          {
            certificate: {
              notBefore: new Date(Date.now() + 60 * MINUTE_MS),
              notAfter: new Date(Date.now() + 70 * MINUTE_MS),
            },
          },
          'CertificateInvalid',
        ],
        'from the future': [
          { at: new Date(Date.now() + MAX_CLOCK_SKEW_MS + 60 * MINUTE_MS) },
          'TimestampInvalid',
        ],
      };
      for (const [what, [options, reason]] of Object.entries(faults))
        it(`refuses a bundle ${what}`, async () => {
          assert.equal(outcome(await world.sign(options), authority), reason);
        });

      it('takes a time within the clock skew', async () => {
        assert.equal(
          outcome(await world.sign({ at: new Date(Date.now() + MAX_CLOCK_SKEW_MS - MINUTE_MS) }), authority),
          'accepted',
        );
      });

      it('refuses an entry that names another certificate (H1)', async () => {
        const stranger = certificateOf(await world.sign());
        assert.equal(
          outcome(await world.sign({ logVerifier: { certificate: stranger } }), authority),
          'TransparencyLogInvalid',
        );
      });

      it('refuses an entry that names the bare key (H1)', async () => {
        const { publicKey } = generateSigningKey('p256');
        assert.equal(
          outcome(await world.sign({ logVerifier: { publicKey } }), authority),
          'TransparencyLogInvalid',
        );
      });

      it('refuses a promise without inclusion proof, which is version 0.1', async () => {
        const bundle = change(await world.sign(), [...ENTRIES, 0, 'inclusionProof'], undefined);
        assert.equal(outcome(bundle, authority), 'TransparencyLogInvalid');
      });

      it('refuses what another deployment made', async () => {
        const other = await createWorld(rekor);
        assert.notEqual(outcome(await other.sign(), authority), 'accepted');
        const mixed = encodeTrustedRoot({
          ...servicesOf(world.sigstore),
          certificateAuthorities: [other.sigstore.authority.chain],
        });
        assert.equal(outcome(await world.sign(), keylessAuthority(mixed)), 'CertificateInvalid');
        const otherCt = encodeTrustedRoot({ ...servicesOf(world.sigstore), ctLogs: [other.sigstore.ctLog] });
        assert.equal(outcome(await world.sign(), keylessAuthority(otherCt)), 'CertificateInvalid');
      });

      it('drops entries and timestamps of strangers without counting them', async () => {
        const other = await createWorld(rekor);
        const bundle = await world.sign({ omitTimestamp: false });
        const foreign = { ...entryOf(await other.sign()) } as unknown as Json;
        const stamps = [
          ...(valueAt(bundle, STAMPS) as Json[]),
          toStamp(other.sigstore.timestampAuthority.timestamp(signatureOf(bundle), new Date())),
        ];
        const more = change(change(bundle, ENTRIES, [foreign, entryOf(bundle)]), STAMPS, stamps);
        const facts = verify(more, authority);
        assert.equal(facts.logs.length, 1);
        assert.equal(outcome(change(bundle, ENTRIES, [foreign]), authority), 'TransparencyLogInvalid');
        const two = { ...authority, requirements: { ...ONE_OF_EACH, logEntries: 2 } };
        assert.equal(outcome(more, two), 'TransparencyLogInvalid');
      });

      it('refuses a certificate that only one of the readers can read, as a signature error', async () => {
        for (const value of [
          der.element(0x30, Buffer.from([0x1f, 0x1f])),
          Buffer.from('30800201010000', 'hex'),
          Array.from({ length: 150 }).reduce<Buffer>((inner) => der.sequence(inner), der.nullValue()),
        ]) {
          const key = generateSigningKey('p256');
          const fields = certificateFields(world.sigstore.authority, {
            publicKey: key.publicKey,
            extensions: identityExtensions(ALICE),
          });
          const subject = der.sequence(der.setOf(der.sequence(der.objectIdentifier('2.5.4.3'), value)));
          const certificate = encodeCertificate({ ...fields, subject }, key.privateKey);
          const material = { certificate: { rawBytes: certificate.toString('base64') } };
          const signing = { statement: STATEMENT, key, verifier: { certificate }, material };
          const bundle = assembleBundle(world.sigstore, signing, { at: new Date(), omitTimestamp: false });
          assert.equal(outcome(bundle, authority), 'CertificateInvalid');
        }
      });

      it('refuses a self-signed copy of a CA’s name', async () => {
        const key = generateSigningKey('p256');
        const fields = certificateFields(world.sigstore.authority, {
          publicKey: key.publicKey,
          extensions: identityExtensions(ALICE),
        });
        const certificate = encodeCertificate(fields, key.privateKey);
        const material = { certificate: { rawBytes: certificate.toString('base64') } };
        const signing = { statement: STATEMENT, key, verifier: { certificate }, material };
        const bundle = assembleBundle(world.sigstore, signing, { at: new Date(), omitTimestamp: false });
        assert.equal(outcome(bundle, authority), 'CertificateInvalid');
      });

      it('refuses other identities', async () => {
        const bundle = await world.sign();
        for (const subject of [
          'alice@models.tes',
          'lice@models.test',
          'alice@models.test.evil',
          'bob@models.test',
          'alice@modelsXtest',
        ])
          assert.equal(
            outcome(bundle, { ...authority, identities: [exactIdentity({ ...ALICE, subject })] }),
            'IdentityMismatch',
          );
        assert.equal(
          outcome(bundle, {
            ...authority,
            identities: [exactIdentity({ ...ALICE, issuer: `${ALICE.issuer}/` })],
          }),
          'IdentityMismatch',
        );
        assert.equal(outcome(bundle, { ...authority, identities: [] }), 'IdentityMismatch');
        const bob = exactIdentity({ ...ALICE, subject: 'bob@models.test' });
        assert.equal(outcome(bundle, { ...authority, identities: [bob, exactIdentity()] }), 'accepted');
      });

      it('does not join the issuer of one identity with the subject of another', async () => {
        const identities = [
          exactIdentity({ issuer: 'https://other.test', subject: ALICE.subject }),
          exactIdentity({ issuer: ALICE.issuer, subject: 'bob@models.test' }),
        ];
        assert.equal(outcome(await world.sign(), { ...authority, identities }), 'IdentityMismatch');
      });

      it('wants the claims on the same certificate', async () => {
        const identity = { ...ALICE, claims: { sourceRepositoryOwner: 'https://git.test/acme' } };
        const bundle = await world.sigstore.signKeyless(STATEMENT, identity);
        const wants = (name: string, value: string): KeylessAuthority => ({
          ...authority,
          identities: [{ ...exactIdentity(), claims: new Map([[name, createExactMatcher(value)]]) }],
        });
        assert.equal(outcome(bundle, wants('sourceRepositoryOwner', 'https://git.test/acme')), 'accepted');
        assert.equal(outcome(bundle, wants('sourceRepositoryOwnerURI', 'https://git.test/acme')), 'accepted');
        assert.equal(
          outcome(bundle, wants('sourceRepositoryOwner', 'https://git.test/acm')),
          'IdentityMismatch',
        );
        assert.equal(
          outcome(await world.sign(), wants('sourceRepositoryOwner', 'https://git.test/acme')),
          'IdentityMismatch',
        );
      });

      it('refuses a statement about another model', async () => {
        assert.equal(
          outcome(await world.sign(), authority, { digest: `sha256:${'00'.repeat(32)}` }),
          'SubjectMismatch',
        );
      });
    });

  describe('about thresholds (H2)', () => {
    let world: World;

    before(async () => {
      world = await createWorld('v2');
    });

    it('does not count two timestamps of one authority twice', async () => {
      const bundle = await world.sign();
      const at = [new Date(), new Date(Date.now() + 2000)];
      const stamps = at.map((time) =>
        toStamp(world.sigstore.timestampAuthority.timestamp(signatureOf(bundle), time)),
      );
      const twice = change(bundle, STAMPS, stamps);
      assert.equal(outcome(twice, world.authority), 'accepted');
      const two = { ...world.authority, requirements: { ...ONE_OF_EACH, timestamps: 2 } };
      assert.equal(outcome(twice, two), 'TimestampInvalid');
      assert.equal(outcome(change(bundle, STAMPS, [stamps[0], stamps[0]]), two), 'TimestampInvalid');
    });

    it('counts two authorities, and of one operator once', async () => {
      const second = createTimestampAuthority('https://tsa2.models.test', 'tsa2');
      const services = servicesOf(world.sigstore);
      const json = encodeTrustedRoot({
        ...services,
        timestampAuthorities: [...services.timestampAuthorities, second],
      });
      const bundle = await world.sign();
      const both = change(bundle, STAMPS, [
        ...(valueAt(bundle, STAMPS) as Json[]),
        toStamp(second.timestamp(signatureOf(bundle), new Date())),
      ]);
      const requirements = { ...ONE_OF_EACH, timestamps: 2 };
      // Nobody says that the two are not one party.
      assert.equal(outcome(both, keylessAuthority(json, { requirements })), 'TimestampInvalid');
      const operated = (a: string, b: string): string =>
        JSON.stringify(
          change(
            change(JSON.parse(json) as object, ['timestampAuthorities', 0, 'operator'], a),
            ['timestampAuthorities', 1, 'operator'],
            b,
          ),
        );
      assert.equal(
        outcome(both, keylessAuthority(operated('a.test', 'a.test'), { requirements })),
        'TimestampInvalid',
      );
      assert.equal(
        outcome(both, keylessAuthority(operated('a.test', 'b.test'), { requirements })),
        'accepted',
      );
    });

    it('does not count two entries of one log twice', async () => {
      const bundle = await world.sign();
      const again = world.sigstore.log.append(
        {
          kind: 'hashedrekord',
          version: '0.0.2',
          body: Buffer.from(entryOf(bundle).canonicalizedBody, 'base64'),
        },
        new Date(),
      );
      const two = { ...world.authority, requirements: { ...ONE_OF_EACH, logEntries: 2 } };
      assert.equal(outcome(change(bundle, ENTRIES, [entryOf(bundle), again]), two), 'TransparencyLogInvalid');
      const spaced = Buffer.from(`${Buffer.from(entryOf(bundle).canonicalizedBody, 'base64').toString()} `);
      const other = world.sigstore.log.append(
        { kind: 'hashedrekord', version: '0.0.2', body: spaced },
        new Date(),
      );
      const pair = change(bundle, ENTRIES, [entryOf(bundle), other]);
      assert.equal(outcome(pair, world.authority), 'accepted');
      assert.equal(outcome(pair, two), 'TransparencyLogInvalid');
    });

    it('counts two logs, and of one operator once', async () => {
      const bundle = await world.sign();
      const { log, entry } = logElsewhere(entryOf(bundle), 'https://rekor2.models.test');
      const services = servicesOf(world.sigstore);
      const json = encodeTrustedRoot({ ...services, logs: [...services.logs, log] });
      const both = change(bundle, ENTRIES, [entryOf(bundle), entry]);
      const requirements = { ...ONE_OF_EACH, logEntries: 2 };
      const operated = (second: string): string =>
        JSON.stringify(
          change(
            change(JSON.parse(json) as object, ['tlogs', 0, 'operator'], 'a'),
            ['tlogs', 1, 'operator'],
            second,
          ),
        );
      assert.equal(verify(both, keylessAuthority(operated('b'), { requirements })).logs.length, 2);
      assert.equal(
        outcome(both, keylessAuthority(operated('a'), { requirements })),
        'TransparencyLogInvalid',
      );
      assert.equal(outcome(both, keylessAuthority(json, { requirements })), 'TransparencyLogInvalid');
    });

    it('counts only entries that enough witnesses cosigned, where the root asks for them', async () => {
      const [one, two] = [createWitness('one.test'), createWitness('two.test')];
      const witnesses = [one, two].map(toWitnessKey);
      const needing = (count: number): KeylessAuthority => ({
        ...world.authority,
        witnesses,
        requirements: { ...ONE_OF_EACH, witnesses: count },
      });
      const bundle = await world.sign();
      assert.equal(outcome(bundle, needing(0)), 'accepted');
      assert.equal(outcome(bundle, needing(1)), 'TransparencyLogInvalid');
      assert.equal(outcome(cosign(bundle, one), needing(2)), 'TransparencyLogInvalid');
      const facts = verify(cosign(bundle, one, two), needing(2));
      assert.deepEqual(facts.logs[0]?.witnesses, ['one.test', 'two.test']);
      assert.equal(facts.secondOpinion, 'agrees');
      const wrong = createWitness('one.test', createWitness('x').key);
      const keyId = Buffer.from(one.verifierKey.split('+')[1] ?? '', 'hex');
      const forged = recheck(bundle, (note) => wrong.cosign(note, new Date(), { keyId }));
      assert.equal(outcome(forged, needing(0)), 'TransparencyLogInvalid');
    });

    it('is refused by a root without certificate authorities, whatever else it knows', async () => {
      const json = encodeTrustedRoot({ ...servicesOf(world.sigstore), certificateAuthorities: [] });
      assert.equal(outcome(await world.sign(), keylessAuthority(json)), 'TrustRootUnavailable');
    });

    it('counts a promise and a timestamp of one operator once', async () => {
      const v1 = await createWorld('v1');
      const bundle = await v1.sign({ omitTimestamp: false });
      const requirements = { ...ONE_OF_EACH, timestamps: 2 };
      const json = v1.sigstore.trustedRootJson();
      assert.equal(outcome(bundle, keylessAuthority(json, { requirements })), 'TimestampInvalid');
      const operated = JSON.stringify(
        change(
          change(JSON.parse(json) as object, ['tlogs', 0, 'operator'], 'a'),
          ['timestampAuthorities', 0, 'operator'],
          'a',
        ),
      );
      assert.equal(outcome(bundle, keylessAuthority(operated, { requirements })), 'TimestampInvalid');
    });

    it('needs no log entry and no SCT where the root requires none, and always a time', async () => {
      const bundle = await world.sign({ omitLogEntry: true, certificate: { omitSct: true } });
      const requirements = { logEntries: 0, timestamps: 1, certificateTimestamps: 0 };
      const facts = verify(bundle, { ...world.authority, requirements });
      assert.deepEqual(facts.logs, []);
      const timeless = await world.sign({ omitTimestamp: true });
      assert.equal(outcome(timeless, { ...world.authority, requirements }), 'TimestampInvalid');
      assert.notEqual(
        outcome(timeless, { ...world.authority, requirements: { ...requirements, timestamps: 0 } }),
        'accepted',
      );
    });
  });

  describe('about times', () => {
    it('takes no integrated time without a promise (GHSA-xgjw-pm74-86q4)', async () => {
      const { authority, sign } = await createWorld('v1');
      const bundle = await sign();
      assert.equal(
        outcome(change(bundle, [...ENTRIES, 0, 'inclusionPromise'], undefined), authority),
        'TimestampInvalid',
      );
      const forged = change(await sign({ omitTimestamp: false }), [...ENTRIES, 0, 'integratedTime'], '1');
      assert.notEqual(outcome(forged, authority), 'accepted');
    });

    it('gives a forged integrated time of a v2 entry no meaning', async () => {
      const { authority, sign } = await createWorld('v2');
      const bundle = await sign();
      const forged = change(bundle, [...ENTRIES, 0, 'integratedTime'], '1');
      assert.deepEqual(verify(forged, authority), verify(bundle, authority));
    });

    it('honours the window of a log key for entries that only have a proof (H10)', async () => {
      const { authority, sigstore, sign } = await createWorld('v2');
      const bundle = await sign();
      const windows: [string, string | undefined, string][] = [
        ['2020-01-01T00:00:00Z', '2020-06-01T00:00:00Z', 'TransparencyLogInvalid'],
        ['2090-01-01T00:00:00Z', undefined, 'TransparencyLogInvalid'],
        ['2020-01-01T00:00:00Z', '2090-01-01T00:00:00Z', 'accepted'],
      ];
      for (const [start, end, expected] of windows) {
        const json = change(
          JSON.parse(sigstore.trustedRootJson()) as object,
          ['tlogs', 0, 'publicKey', 'validFor'],
          { start, end },
        );
        assert.equal(
          outcome(bundle, keylessAuthority(JSON.stringify(json), { requirements: authority.requirements })),
          expected,
        );
      }
    });

    for (const [what, path] of [
      ['CA', ['certificateAuthorities', 0, 'validFor']],
      ['CT log', ['ctlogs', 0, 'publicKey', 'validFor']],
      ['timestamp authority', ['timestampAuthorities', 0, 'validFor']],
    ] as const)
      it(`honours the window of a ${what}`, async () => {
        const { sigstore, sign } = await createWorld('v2');
        const json = change(JSON.parse(sigstore.trustedRootJson()) as object, path, {
          start: '2020-01-01T00:00:00Z',
          end: '2020-06-01T00:00:00Z',
        });
        assert.notEqual(outcome(await sign(), keylessAuthority(JSON.stringify(json))), 'accepted');
      });

    it('wants every time inside the certificate, not only one', async () => {
      const { authority, sigstore, sign } = await createWorld('v2');
      const bundle = await sign();
      const late = toStamp(
        sigstore.timestampAuthority.timestamp(signatureOf(bundle), new Date(Date.now() + 4 * MINUTE_MS)),
      );
      const stamps = valueAt(bundle, STAMPS) as Json[];
      assert.equal(outcome(change(bundle, STAMPS, [...stamps, late]), authority), 'accepted');
      const beyond = toStamp(
        sigstore.timestampAuthority.timestamp(signatureOf(bundle), new Date(Date.now() - 60 * MINUTE_MS)),
      );
      assert.notEqual(outcome(change(bundle, STAMPS, [...stamps, beyond]), authority), 'accepted');
    });

    it('refuses a timestamp over another signature', async () => {
      const { authority, sign } = await createWorld('v2');
      const bundle = change(await sign(), STAMPS, valueAt(await sign(), STAMPS));
      assert.equal(outcome(bundle, authority), 'TimestampInvalid');
    });

    it('refuses a forgery in the name of a known timestamp authority', async () => {
      const { authority, sigstore, sign } = await createWorld('v2');
      const bundle = await sign();
      const genuine = sigstore.timestampAuthority.timestamp(signatureOf(bundle), new Date());
      const forged = Buffer.from(genuine);
      forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
      assert.equal(outcome(change(bundle, STAMPS, [toStamp(forged)]), authority), 'TimestampInvalid');
    });
  });

  it('costs little for hostile evidence', async () => {
    const { authority, sign } = await createWorld('v2');
    const bundle = await sign();
    const flat = der.sequence(Buffer.alloc(60_000, Buffer.from([5, 0])));
    for (const stamps of [
      [toStamp(flat)],
      [toStamp(der.sequence(der.octetString(flat)))],
      Array<Json>(64).fill((valueAt(bundle, STAMPS) as Json[])[0] ?? null),
    ])
      assert.notEqual(outcome(change(bundle, STAMPS, stamps), authority), 'accepted');
    assert.notEqual(
      outcome(change(bundle, ENTRIES, Array<LogEntry>(32).fill(entryOf(bundle))), authority),
      'accepted',
    );
  });
});

describe('verifyLogBodySigner', () => {
  const certificate = Buffer.from('none');
  const entry = (
    kind: string,
    version: string,
    spec: unknown,
  ): Parameters<typeof verifyLogBodySigner>[0] => ({
    logIndex: '0',
    logId: Buffer.alloc(32),
    kind,
    version,
    integratedTime: '0',
    signedEntryTimestamp: undefined,
    proof: undefined,
    body: Buffer.isBuffer(spec) ? spec : Buffer.from(JSON.stringify({ kind, apiVersion: version, spec })),
  });

  for (const [kind, version] of [
    ['hashedrekord', '9.9.9'],
    ['hashedrekord', '0.0.3'],
    ['intoto', '0.0.1'],
    ['constructor', ''],
    ['__proto__', 'x'],
    ['rekord', '0.0.1'],
  ] as const)
    it(`names ${kind} ${version} unsupported`, () => {
      assert.throws(() => verifyLogBodySigner(entry(kind, version, {}), certificate), {
        reason: 'UnsupportedFormat',
      });
    });

  for (const spec of [
    null,
    {},
    [],
    'x',
    { signatures: [] },
    { signatures: [{}, {}] },
    { dsseV002: { signatures: null } },
    Buffer.from('{'),
    Buffer.from('{"spec":{},"spec":{}}'),
  ])
    it(`refuses the body ${Buffer.isBuffer(spec) ? spec.toString() : JSON.stringify(spec)}`, () => {
      for (const [kind, version] of [
        ['dsse', '0.0.1'],
        ['dsse', '0.0.2'],
        ['hashedrekord', '0.0.1'],
        ['hashedrekord', '0.0.2'],
      ] as const)
        assert.throws(() => verifyLogBodySigner(entry(kind, version, spec), certificate), SignatureError);
    });

  it('refuses entries that call their hash by another name than SHA-256 (H1)', async () => {
    const { sign } = await createWorld('v1');
    const bundle = await sign();
    const logged = entryOf(bundle);
    const body = Buffer.from(logged.canonicalizedBody, 'base64').toString();
    const read = (text: string): void =>
      verifyLogBodySigner(entry('dsse', '0.0.1', Buffer.from(text)), certificateOf(bundle));
    read(body);
    const relabelled = body.replace(
      /"payloadHash":\{"algorithm":"sha256"/,
      '"payloadHash":{"algorithm":"sha1"',
    );
    assert.notEqual(relabelled, body);
    assert.throws(() => read(relabelled), { reason: 'TransparencyLogInvalid' });
  });

  it('refuses a v2 entry that calls its hash SHA-512 (H1)', async () => {
    const { sign } = await createWorld('v2');
    const bundle = await sign();
    const body = Buffer.from(entryOf(bundle).canonicalizedBody, 'base64').toString();
    const read = (text: string): void =>
      verifyLogBodySigner(entry('hashedrekord', '0.0.2', Buffer.from(text)), certificateOf(bundle));
    read(body);
    assert.throws(() => read(body.replace('SHA2_256', 'SHA2_512')), { reason: 'TransparencyLogInvalid' });
  });

  it('reads dsse 0.0.2 entries', async () => {
    const { authority, sign } = await createWorld('v2');
    assert.equal(outcome(await sign({ logKind: 'dsse' }), authority, { digest: DIGEST }), 'accepted');
    const stranger = certificateOf(await sign());
    assert.equal(
      outcome(await sign({ logKind: 'dsse', logVerifier: { certificate: stranger } }), authority),
      'TransparencyLogInvalid',
    );
  });
});
