// Does the kit's witness write what C2SP says? Checked with the specification's words, not with our own reader.
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { createTransparencyLog } from '../../src/demo/transparency-log.ts';
import { createWitness } from '../../src/demo/witness.ts';
import { parseWitnessKey } from '../../src/trust/witness-key.ts';

describe('createWitness()', () => {
  const text = `rekor.models.test\n12\n${Buffer.alloc(32, 7).toString('base64')}\n`;
  const note = createTransparencyLog('v2', 'https://rekor.models.test').signNote(text);
  const witness = createWitness('witness.models.test');

  it('adds one line: name, key id, time and signature over both time and text', () => {
    const cosigned = witness.cosign(note, new Date('2026-05-05T12:00:00.900Z'));
    assert.ok(cosigned.startsWith(note));
    const [dash, name, encoded = '', ...others] = cosigned.slice(note.length, -1).split(' ');
    assert.deepEqual([dash, name, others], ['\u2014', 'witness.models.test', []]);
    const bytes = Buffer.from(encoded, 'base64');
    assert.equal(bytes.length, 4 + 8 + 64);
    assert.equal(bytes.subarray(0, 4).toString('hex'), witness.verifierKey.split('+')[1]);
    assert.equal(bytes.readBigUInt64BE(4), 1_777_982_400n);
    const signed = Buffer.from(`cosignature/v1\ntime 1777982400\n${text}`);
    assert.ok(verify(null, signed, witness.key.publicKey, bytes.subarray(12)));
  });

  it('publishes a key that our reader takes, with the same id', () => {
    const parsed = parseWitnessKey(witness.name, witness.verifierKey);
    assert.ok(parsed.ok && parsed.witness.publicKey.equals(witness.key.publicKey));
  });
});
