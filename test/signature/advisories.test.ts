// Would the published mistakes of others work here? Evidence: logs, times, envelopes. Each case first makes the check as
// the vulnerable product made it, in a few lines, and shows that it accepts the forgery; then ours must refuse it.
import assert from 'node:assert/strict';
import { verify as verifyBytes, X509Certificate } from 'node:crypto';
import { createRootAuthority, issueCertificate } from '../../src/demo/certificate-authority.ts';
import { basicConstraints, extendedKeyUsage, KEY_PURPOSE, keyUsage } from '../../src/demo/certificate.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import {
  SIMPLE_SIGNING_ANNOTATIONS as NAMES,
  signSimpleKeyless,
  simpleSigningPayload,
  type SimpleSignature,
} from '../../src/demo/simple-signing.ts';
import { createTransparencyLog } from '../../src/demo/transparency-log.ts';
import { parseBundle, type LogEntry } from '../../src/signature/bundle.ts';
import { verifyInclusion } from '../../src/signature/log-entry.ts';
import { toRootHash } from '../../src/signature/merkle.ts';
import { preparedTrustOf } from '../../src/signature/prepared-trust.ts';
import { readLogBundle } from '../../src/signature/simple-signing-log.ts';
import { readTimestamp } from '../../src/signature/timestamp-token.ts';
import { plainVerdict } from './plain-library.ts';
import { SIMPLE_SIGNING, simpleOutcome } from './simple-support.ts';
import {
  ALICE,
  change,
  createWorld,
  DIGEST,
  keyAuthority,
  ONE_OF_EACH,
  outcome,
  STATEMENT,
  toBytes,
  valueAt,
  type Path,
  type World,
} from './support.ts';

const ENTRIES: Path = ['verificationMaterial', 'tlogEntries'];
const ENTRY: Path = [...ENTRIES, 0];
const STAMPS: Path = ['verificationMaterial', 'timestampVerificationData', 'rfc3161Timestamps'];
const SIGNATURE: Path = ['dsseEnvelope', 'signatures', 0, 'sig'];

const entryOf = (bundle: object): LogEntry => {
  const [entry] = parseBundle(toBytes(bundle)).logEntries;
  assert.ok(entry !== undefined);
  return entry;
};

/** True when the trust root's log vouches for the entry, whatever it is about. */
function isLogged(entry: LogEntry, { authority }: World): boolean {
  const [log] = preparedTrustOf(authority.root).logs;
  assert.ok(log !== undefined);
  verifyInclusion(entry, log, { witnesses: [], notAfter: new Date() });
  return true;
}

