// What must logs and timestamp authorities have seen of a managed key's signature? In every format, what counts, what is
// left out, and what makes the signature not count at all.
import assert from 'node:assert/strict';
import { hashedRekordBodyV2 } from '../../src/demo/log-entry.ts';
import { generateSigningKey, type SigningKeyKind } from '../../src/demo/keys.ts';
import { signBundleWithKey, type DsseEnvelope } from '../../src/demo/sign-with-key.ts';
import { createSigstore, type Sigstore } from '../../src/demo/sigstore.ts';
import {
  signSimple,
  signSimpleLogged,
  SIMPLE_SIGNING_ANNOTATIONS as NAMES,
  simpleSigningPayload,
  type SimpleSignature,
} from '../../src/demo/simple-signing.ts';
import { modelSigningStatement } from '../../src/demo/statement.ts';
import { createTimestampAuthority } from '../../src/demo/timestamp-authority.ts';
import { encodeTrustedRoot, type TrustedServices } from '../../src/demo/trusted-root.ts';
import { createWitness } from '../../src/demo/witness.ts';
import { readSignatureAnnotations } from '../../src/evidence/annotations.ts';
import type { KeyAuthority, NamedTrust, Requirements } from '../../src/signature/authority.ts';
import { toSimpleSigningCandidate } from '../../src/signature/candidate.ts';
import { SignatureError } from '../../src/signature/error.ts';
import type { SignatureFacts } from '../../src/signature/facts.ts';
import { verifySignature } from '../../src/signature/verify.ts';
import { NO_REVOCATIONS, type Revocations } from '../../src/trust/revocation.ts';
import {
  change,
  cosign,
  DIGEST,
  keyAuthority,
  logElsewhere,
  observersOf,
  OTHER_DIGEST,
  outcome,
  recheck,
  STATEMENT,
  toManifest,
  toWitnessKey,
  valueAt,
  verify,
  type Json,
  type Path,
} from './support.ts';

const ENTRIES: Path = ['verificationMaterial', 'tlogEntries'];
const STAMPS: Path = ['verificationMaterial', 'timestampVerificationData', 'rfc3161Timestamps'];
const AT = new Date('2026-05-05T12:00:00Z');
const KEY = generateSigningKey('p256');
const OTHER = generateSigningKey('p256');

