// Are witnesses' keys read as they are published, and refused when they are something else?
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { parseWitnessKey } from '../../src/trust/witness-key.ts';

const NAME = 'witness.example.com/one';
const { publicKey } = generateKeyPairSync('ed25519');
const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
const PEM = publicKey.export({ type: 'spki', format: 'pem' });

/** A verifier key as C2SP signed-note writes it. */
function toVerifierKey(name: string, type = 4, key = raw): string {
  const id = createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([type]))
    .update(key)
    .digest('hex')
    .slice(0, 8);
  return `${name}+${id}+${Buffer.concat([Buffer.from([type]), key]).toString('base64')}`;
}

describe('parseWitnessKey()', () => {
  it('reads a verifier key and a PEM block into the same witness', () => {
    const [a, b] = [parseWitnessKey(NAME, toVerifierKey(NAME)), parseWitnessKey(NAME, PEM)];
    assert.ok(a.ok && b.ok);
    assert.ok(a.witness.publicKey.equals(b.witness.publicKey));
    assert.deepEqual(a.witness.keyId, b.witness.keyId);
    assert.equal(a.witness.keyId.toString('hex'), toVerifierKey(NAME).split('+')[1]);
  });

  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  for (const [title, text, problem] of [
    ['another name', toVerifierKey('else'), /its key is named "else"/],
    ['the type of a log', toVerifierKey(NAME, 1), /no Ed25519 key for cosignature/],
    ['a short key', toVerifierKey(NAME, 4, raw.subarray(1)), /no Ed25519 key/],
    ['another id', toVerifierKey(NAME).replace(/\+[0-9a-f]{8}\+/, '+00000000+'), /its key id is/],
    ['text', 'hello', /neither/],
    ['another algorithm', other.publicKey.export({ type: 'spki', format: 'pem' }), /no Ed25519 key/],
    ['a private key', other.privateKey.export({ type: 'pkcs8', format: 'pem' }), /no PUBLIC KEY/],
    ['a broken block', PEM.replace('MC', 'XX'), /does not parse/],
  ] as const)
    it(`refuses ${title}`, () => {
      const result = parseWitnessKey(NAME, text);
      assert.ok(!result.ok);
      assert.match(result.problem, problem);
    });
});