describe('advisories about evidence', () => {
  let v1: World;
  let v2: World;

  before(async () => {
    [v1, v2] = [await createWorld('v1'), await createWorld('v2')];
  });

  it('CVE-2026-48758: refuses a payload type that only its low bytes make the right one', () => {
    const key = generateSigningKey('p256');
    const good = signBundleWithKey(STATEMENT, key);
    const type = 'application/vnd.in-toto+json';
    const alike = type.replaceAll(/./g, (char) => String.fromCharCode(char.charCodeAt(0) + 0x100));
    const bundle = change(good, ['dsseEnvelope', 'payloadType'], alike);
    const payload = Buffer.from(valueAt(bundle, ['dsseEnvelope', 'payload']) as string, 'base64');
    // The encoding truncated every character to a byte.
    const encoded = Buffer.from(
      `DSSEv1 ${alike.length} ${alike} ${payload.length} ${payload.toString('latin1')}`,
      'latin1',
    );
    const signature = Buffer.from(valueAt(bundle, SIGNATURE) as string, 'base64');
    assert.ok(verifyBytes('sha256', encoded, key.publicKey, signature));
    assert.equal(outcome(bundle, keyAuthority(key.publicKeyPem)), 'UnsupportedFormat');
  });

  it('CVE-2026-48816, CVE-2024-55655: takes no time that the log did not promise', async () => {
    const at = new Date(Date.now() - 24 * 3_600_000);
    const late = await v2.sign({ at, omitTimestamp: true });
    const seconds = String(Math.floor(at.getTime() / 1000) + 60);
    const bundle = change(late, [...ENTRY, 'integratedTime'], seconds);
    const entry = entryOf(bundle);
    const { validFromDate, validToDate } = new X509Certificate(
      Buffer.from(valueAt(bundle, ['verificationMaterial', 'certificate', 'rawBytes']) as string, 'base64'),
    );
    const time = new Date(Number(entry.integratedTime) * 1000);
    assert.ok(isLogged(entry, v2) && time >= validFromDate && time <= validToDate);
    assert.equal(outcome(bundle, v2.authority), 'TimestampInvalid');
  });

  it('CVE-2026-49834: counts two entries of one log as one log', async () => {
    const bundle = await v2.sign();
    const { canonicalizedBody, kindVersion } = valueAt(bundle, ENTRY) as {
      canonicalizedBody: string;
      kindVersion: { kind: string; version: string };
    };
    const body = Buffer.from(`${Buffer.from(canonicalizedBody, 'base64').toString()} `);
    const again = v2.sigstore.log.append({ ...kindVersion, body }, new Date());
    const twice = change(bundle, ENTRIES, [valueAt(bundle, ENTRY), again]);
    assert.equal(plainVerdict(twice, v2.sigstore.trustedRootJson(), { tlogThreshold: 2 }), 'accepted');
    const authority = { ...v2.authority, requirements: { ...ONE_OF_EACH, logEntries: 2 } };
    assert.equal(outcome(twice, authority), 'TransparencyLogInvalid');
  });

  for (const rekor of ['v1', 'v2'] as const)
    it(`CVE-2026-22703, CVE-2024-53267: refuses another signature’s entry of a Rekor ${rekor}`, async () => {
      const world = rekor === 'v1' ? v1 : v2;
      const [one, other] = [await world.sign(), await world.sign()];
      const bundle = change(one, ENTRY, valueAt(other, ENTRY));
      assert.ok(isLogged(entryOf(bundle), world));
      assert.equal(outcome(bundle, world.authority), 'TransparencyLogInvalid');
    });

  it('CVE-2024-54140: refuses a tree that the log did not sign', async () => {
    const bundle = await v2.sign();
    const { kind, version, body } = entryOf(bundle);
    const forger = createTransparencyLog('v2', 'https://rekor.models.test');
    const { inclusionProof } = forger.append({ kind, version, body }, new Date());
    const forged = change(bundle, [...ENTRY, 'inclusionProof'], inclusionProof);
    const { proof } = entryOf(forged);
    assert.ok(proof !== undefined);
    const { checkpoint, hashes, logIndex, rootHash, treeSize } = proof;
    const root = toRootHash(body, { index: BigInt(logIndex), size: BigInt(treeSize), hashes });
    assert.ok(root?.equals(rootHash) === true && checkpoint.includes(rootHash.toString('base64')));
    assert.equal(outcome(forged, v2.authority), 'TransparencyLogInvalid');
    // The log's key id in front of the forger's signature helps nobody.
    const text = checkpoint.split('\n\n')[0] ?? '';
    const named = forger.signNote(`${text}\n`, { keyId: v2.sigstore.log.logId.subarray(0, 4) });
    const path = [...ENTRY, 'inclusionProof', 'checkpoint', 'envelope'];
    assert.equal(outcome(change(forged, path, named), v2.authority), 'TransparencyLogInvalid');
  });

  it('CVE-2026-39984: takes the timestamp signer from the trust root, not from the token', async () => {
    const bundle = await v2.sign();
    const signature = Buffer.from(valueAt(bundle, SIGNATURE) as string, 'base64');
    const forger = generateSigningKey('p256');
    const certificate = issueCertificate(createRootAuthority('forger', { kind: 'p256' }), {
      publicKey: forger.publicKey,
      commonName: 'tsa',
      extensions: [
        basicConstraints(false),
        keyUsage('digitalSignature'),
        extendedKeyUsage([KEY_PURPOSE.timeStamping], true),
      ],
    });
    const { timestampAuthority } = v2.sigstore;
    const response = timestampAuthority.timestamp(signature, new Date(), {
      signingKey: forger.privateKey,
      embedded: [certificate, ...timestampAuthority.chain],
    });
    // The first certificate of the bag has the right purpose and made the signature.
    const [first] = [new X509Certificate(certificate)];
    const token = readTimestamp(response);
    assert.ok(
      first.keyUsage.includes(KEY_PURPOSE.timeStamping) &&
        verifyBytes('sha256', token.signedBytes, first.publicKey, token.signature),
    );
    const stamped = change(bundle, STAMPS, [{ signedTimestamp: response.toString('base64') }]);
    assert.equal(outcome(stamped, v2.authority), 'TimestampInvalid');
  });

  it('CVE-2022-36056, CVE-2022-23649: refuses the log entry of another signature of the same signer', () => {
    const { sigstore } = v1;
    const payload = simpleSigningPayload(DIGEST);
    const authority = { ...v1.authority, signatureFormats: SIMPLE_SIGNING };
    const one = signSimpleKeyless(sigstore, payload, ALICE);
    const other = signSimpleKeyless(sigstore, simpleSigningPayload(DIGEST, { optional: { a: 'b' } }), ALICE);
    assert.equal(simpleOutcome(one, authority), 'accepted');
    const mixed: SimpleSignature = {
      payload,
      annotations: { ...one.annotations, [NAMES.bundle]: other.annotations[NAMES.bundle] ?? '' },
    };
    // Each part is good alone: the key signed the payload, and the log promised the entry.
    const { publicKey } = new X509Certificate(mixed.annotations[NAMES.certificate] ?? '');
    const signature = Buffer.from(mixed.annotations[NAMES.signature] ?? '', 'base64');
    assert.ok(verifyBytes('sha256', payload, publicKey, signature));
    assert.ok(isLogged(readLogBundle(mixed.annotations[NAMES.bundle] ?? ''), v1));
    assert.equal(simpleOutcome(mixed, authority), 'TransparencyLogInvalid');
  });
});
