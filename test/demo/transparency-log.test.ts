// Are checkpoints, promises and key ids those of Rekor v1 and v2?
import assert from 'node:assert/strict';
import { createHash, verify } from 'node:crypto';
import { publicKeyDer } from '../../src/demo/keys.ts';
import { createTransparencyLog } from '../../src/demo/transparency-log.ts';

const BODY = { kind: 'dsse', version: '0.0.1', body: Buffer.from('{"a":1}') };
const AT = new Date('2026-01-02T03:04:05.678Z');

interface Checkpoint {
  note: string;
  lines: string[];
  name: string;
  hint: Buffer;
  signature: Buffer;
}

function readCheckpoint(envelope: string): Checkpoint {
  const [note = '', signatures = ''] = envelope.split('\n\n');
  const [dash, name = '', encoded = ''] = signatures.trimEnd().split(' ');
  assert.equal(dash, '\u2014');
  const bytes = Buffer.from(encoded, 'base64');
  return {
    note: `${note}\n`,
    lines: note.split('\n'),
    name,
    hint: bytes.subarray(0, 4),
    signature: bytes.subarray(4),
  };
}

describe('createTransparencyLog', () => {
  it('signs v1 checkpoints with ECDSA and names its key by hash', () => {
    const log = createTransparencyLog('v1', 'https://rekor.models.test');
    assert.deepEqual(log.logId, createHash('sha256').update(publicKeyDer(log.key.publicKey)).digest());
    const entry = log.append(BODY, AT);
    const checkpoint = readCheckpoint(entry.inclusionProof.checkpoint.envelope);
    assert.match(checkpoint.lines[0] ?? '', /^rekor\.models\.test - \d+$/u);
    assert.equal(checkpoint.lines[1], entry.inclusionProof.treeSize);
    assert.equal(checkpoint.lines[2], entry.inclusionProof.rootHash);
    assert.equal(checkpoint.name, 'rekor.models.test');
    assert.deepEqual(checkpoint.hint, log.logId.subarray(0, 4));
    assert.ok(verify('sha256', Buffer.from(checkpoint.note), log.key.publicKey, checkpoint.signature));
  });

  it('signs v2 checkpoints with Ed25519 and names its key as signed notes do', () => {
    const log = createTransparencyLog('v2', 'https://rekor.models.test');
    const entry = log.append(BODY, AT);
    const checkpoint = readCheckpoint(entry.inclusionProof.checkpoint.envelope);
    assert.equal(checkpoint.lines[0], 'rekor.models.test');
    assert.deepEqual(checkpoint.hint, log.logId.subarray(0, 4));
    assert.ok(verify(null, Buffer.from(checkpoint.note), log.key.publicKey, checkpoint.signature));
  });

  it('signs the v1 promise over canonical JSON', () => {
    const log = createTransparencyLog('v1', 'https://rekor.models.test');
    const entry = log.append(BODY, AT);
    assert.equal(entry.integratedTime, '1767323045');
    const signed = `{"body":"eyJhIjoxfQ==","integratedTime":1767323045,"logID":"${log.logId.toString('hex')}","logIndex":${entry.logIndex ?? ''}}`;
    const promise = Buffer.from(entry.inclusionPromise?.signedEntryTimestamp ?? '', 'base64');
    assert.ok(verify('sha256', Buffer.from(signed), log.key.publicKey, promise));
  });

  it('numbers entries in order', () => {
    const log = createTransparencyLog('v2', 'https://rekor.models.test');
    const indexes = [log.append(BODY, AT), log.append(BODY, AT)].map(({ logIndex }) => Number(logIndex));
    assert.deepEqual(indexes, [5, 6]);
  });
});
