// Which notes are checkpoints of a log? Exactly those that it signed, in its name, in the one form of the format.
import assert from 'node:assert/strict';
import { createTransparencyLog, type TransparencyLog } from '../../src/demo/transparency-log.ts';
import { MAX_CHECKPOINT_SIGNATURES, verifyCheckpoint } from '../../src/signature/checkpoint.ts';
import { SignatureError } from '../../src/signature/error.ts';
import type { PreparedLog } from '../../src/signature/prepared-trust.ts';

const ROOT = Buffer.alloc(32, 7).toString('base64');
const validFor = { start: new Date(0), end: new Date(8e15) };

function trusted({ baseUrl, logId, key }: TransparencyLog, more: Partial<PreparedLog> = {}): PreparedLog {
  return { baseUrl, operator: '', logId, publicKey: key.publicKey, validFor, ...more };
}

function refusal(note: string, log: PreparedLog): string {
  try {
    verifyCheckpoint(note, log);
    return 'accepted';
  } catch (error) {
    assert.ok(error instanceof SignatureError, String(error));
    assert.equal(error.reason, 'TransparencyLogInvalid');
    return error.message;
  }
}

describe('verifyCheckpoint', () => {
  for (const version of ['v1', 'v2'] as const) {
    const log = createTransparencyLog(version, 'https://rekor.models.test');
    const authority = trusted(log);
    const sign = (text: string): string => log.signNote(text);

    it(`reads a checkpoint of a Rekor ${version}`, () => {
      const { origin, size, rootHash } = verifyCheckpoint(
        sign(`rekor.models.test\n12\n${ROOT}\n`),
        authority,
      );
      assert.deepEqual([origin, size, rootHash.toString('base64')], ['rekor.models.test', 12n, ROOT]);
      assert.equal(refusal(sign(`rekor.models.test\n12\n${ROOT}\nTimestamp: 1\n`), authority), 'accepted');
    });

    it(`takes the name with a tree number of a Rekor ${version}, and no other addition`, () => {
      assert.equal(refusal(sign(`rekor.models.test - 123\n12\n${ROOT}\n`), authority), 'accepted');
      for (const origin of [
        'rekor.models.test - x',
        'rekor.models.test -',
        'rekor.models.test2',
        'x rekor.models.test',
      ])
        assert.match(refusal(sign(`${origin}\n12\n${ROOT}\n`), authority), /another origin/);
    });

    it(`refuses other forms, although the Rekor ${version} signed them`, () => {
      for (const text of [
        `\n12\n${ROOT}\n`,
        `rekor.models.test\n${ROOT}\n`,
        `rekor.models.test\n12\n`,
        `rekor.models.test\n012\n${ROOT}\n`,
        `rekor.models.test\n-12\n${ROOT}\n`,
        `rekor.models.test\n0x12\n${ROOT}\n`,
        `rekor.models.test\n\n${ROOT}\n`,
        `rekor.models.test\n12\n${ROOT.slice(0, -4)}\n`,
        `rekor.models.test\n12\n${ROOT} \n`,
        `rekor.models.test\n12\n${ROOT}\n\nmore\n`,
        `rekor.models.test\r\n12\r\n${ROOT}\r\n`,
      ])
        assert.notEqual(refusal(sign(text), authority), 'accepted', JSON.stringify(text));
    });
  }

  describe('about signatures', () => {
    const log = createTransparencyLog('v2', 'https://rekor.models.test');
    const other = createTransparencyLog('v2', 'https://rekor.models.test');
    const text = `rekor.models.test\n12\n${ROOT}\n`;
    const good = log.signNote(text);
    const line = good.split('\n').at(-2) ?? '';

    it('refuses text around the signatures', () => {
      for (const note of [
        `${good}x`,
        `${good}\n`,
        good.slice(0, -1),
        `${good}${good}`,
        `x${good}`,
        good.replace('\u2014', '-'),
        good.replace('\u2014 ', '\u2014  '),
      ])
        assert.notEqual(refusal(note, trusted(log)), 'accepted', JSON.stringify(note));
    });

    it('refuses signature lines in other base64, or without a signature after the key id', () => {
      const keyId = log.logId.subarray(0, 4);
      for (const encoded of [`${line.split(' ').at(-1) ?? ''}A`, 'AAAAAAA=A', keyId.toString('base64')])
        assert.match(
          refusal(`${good}\u2014 rekor.models.test ${encoded}\n`, trusted(log)),
          /line that is no signature/,
        );
    });

    it('caps the number of signatures', () => {
      const witness = '\u2014 witness.models.test AAAAAAAA\n';
      const many = (count: number): string => `${text}\n${line}\n${witness.repeat(count - 1)}`;
      assert.equal(refusal(many(MAX_CHECKPOINT_SIGNATURES), trusted(log)), 'accepted');
      assert.match(refusal(many(MAX_CHECKPOINT_SIGNATURES + 1), trusted(log)), /more than 16/);
    });

    it('refuses copies of the log’s line: each would be checked', () => {
      assert.match(refusal(`${good}${line}\n`, trusted(log)), /is signed more than once by the log/);
    });

    it('takes no signature of another log, whatever it is called', () => {
      assert.match(refusal(other.signNote(text), trusted(log)), /not signed by the log/);
      const keyId = log.logId.subarray(0, 4);
      assert.match(refusal(other.signNote(text, { keyId }), trusted(log)), /wrong signature/);
    });

    it('finds the key by the id that the root names', () => {
      const keyId = Buffer.from('abcd');
      const named = log.signNote(text, { keyId });
      assert.match(refusal(named, trusted(log)), /not signed/);
      assert.equal(refusal(named, trusted(log, { checkpointKeyId: keyId })), 'accepted');
      assert.equal(refusal(named, trusted(log, { checkpointKeyId: Buffer.from('abcdefgh') })), 'accepted');
      assert.match(refusal(good, trusted(log, { checkpointKeyId: keyId })), /not signed/);
    });

    it('takes a tree number after the name of the log only', () => {
      const named = (origin: string): string =>
        refusal(log.signNote(`${origin}\n12\n${ROOT}\n`), trusted(log));
      assert.equal(named('rekor.models.test - 123'), 'accepted');
      assert.match(named('rekor.models.evil - 123'), /another origin/);
    });

    it('compares the name with the whole of the log’s address', () => {
      for (const [baseUrl, name, isOwn] of [
        ['https://rekor.models.test', 'rekor.models.test', true],
        ['rekor.models.test', 'rekor.models.test', true],
        ['https://rekor.models.test/', 'rekor.models.test', true],
        ['http://rekor.models.test:3000', 'rekor.models.test', true],
        ['https://rekor.models.test/log', 'rekor.models.test/log', true],
        ['https://rekor.models.test:3000/log', 'rekor.models.test:3000', true],
        ['https://rekor.models.test', 'models.test', false],
        ['https://rekor.models.test', 'https', false],
        ['https://rekor.models.test', 'r', false],
        ['https://rekor.models.test.evil', 'rekor.models.test', false],
        ['', 'rekor.models.test', false],
      ] as const) {
        const note = log.signNote(`${name}\n12\n${ROOT}\n`, { name });
        assert.equal(refusal(note, trusted(log, { baseUrl })) === 'accepted', isOwn, `${baseUrl} ${name}`);
      }
    });
  });
});
