// Is every signature really checked? One case for each place where the core verifies one, in which only that signature
// is wrong and everything around it agrees.
import assert from 'node:assert/strict';
import { assembleBundle, issueIdentity, type SigningServices } from '../../src/demo/bundle-assembly.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { createCtLog } from '../../src/demo/ct-log.ts';
import type { LogEntry } from '../../src/demo/transparency-log.ts';
import { SignatureError } from '../../src/signature/error.ts';
import { ALICE, change, createWorld, STATEMENT, valueAt, verify, type Path, type World } from './support.ts';

const ENTRY: Path = ['verificationMaterial', 'tlogEntries', 0];
const CHECKPOINT: Path = [...ENTRY, 'inclusionProof', 'checkpoint', 'envelope'];
const STAMP: Path = [
  'verificationMaterial',
  'timestampVerificationData',
  'rfc3161Timestamps',
  0,
  'signedTimestamp',
];

/** The bundle of a signer who uses these services instead of the trusted ones. */
function signWith(world: World, services: Partial<SigningServices>): object {
  const at = new Date();
  const all = { ...world.sigstore, ...services };
  const key = generateSigningKey('p256');
  const certificate = issueIdentity(all, key, ALICE, { at });
  const material = { certificate: { rawBytes: certificate.toString('base64') } };
  return assembleBundle(all, { statement: STATEMENT, key, verifier: { certificate }, material }, { at });
}

function message(bundle: object, world: World): string {
  try {
    verify(bundle, world.authority);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    return error.message;
  }
}

const signatureOf = (bundle: object): Buffer =>
  Buffer.from(valueAt(bundle, ['dsseEnvelope', 'signatures', 0, 'sig']) as string, 'base64');

for (const rekor of ['v1', 'v2'] as const)
  describe(`every signature in a Rekor ${rekor} bundle`, () => {
    let world: World;
    let good: object;

    before(async () => {
      world = await createWorld(rekor);
      good = await world.sign();
    });

    it('is good in the good bundle', () => {
      assert.equal(message(good, world), 'accepted');
      assert.equal(message(signWith(world, {}), world), 'accepted');
    });

    it('refuses a leaf by another CA of the same name and key id', () => {
      const { authority } = world.sigstore;
      const { privateKey } = generateSigningKey('p256');
      const forged = { ...authority, key: { ...authority.key, privateKey } };
      assert.match(
        message(signWith(world, { authority: forged }), world),
        /no certificate authority .* issued/,
      );
    });

    it('refuses a certificate timestamp by another key in the log’s name', () => {
      const { ctLog } = world.sigstore;
      const other = createCtLog('https://other.test', false);
      const forged = {
        ...ctLog,
        sctExtension: (...args: Parameters<typeof ctLog.sctExtension>) => {
          const extension = other.sctExtension(...args);
          const at = extension.indexOf(other.logId);
          return Buffer.concat([extension.subarray(0, at), ctLog.logId, extension.subarray(at + 32)]);
        },
      };
      assert.match(message(signWith(world, { ctLog: forged }), world), /timestamp that its log did not sign/);
    });

    it('refuses a content signature that only the log entry vouches for', async () => {
      const bundle = await world.sign({ signWithOtherKey: true });
      assert.match(message(bundle, world), /key did not sign it/);
    });

    it('refuses a checkpoint that another key signed in the log’s name', () => {
      const { log } = world.sigstore;
      const text = (valueAt(good, CHECKPOINT) as string).split('\n\n')[0] ?? '';
      const signingKey = generateSigningKey(rekor === 'v1' ? 'p256' : 'ed25519');
      const forged = log.signNote(`${text}\n`, { signingKey });
      assert.match(message(change(good, CHECKPOINT, forged), world), /wrong signature of the log/);
      assert.equal(message(change(good, CHECKPOINT, log.signNote(`${text}\n`)), world), 'accepted');
    });

    it('refuses a checkpoint on which only a witness is right', () => {
      const { log } = world.sigstore;
      const text = (valueAt(good, CHECKPOINT) as string).split('\n\n')[0] ?? '';
      const signingKey = generateSigningKey('ed25519');
      const witness = { name: 'witness.test', keyId: Buffer.from('abcd'), signingKey };
      const alone = log.signNote(`${text}\n`, witness);
      assert.match(message(change(good, CHECKPOINT, alone), world), /not signed by the log/);
      const own = log.signNote(`${text}\n`).split('\n').at(-2) ?? '';
      assert.equal(message(change(good, CHECKPOINT, `${alone}${own}\n`), world), 'accepted');
      const broken = log.signNote(`${text}\n`, { signingKey }).split('\n').at(-2) ?? '';
      if (rekor === 'v2')
        assert.match(message(change(good, CHECKPOINT, `${alone}${broken}\n`), world), /wrong signature/);
    });

    it('refuses a proof in which one hash is another', () => {
      const path: Path = [...ENTRY, 'inclusionProof', 'hashes', 0];
      const changed = change(good, path, Buffer.alloc(32, 7).toString('base64'));
      assert.match(message(changed, world), /does not lead to the checkpoint/);
    });

    it('refuses the proof of another leaf', () => {
      const path: Path = [...ENTRY, 'inclusionProof', 'logIndex'];
      assert.match(message(change(good, path, '1'), world), /does not lead to the checkpoint/);
    });

    it('refuses a timestamp by another key under the right serial number', async () => {
      const bundle = await world.sign({ omitTimestamp: false });
      const stamp = (signingKey?: ReturnType<typeof generateSigningKey>): string =>
        world.sigstore.timestampAuthority
          .timestamp(signatureOf(bundle), new Date(), signingKey && { signingKey: signingKey.privateKey })
          .toString('base64');
      assert.equal(message(change(bundle, STAMP, stamp()), world), 'accepted');
      const forged = change(bundle, STAMP, stamp(generateSigningKey('p256')));
      assert.match(message(forged, world), /not signed by the authority that it names/);
    });
  });

describe('the promise of a Rekor v1 entry', () => {
  it('refuses the promise of another entry of the same log', async () => {
    const world = await createWorld('v1');
    const [one, other] = [await world.sign(), await world.sign()];
    const path: Path = [...ENTRY, 'inclusionPromise'];
    const swapped = change(one, path, (valueAt(other, ENTRY) as unknown as LogEntry).inclusionPromise);
    assert.match(message(swapped, world), /signed entry timestamp is not by the log/);
  });
});
