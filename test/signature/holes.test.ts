// Are the known holes of @sigstore/verify closed? Each case first shows what the library alone says about the bundle,
// then what the core says; both verifiers get the same bytes and the same trusted root.
import assert from 'node:assert/strict';
import { basicConstraints, extension, KEY_PURPOSE } from '../../src/demo/certificate.ts';
import * as der from '../../src/demo/der.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import { createTimestampAuthority } from '../../src/demo/timestamp-authority.ts';
import type { LogEntry } from '../../src/demo/transparency-log.ts';
import { encodeTrustedRoot } from '../../src/demo/trusted-root.ts';
import type { Requirements } from '../../src/signature/authority.ts';
import { SignatureError } from '../../src/signature/error.ts';
import { toMessageContent } from '../../src/signature/message.ts';
import { parseTrustedRoot, TrustedRootError } from '../../src/trust/trusted-root.ts';
import { plainVerdict, type PlainOptions } from './plain-library.ts';
import {
  ALICE,
  change,
  createWorld,
  exactIdentity,
  keyAuthority,
  keylessAuthority,
  ONE_OF_EACH,
  outcome,
  OTHER_DIGEST,
  STATEMENT,
  valueAt,
  verify,
  type Json,
  type Path,
  type World,
} from './support.ts';

const MATERIAL: Path = ['verificationMaterial'];
const ENTRIES: Path = [...MATERIAL, 'tlogEntries'];
const ENTRY: Path = [...ENTRIES, 0];
const PROOF: Path = [...ENTRY, 'inclusionProof'];
const STAMPS: Path = [...MATERIAL, 'timestampVerificationData', 'rfc3161Timestamps'];
const SIGNATURE: Path = ['dsseEnvelope', 'signatures', 0, 'sig'];

const signatureOf = (bundle: object): Buffer => Buffer.from(valueAt(bundle, SIGNATURE) as string, 'base64');
const entryOf = (bundle: object): LogEntry => valueAt(bundle, ENTRY) as unknown as LogEntry;
const certificateOf = (bundle: object): Buffer =>
  Buffer.from(valueAt(bundle, [...MATERIAL, 'certificate', 'rawBytes']) as string, 'base64');
const toStamp = (bytes: Buffer): Json => ({ signedTimestamp: bytes.toString('base64') });

function plain(bundle: object, { sigstore }: World, options?: PlainOptions): string {
  return plainVerdict(bundle, sigstore.trustedRootJson(), options);
}

/** The library accepts what the core refuses for this reason. */
function closes(bundle: object, world: World, reason: string, options?: PlainOptions): void {
  assert.equal(plain(bundle, world, options), 'accepted');
  assert.equal(outcome(bundle, world.authority), reason);
}

/** A copy of the bundle whose log entry says something else; the log really holds it. */
function relog(world: World, bundle: object, rewrite: (body: string) => string, version?: string): object {
  const { canonicalizedBody, kindVersion } = entryOf(bundle);
  const body = Buffer.from(rewrite(Buffer.from(canonicalizedBody, 'base64').toString()));
  const logged = { kind: kindVersion.kind, version: version ?? kindVersion.version, body };
  return change(bundle, ENTRY, world.sigstore.log.append(logged, new Date()));
}

