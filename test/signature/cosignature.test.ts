// Which cosignatures of a checkpoint count? Those of known witnesses, each key once; a wrong one in the name of a known
// witness spoils the checkpoint, and strangers change nothing.
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { createTransparencyLog } from '../../src/demo/transparency-log.ts';
import { createWitness, type CosignatureFaults, type Witness } from '../../src/demo/witness.ts';
import { MAX_CHECKPOINT_SIGNATURES, verifyCheckpoint } from '../../src/signature/checkpoint.ts';
import { verifyCosignatures } from '../../src/signature/cosignature.ts';
import { SignatureError } from '../../src/signature/error.ts';
import { toWitnessKey } from './support.ts';

const log = createTransparencyLog('v2', 'https://rekor.models.test');
const NOTE = log.signNote(`rekor.models.test\n12\n${Buffer.alloc(32, 7).toString('base64')}\n`);
const [ONE, TWO, STRANGER] = [createWitness('one.test'), createWitness('two.test'), createWitness('x.test')];
const NOW = new Date('2026-05-05T12:00:00Z');

/** The names that count, or the refusal. */
function cosigners(note: string, witnesses: readonly Witness[] = [ONE, TWO]): readonly string[] | string {
  try {
    return verifyCosignatures(note, { witnesses: witnesses.map(toWitnessKey), notAfter: NOW });
  } catch (error) {
    assert.ok(error instanceof SignatureError, String(error));
    assert.equal(error.reason, 'TransparencyLogInvalid');
    return error.message;
  }
}

describe('verifyCosignatures()', () => {
  it('names the known witnesses that cosigned', () => {
    assert.deepEqual(cosigners(NOTE), []);
    assert.deepEqual(cosigners(ONE.cosign(NOTE, NOW)), ['one.test']);
    assert.deepEqual(cosigners(TWO.cosign(ONE.cosign(NOTE, NOW), NOW)), ['one.test', 'two.test']);
  });

  it('leaves strangers alone, also wrong ones', () => {
    const note = ONE.cosign(STRANGER.cosign(NOTE, NOW, { text: 'junk' }), NOW);
    assert.deepEqual(cosigners(note), ['one.test']);
    assert.deepEqual(cosigners(note, []), []);
  });

  it('knows a witness by name and key together', () => {
    for (const faults of [
      { name: 'two.test' },
      { name: 'one.test.evil' },
      { keyId: Buffer.from('abcd') },
      // A log's key of the same name has another id.
      { keyId: log.logId.subarray(0, 4) },
    ])
      assert.deepEqual(cosigners(ONE.cosign(NOTE, NOW, faults)), [], JSON.stringify(faults));
    const namesake = createWitness('one.test');
    assert.deepEqual(cosigners(namesake.cosign(NOTE, NOW)), []);
    assert.deepEqual(cosigners(ONE.cosign(namesake.cosign(NOTE, NOW), NOW)), ['one.test']);
  });

  it('counts a witness once, however often it signed and whatever it is called', () => {
    const later = new Date(NOW.getTime() - 60_000);
    assert.deepEqual(cosigners(ONE.cosign(ONE.cosign(NOTE, NOW), later)), ['one.test']);
    const alias = createWitness('alias.test', ONE.key);
    const both = alias.cosign(ONE.cosign(NOTE, NOW), NOW);
    assert.deepEqual(cosigners(both, [ONE, alias]), ['one.test']);
  });

  const other = `${NOTE.slice(0, NOTE.lastIndexOf('\n\n') + 1)}more\n`;
  const wrong: readonly (readonly [string, CosignatureFaults, RegExp])[] = [
    ['by another key', { signingKey: generateSigningKey('ed25519') }, /witness "one\.test" .* is wrong$/],
    ['of another tree', { text: other }, /is wrong/],
    ['of another time than it says', { signedAt: new Date(NOW.getTime() - 1000) }, /is wrong/],
    ['with bytes behind it', { extra: Buffer.from([0]) }, /is of another length/],
  ];
  for (const [what, faults, message] of wrong)
    it(`refuses one ${what}, whoever else signed`, () => {
      assert.match(String(cosigners(ONE.cosign(NOTE, NOW, faults))), message);
      assert.match(String(cosigners(TWO.cosign(ONE.cosign(NOTE, NOW, faults), NOW))), message);
      assert.match(
        String(cosigners(ONE.cosign(ONE.cosign(NOTE, NOW), NOW, faults))),
        message,
        'beside a right one',
      );
    });

  it('refuses one that is cut, changed, or a plain note signature', () => {
    const good = ONE.cosign(NOTE, NOW);
    const line = Buffer.from(good.trimEnd().split(' ').at(-1) ?? '', 'base64');
    const withLine = (bytes: Buffer): string => `${NOTE}\u2014 one.test ${bytes.toString('base64')}\n`;
    assert.deepEqual(cosigners(withLine(line)), ['one.test']);
    for (let at = 4; at < line.length; at += 1) {
      const flipped = Buffer.from(line);
      flipped[at] = (flipped[at] ?? 0) ^ 0x01;
      assert.match(String(cosigners(withLine(flipped))), /is wrong/, `byte ${at}`);
    }
    for (const length of [5, 12, 68, 75])
      assert.match(String(cosigners(withLine(line.subarray(0, length)))), /another length/);
  });

  it('takes a time up to the last one allowed, and none beyond', () => {
    assert.deepEqual(cosigners(ONE.cosign(NOTE, new Date(0))), ['one.test']);
    assert.match(String(cosigners(ONE.cosign(NOTE, new Date(NOW.getTime() + 1000)))), /in the future/);
    assert.match(String(cosigners(ONE.cosign(NOTE, new Date(8e15)))), /in the future/);
  });

  it('does not stand in for the log', () => {
    const text = NOTE.slice(0, NOTE.lastIndexOf('\n\n') + 1);
    const unsigned = ONE.cosign(`${text}\n`, NOW);
    const { baseUrl, logId, key } = log;
    const validFor = { start: new Date(0), end: NOW };
    const authority = { baseUrl, logId, publicKey: key.publicKey, operator: '', validFor };
    assert.throws(() => verifyCheckpoint(unsigned, authority), /not signed by the log/);
    assert.equal(verifyCheckpoint(ONE.cosign(NOTE, NOW), authority).size, 12n);
  });

  it('reads no more lines than a checkpoint may have', () => {
    let note = NOTE;
    for (let line = 1; line < MAX_CHECKPOINT_SIGNATURES; line += 1) note = ONE.cosign(note, NOW);
    assert.deepEqual(cosigners(note), ['one.test']);
    assert.match(String(cosigners(ONE.cosign(note, NOW))), /more than 16/);
  });
});
