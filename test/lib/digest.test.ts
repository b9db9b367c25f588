// Is a digest exactly what the image specification registers?
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { isDigest, matchDigest, sha256Hex, splitDigest } from '../../src/lib/digest.ts';

const SHA256 = `sha256:${'a'.repeat(64)}`;

describe('isDigest()', () => {
  it('accepts sha256 and sha512 in lower case', () => {
    assert.ok(isDigest(SHA256));
    assert.ok(isDigest(`sha512:${'0'.repeat(128)}`));
  });

  const refused = [
    '',
    ':',
    'sha256',
    'sha256x',
    'sha256:',
    'a'.repeat(64),
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'a'.repeat(65)}`,
    `sha256:${'A'.repeat(64)}`,
    `SHA256:${'a'.repeat(64)}`,
    `sha256:${'g'.repeat(64)}`,
    `sha512:${'a'.repeat(64)}`,
    `sha384:${'a'.repeat(96)}`,
    `md5:${'a'.repeat(32)}`,
    `sha1:${'a'.repeat(40)}`,
    `${SHA256}\n`,
    ` ${SHA256}`,
    `sha256::${'a'.repeat(63)}`,
    `sha256:${'a'.repeat(63)}\n`,
    `sha256:${'a'.repeat(62)}..`,
    `sha256:${'ａ'.repeat(64)}`,
    `toString:${'a'.repeat(64)}`,
    `__proto__:${'a'.repeat(64)}`,
  ];
  for (const text of refused) {
    it(`refuses ${JSON.stringify(text).slice(0, 40)}`, () => assert.equal(isDigest(text), false));
  }
});

describe('matchDigest()', () => {
  it('compares by the algorithm that the digest names', () => {
    const bytes = Buffer.from('model');
    for (const algorithm of ['sha256', 'sha512'])
      assert.ok(matchDigest(bytes, `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`));
    assert.equal(matchDigest(bytes, SHA256), false);
    assert.equal(matchDigest(Buffer.from('Model'), `sha256:${sha256Hex(bytes)}`), false);
  });
});

describe('splitDigest()', () => {
  it('gives both halves', () =>
    assert.deepEqual(splitDigest(SHA256), { algorithm: 'sha256', hex: 'a'.repeat(64) }));
});
