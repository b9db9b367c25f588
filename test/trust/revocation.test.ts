// Does a revocation find what it names, and nothing else?
import assert from 'node:assert/strict';
import { findRevocation, NO_REVOCATIONS, type RevocableParts } from '../../src/trust/revocation.ts';

const SPKI = 'ab'.repeat(32);
const DIGEST = `sha256:${'cd'.repeat(32)}`;
const REVOKED = {
  spkis: new Map([[SPKI, 'key leaked']]),
  certificateSerials: new Map([['3a9f', 'runner was compromised']]),
  artifactDigests: new Map([[DIGEST, 'it answers\nin verse']]),
};
const NOTHING: RevocableParts = { spkis: [], certificateSerials: [], artifactDigests: [] };
const OTHER: RevocableParts = {
  spkis: ['ef'.repeat(32)],
  certificateSerials: ['3a9f00'],
  artifactDigests: [`sha256:${'00'.repeat(32)}`],
};

describe('findRevocation()', () => {
  for (const [title, parts, message] of [
    ['a key', { spkis: [SPKI] }, /its key "ab.*" is revoked: "key leaked"/],
    ['a key of the chain', { spkis: ['ef'.repeat(32), SPKI] }, /is revoked/],
    ['a key in capitals with its algorithm', { spkis: [`sha256:${SPKI.toUpperCase()}`] }, /is revoked/],
    ['a certificate', { certificateSerials: ['3a9f'] }, /its certificate "3a9f" is revoked: "runner/],
    ['a certificate with leading zeros', { certificateSerials: ['003A9F'] }, /is revoked/],
    ['a certificate with colons', { certificateSerials: ['3A:9F'] }, /is revoked/],
    [
      'an artifact',
      { artifactDigests: [DIGEST] },
      /its artifact "sha256:.*" is revoked: "it answers\\nin verse"/,
    ],
  ] as const)
    it(`finds ${title}`, () => {
      const finding = findRevocation({ ...OTHER, ...parts }, REVOKED);
      assert.equal(finding?.reason, 'Revoked');
      assert.match(finding.message, message);
    });

  it('finds nothing where nothing is named', () => {
    assert.equal(findRevocation(OTHER, REVOKED), undefined);
    assert.equal(findRevocation(NOTHING, REVOKED), undefined);
    assert.equal(findRevocation({ ...OTHER, spkis: [SPKI] }, NO_REVOCATIONS), undefined);
  });

  it('does not take one kind for another', () => {
    assert.equal(findRevocation({ ...NOTHING, certificateSerials: [SPKI] }, REVOKED), undefined);
    assert.equal(findRevocation({ ...NOTHING, artifactDigests: [SPKI] }, REVOKED), undefined);
  });
});