describe('verifyKeySignature()', () => {
  let sigstore: Sigstore;
  let stranger: Sigstore;
  let logged: object;

  before(async () => {
    sigstore = await createSigstore();
    stranger = await createSigstore();
    logged = await sigstore.signLogged(STATEMENT, KEY, { at: AT });
  });

  function authority(
    needs: Partial<Requirements> = {},
    more: Partial<NamedTrust> = {},
    json = sigstore.trustedRootJson(),
  ): KeyAuthority {
    return keyAuthority(KEY.publicKeyPem, { observers: observersOf(json, needs, more) });
  }
  const services = (): TrustedServices => ({
    certificateAuthorities: [],
    ctLogs: [],
    logs: [sigstore.log],
    timestampAuthorities: [sigstore.timestampAuthority],
  });
  const entryOf = (bundle: object): Parameters<typeof logElsewhere>[0] =>
    valueAt(bundle, [...ENTRIES, 0]) as unknown as Parameters<typeof logElsewhere>[0];
  const plain = signBundleWithKey(STATEMENT, KEY);

  it('needs no certificate authority in the root', () => {
    const json = encodeTrustedRoot(services());
    const facts = verify(logged, authority({ logEntries: 1, timestamps: 1 }, {}, json));
    assert.equal(facts.existedBy?.getTime(), AT.getTime());
    assert.deepEqual(facts.timeSources, ['tsa']);
    assert.equal(facts.logs.length, 1);
    assert.equal(facts.secondOpinion, 'agrees');
  });

  it('demands nothing that the authority does not, and reports what is there', () => {
    assert.equal(outcome(plain, authority()), 'accepted');
    assert.equal(verify(plain, authority()).existedBy, undefined);
    assert.equal(verify(logged, authority()).existedBy?.getTime(), AT.getTime());
    assert.equal(outcome(plain, authority({ logEntries: 1 })), 'TransparencyLogInvalid');
    assert.equal(outcome(plain, authority({ timestamps: 1 })), 'TimestampInvalid');
    assert.equal(verify(logged, keyAuthority(KEY.publicKeyPem)).existedBy, undefined);
  });

  const kinds: readonly SigningKeyKind[] = ['p384', 'ed25519', 'rsa2048'];
  for (const kind of kinds)
    it(`counts the entry of a key of kind ${kind}, and nobody else's`, async () => {
      const [key, other] = [generateSigningKey(kind), generateSigningKey(kind)];
      const observers = observersOf(sigstore.trustedRootJson(), { logEntries: 1, timestamps: 1 });
      const trusted = keyAuthority(key.publicKeyPem, { observers });
      const bundle = signBundleWithKey(STATEMENT, key);
      const envelope = (bundle as { dsseEnvelope: DsseEnvelope }).dsseEnvelope;
      const signature = Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64');
      const stamp = sigstore.timestampAuthority.timestamp(signature, AT).toString('base64');
      const seen = (publicKey: typeof key.publicKey): object => ({
        ...bundle,
        verificationMaterial: {
          ...(valueAt(bundle, ['verificationMaterial']) as object),
          tlogEntries: [sigstore.log.append(hashedRekordBodyV2(envelope, { publicKey }), AT)],
          timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: stamp }] },
        },
      });
      assert.equal(verify(seen(key.publicKey), trusted).logs.length, 1);
      assert.equal(outcome(seen(other.publicKey), trusted), 'TransparencyLogInvalid');
    });

  it('refuses wrong evidence of known logs, whatever is demanded', async () => {
    const otherKey = await sigstore.signLogged(STATEMENT, KEY, {
      logVerifier: { publicKey: OTHER.publicKey },
    });
    const otherContent = await sigstore.signLogged(STATEMENT, KEY, { logBodyFor: { other: true } });
    const otherSigner = await sigstore.signLogged(STATEMENT, OTHER);
    const wrong: readonly object[] = [
      otherKey,
      otherContent,
      change(logged, ENTRIES, valueAt(otherSigner, ENTRIES)),
      change(logged, [...ENTRIES, 0, 'inclusionProof', 'logIndex'], '0'),
      change(logged, [...ENTRIES, 0, 'inclusionProof'], undefined),
      recheck(logged, (note) => note.replace(/\n\d+\n/, '\n99\n')),
      change(logged, ENTRIES, [entryOf(logged), entryOf(logged)]),
    ];
    for (const [index, bundle] of wrong.entries()) {
      assert.equal(outcome(bundle, authority({ logEntries: 1 })), 'TransparencyLogInvalid', String(index));
      assert.equal(outcome(bundle, authority()), 'TransparencyLogInvalid', String(index));
      assert.equal(outcome(bundle, keyAuthority(KEY.publicKeyPem)), 'accepted', String(index));
    }
  });

  it('wants the proof of a bundle’s entry, also beside the promise of a Rekor v1', async () => {
    const v1 = await createSigstore({ rekor: 'v1' });
    const bundle = await v1.signLogged(STATEMENT, KEY);
    const unproven = change(bundle, [...ENTRIES, 0, 'inclusionProof'], undefined);
    const trusted = authority({}, {}, v1.trustedRootJson());
    assert.equal(outcome(bundle, trusted), 'accepted');
    assert.throws(() => verify(unproven, trusted), /a log entry has no inclusion proof/);
  });

  it('leaves out entries of logs that the root does not know, also wrong ones', async () => {
    const foreign = await stranger.signLogged(STATEMENT, KEY);
    const noProof = change(foreign, [...ENTRIES, 0, 'inclusionProof'], undefined);
    for (const bundle of [foreign, noProof]) {
      const entries = valueAt(bundle, ENTRIES) as Json[];
      assert.deepEqual(verify(bundle, authority()).logs, []);
      assert.equal(outcome(bundle, authority({ logEntries: 1 })), 'TransparencyLogInvalid');
      const both = change(logged, ENTRIES, [entryOf(logged) as unknown as Json, ...entries]);
      assert.equal(verify(both, authority({ logEntries: 1 })).logs.length, 1);
      assert.equal(outcome(both, authority({ logEntries: 2 })), 'TransparencyLogInvalid');
    }
  });

  it('counts two entries of one operator once, and of two operators twice', () => {
    const { log, entry } = logElsewhere(entryOf(logged), 'https://rekor2.models.test');
    const both = change(logged, ENTRIES, [entryOf(logged), entry]);
    const json = encodeTrustedRoot({ ...services(), logs: [sigstore.log, log] });
    const operated = (second: string): string =>
      JSON.stringify(
        change(
          change(JSON.parse(json) as object, ['tlogs', 0, 'operator'], 'a'),
          ['tlogs', 1, 'operator'],
          second,
        ),
      );
    const two = { logEntries: 2 };
    assert.equal(outcome(both, authority(two, {}, json)), 'TransparencyLogInvalid');
    assert.equal(outcome(both, authority(two, {}, operated('a'))), 'TransparencyLogInvalid');
    assert.equal(verify(both, authority(two, {}, operated('b'))).logs.length, 2);
  });

  describe('and its timestamps', () => {
    const stampOf = (bytes: Buffer): Json => ({ signedTimestamp: bytes.toString('base64') });
    const signatureOf = (bundle: object): Buffer =>
      Buffer.from(valueAt(bundle, ['dsseEnvelope', 'signatures', 0, 'sig']) as string, 'base64');
    const stamped = (...responses: readonly Buffer[]): object =>
      change(logged, STAMPS, responses.map(stampOf));

    it('leaves out those of strangers, and refuses wrong ones of known authorities', () => {
      const { timestampAuthority: tsa } = sigstore;
      const signature = signatureOf(logged);
      const foreign = stranger.timestampAuthority.timestamp(signature, AT);
      assert.equal(outcome(stamped(foreign), authority({ timestamps: 1 })), 'TimestampInvalid');
      assert.equal(verify(stamped(foreign), authority()).existedBy, undefined);
      const good = tsa.timestamp(signature, AT);
      assert.equal(outcome(stamped(foreign, good), authority({ timestamps: 1 })), 'accepted');
      for (const bad of [
        tsa.timestamp(Buffer.from('another signature'), AT),
        tsa.timestamp(signature, AT, { signingKey: OTHER.privateKey }),
        tsa.timestamp(signature, new Date(Date.now() + 600_000)),
        tsa.timestamp(signature, new Date('2019-01-01T00:00:00Z')),
      ]) {
        assert.equal(outcome(stamped(bad), authority()), 'TimestampInvalid');
        assert.equal(outcome(stamped(good, bad), authority()), 'TimestampInvalid');
      }
    });

    it('counts two of one operator once, and of two operators twice', () => {
      const second = createTimestampAuthority('https://tsa2.models.test', 'tsa2');
      const json = encodeTrustedRoot({
        ...services(),
        timestampAuthorities: [sigstore.timestampAuthority, second],
      });
      const operated = (a: string, b: string): string =>
        JSON.stringify(
          change(
            change(JSON.parse(json) as object, ['timestampAuthorities', 0, 'operator'], a),
            ['timestampAuthorities', 1, 'operator'],
            b,
          ),
        );
      const earlier = new Date(AT.getTime() - 60_000);
      const signature = signatureOf(logged);
      const both = stamped(
        sigstore.timestampAuthority.timestamp(signature, AT),
        second.timestamp(signature, earlier),
      );
      const two = { timestamps: 2 };
      assert.equal(outcome(both, authority(two, {}, json)), 'TimestampInvalid');
      assert.equal(outcome(both, authority(two, {}, operated('a', 'a'))), 'TimestampInvalid');
      const { existedBy } = verify(both, authority(two, {}, operated('a', 'b')));
      assert.equal(existedBy?.getTime(), earlier.getTime());
    });
  });

  describe('and revocations', () => {
    const judge = (revoked: Partial<Revocations>, bundle = logged): string =>
      outcome(bundle, authority({}, { revoked: { ...NO_REVOCATIONS, ...revoked } }));

    it('end trust in the key and in single artifacts, and in nothing else', () => {
      const { keyFingerprint } = verify(logged, authority());
      assert.equal(judge({}), 'accepted');
      assert.equal(judge({ spkis: new Map([[keyFingerprint, 'stolen']]) }), 'Revoked');
      assert.equal(judge({ spkis: new Map([[keyFingerprint, 'stolen']]) }, plain), 'Revoked');
      assert.equal(judge({ spkis: new Map([['00'.repeat(32), 'other']]) }), 'accepted');
      assert.equal(judge({ artifactDigests: new Map([[DIGEST, 'poisoned']]) }), 'Revoked');
      assert.equal(judge({ artifactDigests: new Map([[OTHER_DIGEST, 'poisoned']]) }), 'accepted');
    });

    it('end trust in one key of a rotation only', async () => {
      const observers = observersOf(
        sigstore.trustedRootJson(),
        {},
        {
          revoked: {
            ...NO_REVOCATIONS,
            spkis: new Map([[verify(logged, authority()).keyFingerprint, 'old']]),
          },
        },
      );
      const both = keyAuthority(KEY.publicKeyPem + OTHER.publicKeyPem, { observers });
      assert.equal(outcome(logged, both), 'Revoked');
      assert.equal(outcome(await sigstore.signLogged(STATEMENT, OTHER), both), 'accepted');
    });
  });

  describe('and witnesses of its log', () => {
    const [one, two] = [createWitness('one.test'), createWitness('two.test')];
    const witnesses = [one, two].map(toWitnessKey);
    const needing = (count: number, logEntries = 1): KeyAuthority =>
      authority({ logEntries, witnesses: count }, { witnesses });

    it('counts an entry that enough of them cosigned', () => {
      const cosigned = [logged, cosign(logged, one), cosign(logged, one, two)];
      for (const [have, bundle] of cosigned.entries())
        for (const need of [0, 1, 2]) {
          const expected = have >= need ? 'accepted' : 'TransparencyLogInvalid';
          assert.equal(outcome(bundle, needing(need)), expected, `${have} of ${need}`);
        }
      const { logs, secondOpinion } = verify(cosign(logged, two), needing(1));
      assert.deepEqual(logs[0]?.witnesses, ['two.test']);
      assert.equal(secondOpinion, 'agrees');
      assert.deepEqual(structuredClone(logs), logs);
    });

    it('says how many are missing', () => {
      assert.throws(
        () => verify(logged, needing(2)),
        /entries of 0 logs that TrustRoot "private" knows and 2 of its witnesses cosigned, 1 are required/,
      );
    });

    it('counts one witness once, and refuses a wrong cosignature whatever is needed', () => {
      assert.equal(outcome(cosign(logged, one, one), needing(2)), 'TransparencyLogInvalid');
      const wrong = recheck(logged, (note) =>
        one.cosign(note, new Date(), { signingKey: generateSigningKey('ed25519') }),
      );
      assert.equal(outcome(wrong, needing(0)), 'TransparencyLogInvalid');
      assert.equal(outcome(wrong, needing(0, 0)), 'TransparencyLogInvalid');
      assert.equal(outcome(cosign(wrong, two), needing(1)), 'TransparencyLogInvalid');
      assert.equal(outcome(wrong, authority({ logEntries: 1 })), 'accepted');
    });

    it('takes a cosignature up to five minutes ahead', () => {
      const now = new Date();
      const ahead = (seconds: number): object =>
        recheck(logged, (note) => one.cosign(note, new Date(now.getTime() + seconds * 1000)));
      assert.equal(outcome(ahead(299), needing(1), { now }), 'accepted');
      assert.equal(outcome(ahead(302), needing(1), { now }), 'TransparencyLogInvalid');
    });

    it('counts nothing of an entry that too few cosigned: neither log nor time', async () => {
      const v1 = await createSigstore({ rekor: 'v1' });
      const bundle = await v1.signLogged(STATEMENT, KEY, { at: AT });
      const judge = (needs: Partial<Requirements>, what = bundle): SignatureFacts =>
        verify(what, authority(needs, { witnesses }, v1.trustedRootJson()));
      assert.equal(judge({}).existedBy?.getTime(), AT.getTime());
      const { existedBy, logs } = judge({ witnesses: 1 });
      assert.deepEqual([existedBy, logs], [undefined, []]);
      assert.equal(judge({ witnesses: 1 }, cosign(bundle, one)).existedBy?.getTime(), AT.getTime());
      assert.throws(() => judge({ witnesses: 1, timestamps: 1 }), { reason: 'TimestampInvalid' });
      // It must be right all the same.
      const late = await v1.signLogged(STATEMENT, KEY, { at: new Date(Date.now() + 600_000) });
      assert.throws(() => judge({ witnesses: 1 }, late), { reason: 'TimestampInvalid' });
    });

    it('takes no cosignature time for a trusted time', () => {
      const unstamped = change(cosign(logged, one), STAMPS, []);
      assert.equal(verify(unstamped, needing(1)).existedBy, undefined);
      const timed = authority({ logEntries: 1, timestamps: 1, witnesses: 1 }, { witnesses });
      assert.equal(outcome(unstamped, timed), 'TimestampInvalid');
    });
  });

  describe('in other formats', () => {
    const PAYLOAD = simpleSigningPayload(DIGEST);
    let v1: Sigstore;
    before(async () => {
      v1 = await createSigstore({ rekor: 'v1' });
    });

    function judge(signature: SimpleSignature, observers: NamedTrust): SignatureFacts {
      const { payload, annotations } = signature;
      const descriptor = { mediaType: 'x/y', digest: DIGEST, size: payload.length, annotations };
      const candidate = toSimpleSigningCandidate({
        place: 'tag',
        referrer: OTHER_DIGEST,
        payload,
        annotations: readSignatureAnnotations(descriptor),
      });
      const trusted = keyAuthority(KEY.publicKeyPem, {
        signatureFormats: new Set(['CosignSimpleSigning']),
        observers,
      });
      return verifySignature(candidate, trusted, { digest: DIGEST, manifest: toManifest() }, new Date());
    }
    const reason = (signature: SimpleSignature, observers: NamedTrust): string => {
      try {
        judge(signature, observers);
        return 'accepted';
      } catch (error) {
        if (!(error instanceof SignatureError)) throw error;
        return error.reason;
      }
    };

    it('takes the signed entry timestamp and the timestamp of cosign 2', () => {
      const root = v1.trustedRootJson();
      const both = observersOf(root, { logEntries: 1, timestamps: 1 });
      const full = signSimpleLogged(v1, PAYLOAD, KEY, { at: AT });
      const facts = judge(full, both);
      assert.equal(facts.existedBy?.getTime(), AT.getTime());
      assert.deepEqual(facts.timeSources, ['tsa', 'transparency-log']);
      assert.deepEqual(facts.logs[0]?.witnesses, []);
      const unstamped = signSimpleLogged(v1, PAYLOAD, KEY, { at: AT, omitTimestamp: true });
      assert.deepEqual(judge(unstamped, both).timeSources, ['transparency-log']);
      const unlogged = signSimpleLogged(v1, PAYLOAD, KEY, { at: AT, omitLogEntry: true });
      assert.equal(reason(unlogged, both), 'TransparencyLogInvalid');
      assert.deepEqual(judge(unlogged, observersOf(root, { timestamps: 1 })).timeSources, ['tsa']);
      assert.equal(reason(signSimple(PAYLOAD, KEY), observersOf(root)), 'accepted');
      assert.equal(
        reason(signSimple(PAYLOAD, KEY), observersOf(root, { timestamps: 1 })),
        'TimestampInvalid',
      );
    });

    it('refuses another key’s entry, a changed one, and another signature’s timestamp of cosign 2', () => {
      const observers = observersOf(v1.trustedRootJson());
      const good = signSimpleLogged(v1, PAYLOAD, KEY);
      const again = signSimpleLogged(v1, PAYLOAD, KEY);
      const other = signSimpleLogged(v1, PAYLOAD, KEY, { logVerifier: { publicKey: OTHER.publicKey } });
      const swap = (name: string, value = ''): SimpleSignature => ({
        ...good,
        annotations: { ...good.annotations, [name]: value },
      });
      const entry = good.annotations[NAMES.bundle];
      const moved = entry?.replace(/"integratedTime":\d+/, '"integratedTime":1700000000');
      assert.equal(reason(good, observers), 'accepted');
      assert.equal(reason(other, observers), 'TransparencyLogInvalid');
      assert.equal(reason(swap(NAMES.bundle, moved), observers), 'TransparencyLogInvalid');
      assert.equal(
        reason(swap(NAMES.bundle, again.annotations[NAMES.bundle]), observers),
        'TransparencyLogInvalid',
      );
      assert.equal(
        reason(swap(NAMES.timestamp, again.annotations[NAMES.timestamp]), observers),
        'TimestampInvalid',
      );
      assert.equal(
        reason(good, observersOf(sigstore.trustedRootJson(), { logEntries: 1 })),
        'TransparencyLogInvalid',
      );
    });

    it('counts no entry of cosign 2 where witnesses are needed: it has no checkpoint', () => {
      const witnesses = [toWitnessKey(createWitness('one.test'))];
      const needs = { logEntries: 1, witnesses: 1 };
      assert.equal(
        reason(signSimpleLogged(v1, PAYLOAD, KEY), observersOf(v1.trustedRootJson(), needs, { witnesses })),
        'TransparencyLogInvalid',
      );
    });

    it('demands the same of model signing bundles', async () => {
      const hex = 'ab'.repeat(32);
      const statement = modelSigningStatement('m', [{ name: 'w.safetensors', digest: hex }]);
      const layer = { mediaType: 'application/vnd.acme.weights', digest: `sha256:${hex}`, size: 1 };
      const annotations = { 'org.opencontainers.image.title': 'w.safetensors' };
      const manifest = toManifest([{ ...layer, annotations }]);
      const observers = observersOf(sigstore.trustedRootJson(), { logEntries: 1, timestamps: 1 });
      const trusted = keyAuthority(KEY.publicKeyPem, {
        signatureFormats: new Set(['ModelSigning']),
        observers,
      });
      const seen = await sigstore.signLogged(statement, KEY, { at: AT });
      assert.equal(verify(seen, trusted, { manifest }).existedBy?.getTime(), AT.getTime());
      const unseen = signBundleWithKey(statement, KEY);
      assert.equal(outcome(unseen, trusted, { manifest }), 'TransparencyLogInvalid');
    });
  });
});