describe('the holes of the library', () => {
  let v1: World;
  let v2: World;

  before(async () => {
    [v1, v2] = [await createWorld('v1'), await createWorld('v2')];
  });

  describe('H1: entries that are not about this signer', () => {
    for (const name of ['v1', 'v2'] as const)
      it(`refuses another certificate in a Rekor ${name} entry`, async () => {
        const world = name === 'v1' ? v1 : v2;
        const certificate = certificateOf(await world.sign());
        const bundle = await world.sign({ logVerifier: { certificate } });
        closes(bundle, world, 'TransparencyLogInvalid');
      });

    it('refuses an entry without a verifier', async () => {
      const bundle = relog(v2, await v2.sign(), (body) => body.replace(/,"verifier":\{.*?\}\}/, ''));
      closes(bundle, v2, 'TransparencyLogInvalid');
    });

    it('refuses wrong labels on the right hash', async () => {
      const sha1 = relog(v1, await v1.sign(), (body) =>
        body.replace('"payloadHash":{"algorithm":"sha256"', '"payloadHash":{"algorithm":"sha1"'),
      );
      closes(sha1, v1, 'TransparencyLogInvalid');
      const sha512 = relog(v2, await v2.sign(), (body) => body.replace('SHA2_256', 'SHA2_512'));
      closes(sha512, v2, 'TransparencyLogInvalid');
    });

    it('refuses versions that are not on the list', async () => {
      const bundle = relog(
        v2,
        await v2.sign(),
        (body) => body.replace('"apiVersion":"0.0.2"', '"apiVersion":"9.9.9"'),
        '9.9.9',
      );
      closes(bundle, v2, 'UnsupportedFormat');
    });

    it('refuses a body of another kind than the entry says', async () => {
      const bundle = relog(v2, await v2.sign(), (body) =>
        body.replace('"kind":"hashedrekord"', '"kind":"dsse"'),
      );
      assert.equal(outcome(bundle, v2.authority), 'TransparencyLogInvalid');
    });
  });

  describe('H2: thresholds', () => {
    const require = (requirements: Partial<Requirements>): Requirements => ({
      ...ONE_OF_EACH,
      ...requirements,
    });

    it('counts two timestamps of one authority once', async () => {
      const bundle = await v2.sign();
      const stamps = [0, 1000].map((later) =>
        toStamp(v2.sigstore.timestampAuthority.timestamp(signatureOf(bundle), new Date(Date.now() + later))),
      );
      const twice = change(bundle, STAMPS, stamps);
      assert.equal(plain(twice, v2, { timestampThreshold: 2 }), 'accepted');
      const authority = { ...v2.authority, requirements: require({ timestamps: 2 }) };
      assert.equal(outcome(twice, authority), 'TimestampInvalid');
      assert.equal(outcome(twice, v2.authority), 'accepted');
    });

    it('counts two entries of one log once', async () => {
      const bundle = await v2.sign();
      const again = entryOf(relog(v2, bundle, (body) => `${body} `));
      const twice = change(bundle, ENTRIES, [entryOf(bundle), again]);
      assert.equal(plain(twice, v2, { tlogThreshold: 2 }), 'accepted');
      const authority = { ...v2.authority, requirements: require({ logEntries: 2 }) };
      assert.equal(outcome(twice, authority), 'TransparencyLogInvalid');
    });

    it('leaves out an invalid surplus of a stranger, and not of a known log', async () => {
      const other = await createWorld('v2');
      const bundle = await v2.sign();
      const foreign = change(bundle, ENTRIES, [entryOf(bundle), entryOf(await other.sign())]);
      assert.match(plain(foreign, v2), /Error/);
      assert.equal(outcome(foreign, v2.authority), 'accepted');
      const known = change(bundle, ENTRIES, [entryOf(bundle), entryOf(await v2.sign())]);
      assert.equal(outcome(known, v2.authority), 'TransparencyLogInvalid');
    });
  });

  describe('H3: identities as patterns', () => {
    it('compares the whole subject, and no character stands for another', async () => {
      for (const subject of [`${ALICE.subject}.evil.test`, 'xalice@models.test', 'alice@modelsXtest']) {
        const bundle = await v2.sigstore.signKeyless(STATEMENT, { ...ALICE, subject });
        const policy = { subjectAlternativeName: ALICE.subject, extensions: { issuer: ALICE.issuer } };
        assert.equal(plain(bundle, v2, { policy }), 'accepted');
        assert.equal(outcome(bundle, v2.authority), 'IdentityMismatch');
      }
    });

    it('reads no pattern from an identity', async () => {
      const bundle = await v2.sign();
      for (const subject of ['', '.*', '[', '^(a+)+$'])
        assert.equal(
          outcome(bundle, { ...v2.authority, identities: [exactIdentity({ ...ALICE, subject })] }),
          'IdentityMismatch',
        );
    });
  });

  describe('H4: leaves that are no signing certificates', () => {
    const profiles: Readonly<Record<string, Parameters<World['sign']>[0]>> = {
      'a TLS certificate': { certificate: { extendedKeyUsage: [KEY_PURPOSE.serverAuth] } },
      'a timestamping certificate': { certificate: { extendedKeyUsage: [KEY_PURPOSE.timeStamping] } },
      'a certificate without purpose': { certificate: { extendedKeyUsage: [] } },
      'a CA certificate': { certificate: { extensions: [basicConstraints(true)] } },
      'an unknown critical extension': {
        certificate: { extensions: [extension('1.2.3.4', der.nullValue(), true)] },
      },
      'a second subject alternative name': {
        certificate: {
          extensions: [
            extension(
              '2.5.29.17',
              der.sequence(der.taggedPrimitive(1, Buffer.from('bob@models.test'))),
              true,
            ),
          ],
        },
      },
    };
    for (const [what, options] of Object.entries(profiles))
      it(`refuses ${what}`, async () => {
        closes(await v2.sign(options), v2, 'CertificateInvalid');
      });
  });

  it('H5: refuses a timestamp authority for something else', async () => {
    const { sigstore } = v2;
    for (const purpose of [KEY_PURPOSE.serverAuth, KEY_PURPOSE.codeSigning]) {
      const tsa = createTimestampAuthority('https://tsa.models.test', 'tsa', [purpose]);
      const json = encodeTrustedRoot({
        certificateAuthorities: [sigstore.authority.chain],
        ctLogs: [sigstore.ctLog],
        logs: [sigstore.log],
        timestampAuthorities: [tsa],
      });
      const bundle = await v2.sign();
      const stamped = change(bundle, STAMPS, [toStamp(tsa.timestamp(signatureOf(bundle), new Date()))]);
      assert.equal(plainVerdict(stamped, json), 'accepted');
      assert.throws(() => parseTrustedRoot(Buffer.from(json)), TrustedRootError);
    }
  });

  it('H6: refuses names whose bytes the library strips of bit 7', async () => {
    const bundle = await v2.sigstore.signKeyless(STATEMENT, { ...ALICE, subject: '\u00e1lice@example.com' });
    const policy = { subjectAlternativeName: 'C!lice@example.com', extensions: { issuer: ALICE.issuer } };
    closes(bundle, v2, 'CertificateInvalid', { policy });
  });

  describe('H7: statements that are about something else', () => {
    it('refuses another payload type', async () => {
      closes(await v2.sign({ payloadType: 'text/x-other' }), v2, 'UnsupportedFormat');
    });

    it('refuses another subject', async () => {
      closes(await v2.sign({}, cosignSignStatement(OTHER_DIGEST)), v2, 'SubjectMismatch');
    });
  });

  describe('H8: cost', () => {
    // Refused before anything is verified: a stamp or an entry costs a signature check.
    it('refuses copies without verifying them', async () => {
      const bundle = await v1.sign({ omitTimestamp: false });
      const [stamp] = valueAt(bundle, STAMPS) as Json[];
      const stamps = change(
        bundle,
        STAMPS,
        Array.from({ length: 32 }, () => stamp),
      );
      const entries = change(
        bundle,
        ENTRIES,
        Array.from({ length: 32 }, () => entryOf(bundle)),
      );
      assert.equal(outcome(stamps, v1.authority), 'TimestampInvalid');
      assert.equal(outcome(entries, v1.authority), 'TransparencyLogInvalid');
    });

    it('refuses endless numbers, and does not repeat them', async () => {
      const bundle = await v2.sign();
      const digits = '9'.repeat(1_000_000);
      const checkpoint = `rekor.models.test\n${digits}\n${'A'.repeat(43)}=\n\n\u2014 rekor.models.test AAAAAAAA\n`;
      for (const [path, value] of [
        [[...PROOF, 'logIndex'], digits],
        [[...PROOF, 'treeSize'], digits],
        [[...PROOF, 'checkpoint', 'envelope'], checkpoint],
      ] as const)
        assert.throws(
          () => verify(change(bundle, path, value), v2.authority),
          (error) => error instanceof SignatureError && error.message.length < 400,
        );
    });
  });

  describe('H9: bundles that choose how they are trusted', () => {
    it('refuses a key where identities are named', async () => {
      const key = generateSigningKey('p256');
      const bundle = await v2.sigstore.signLogged(STATEMENT, key);
      closes(bundle, v2, 'SignerNotTrusted', { key: key.publicKeyPem, policy: { extensions: {} } });
    });

    it('refuses two signers and two contents', async () => {
      const key = generateSigningKey('p256');
      const bundle = await v2.sigstore.signLogged(STATEMENT, key);
      const { certificate } = valueAt(await v2.sign(), MATERIAL) as { certificate: Json };
      const both = change(bundle, [...MATERIAL, 'certificate'], certificate);
      assert.equal(plain(both, v2, { key: key.publicKeyPem }), 'accepted');
      assert.equal(outcome(both, keyAuthority(key.publicKeyPem)), 'SignatureInvalid');
      const message = { messageDigest: { algorithm: 'SHA2_256', digest: 'AAAA' }, signature: 'AAAA' };
      const twice = change(bundle, ['messageSignature'], message);
      assert.equal(outcome(twice, keyAuthority(key.publicKeyPem)), 'SignatureInvalid');
    });
  });

  describe('H10: windows of log keys', () => {
    const windows = [
      { start: '2020-01-01T00:00:00Z', end: '2020-06-01T00:00:00Z' },
      { start: '2090-01-01T00:00:00Z' },
    ];
    for (const window of windows)
      it(`refuses a proof by a key that is valid from ${window.start} to ${window.end ?? 'the end'}`, async () => {
        const bundle = await v2.sign();
        const root = JSON.parse(v2.sigstore.trustedRootJson()) as object;
        const json = JSON.stringify(change(root, ['tlogs', 0, 'publicKey', 'validFor'], window));
        assert.equal(plainVerdict(bundle, json), 'accepted');
        assert.equal(outcome(bundle, keylessAuthority(json)), 'TransparencyLogInvalid');
      });

    it('refuses a root whose log has no start', async () => {
      const root = JSON.parse(v2.sigstore.trustedRootJson()) as object;
      const json = JSON.stringify(change(root, ['tlogs', 0, 'publicKey', 'validFor'], {}));
      assert.equal(plainVerdict(await v2.sign(), json), 'accepted');
      assert.throws(() => parseTrustedRoot(Buffer.from(json)), TrustedRootError);
    });
  });

  it('M1: refuses base64 with junk, white space, other alphabets and without padding', async () => {
    const bundle = await v2.sign();
    const sig = valueAt(bundle, SIGNATURE) as string;
    for (const other of [`${sig}!`, `!${sig}`, `${sig}\n`, sig.replaceAll('=', ''), ` ${sig}`]) {
      if (other === sig) continue;
      closes(change(bundle, SIGNATURE, other), v2, 'SignatureInvalid');
    }
  });

  it('M2: refuses copies of a proof that contradict it, and reports no unsigned index', async () => {
    const bundle = await v2.sign();
    closes(change(bundle, [...PROOF, 'treeSize'], '7777'), v2, 'TransparencyLogInvalid');
    const other = Buffer.alloc(32).toString('base64');
    closes(change(bundle, [...PROOF, 'rootHash'], other), v2, 'TransparencyLogInvalid');
    closes(change(bundle, [...ENTRY, 'logIndex'], '-5'), v2, 'SignatureInvalid');
    const relabelled = change(bundle, [...ENTRY, 'logIndex'], '123456');
    assert.equal(plain(relabelled, v2), 'accepted');
    assert.equal(outcome(relabelled, v2.authority), 'TransparencyLogInvalid');
    const index = valueAt(bundle, [...PROOF, 'logIndex']);
    assert.deepEqual(
      verify(bundle, v2.authority).logs.map((log) => log.index),
      [index],
    );
  });

  it('M3: compares a message digest with the artifact', () => {
    const bytes = Buffer.from('model');
    const message = { hash: 'sha256' as const, digest: Buffer.alloc(32), signature: Buffer.from([1]) };
    assert.throws(() => toMessageContent(message, { kind: 'bytes', bytes }), { reason: 'SubjectMismatch' });
    const sha256 = Buffer.alloc(32, 1);
    assert.throws(() => toMessageContent(message, { kind: 'digest', sha256 }), { reason: 'SubjectMismatch' });
  });

  it('M4: refuses a checkpoint of another origin or in a part of the log’s name', async () => {
    const bundle = await v2.sign();
    const path: Path = [...PROOF, 'checkpoint', 'envelope'];
    const { log } = v2.sigstore;
    const text = (valueAt(bundle, path) as string).split('\n\n')[0] ?? '';
    const elsewhere = log.signNote(`${text.replace('rekor.models.test', 'evil.origin')}\n`);
    closes(change(bundle, path, elsewhere), v2, 'TransparencyLogInvalid');
    closes(change(bundle, path, log.signNote(`${text}\n`, { name: 'e' })), v2, 'TransparencyLogInvalid');
  });

  it('M5: reads times with any number of fraction digits, and only in DER', async () => {
    const bundle = await v2.sign();
    const at = new Date();
    const second = at.toISOString().slice(0, 19).replaceAll(/[-T:]/g, '');
    const stamped = (genTime: string): object =>
      change(bundle, STAMPS, [
        toStamp(v2.sigstore.timestampAuthority.timestamp(signatureOf(bundle), at, { genTime })),
      ]);
    for (const [fraction, milliseconds] of [
      ['.1', 100],
      ['.12', 120],
      ['.123', 123],
      ['.000001', 0],
      ['.123456789', 123],
    ] as const) {
      const { signedAt, secondOpinion } = verify(stamped(`${second}${fraction}Z`), v2.authority);
      assert.equal((signedAt?.getTime() ?? 0) % 1000, milliseconds);
      assert.equal(secondOpinion, 'agrees');
    }
    assert.match(plain(stamped(`${second}.12Z`), v2), /invalid time/);
    for (const wrong of ['.', '.120', '.0', ',1', '.1+0000'])
      assert.equal(outcome(stamped(`${second}${wrong}Z`), v2.authority), 'TimestampInvalid');
    assert.equal(outcome(stamped('20260231000000Z'), v2.authority), 'TimestampInvalid');
  });

  it('M6: throws nothing but its own error', async () => {
    const bundle = await v2.sign();
    const changes: [Path, unknown][] = [
      [ENTRIES, [null]],
      [STAMPS, [null]],
      [[...PROOF, 'checkpoint'], undefined],
      [[...PROOF, 'hashes'], [null]],
      [[...MATERIAL, 'certificate'], { rawBytes: 'AAAA' }],
      [STAMPS, [toStamp(Buffer.from([0x30, 0]))]],
      [[...ENTRY, 'canonicalizedBody'], Buffer.from('{').toString('base64')],
      [[...ENTRY, 'canonicalizedBody'], Buffer.from('null').toString('base64')],
    ];
    for (const [path, value] of changes)
      assert.throws(() => verify(change(bundle, path, value), v2.authority), SignatureError);
  });

  it('M7: refuses times from the future', async () => {
    const at = new Date(Date.now() + 10 * 365 * 24 * 3600 * 1000);
    closes(await v1.sign({ at }), v1, 'TimestampInvalid');
    closes(await v2.sign({ at }), v2, 'TimestampInvalid');
  });

  it('M8: refuses a decodable wrong key', () => {
    const [key, other] = [generateSigningKey('p256'), generateSigningKey('p256')];
    const bundle = signBundleWithKey(STATEMENT, key);
    assert.equal(outcome(bundle, keyAuthority(other.publicKeyPem)), 'SignerNotTrusted');
  });

  it('M8: refuses a time outside the certificate for that reason', async () => {
    const bundle = await v2.sign();
    const late = v2.sigstore.timestampAuthority.timestamp(
      signatureOf(bundle),
      new Date(Date.now() - 3_600_000),
    );
    assert.throws(() => verify(change(bundle, STAMPS, [toStamp(late)]), v2.authority), {
      reason: 'CertificateInvalid',
      message: /was not valid at/,
    });
  });
});
