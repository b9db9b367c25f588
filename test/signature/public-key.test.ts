// Which PEM texts become keys that may sign models?
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import * as der from '../../src/demo/der.ts';
import { certificatePem } from '../../src/demo/certificate.ts';
import { createRootAuthority } from '../../src/demo/certificate-authority.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { keyHint, signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { MAX_KEYS, parsePublicKeys } from '../../src/signature/public-key.ts';
import { keyAuthority, outcome, STATEMENT } from './support.ts';

const toPem = (bytes: Buffer, label = 'PUBLIC KEY'): string =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64')}\n-----END ${label}-----\n`;

function problemOf(pem: string): string {
  const result = parsePublicKeys(pem);
  return result.ok ? 'parsed' : result.problem;
}

describe('parsePublicKeys', () => {
  it('reads every supported kind', () => {
    for (const kind of [
      'p256',
      'p384',
      'p521',
      'ed25519',
      'rsa2048',
      'mldsa44',
      'mldsa65',
      'mldsa87',
    ] as const) {
      const result = parsePublicKeys(generateSigningKey(kind).publicKeyPem);
      assert.ok(result.ok);
      assert.match(result.keys[0]?.fingerprint ?? '', /^[0-9a-f]{64}$/);
    }
  });

  it('knows the hints that cosign and model_signing write', () => {
    const { publicKey, publicKeyPem } = generateSigningKey('p256');
    const result = parsePublicKeys(publicKeyPem);
    assert.ok(result.ok);
    assert.ok(result.keys[0]?.hints.has(keyHint(publicKey)));
    assert.ok(result.keys[0]?.hints.has(keyHint(publicKey, 'model_signing')));
  });

  it('counts one key once, in whatever encoding and however often it stands there', () => {
    const key = generateSigningKey('p256');
    const jwk = key.publicKey.export({ format: 'jwk' });
    const [x, y] = [Buffer.from(jwk.x ?? '', 'base64url'), Buffer.from(jwk.y ?? '', 'base64url')];
    const odd = (y.at(-1) ?? 0) & 1;
    const algorithm = der.sequence(
      der.objectIdentifier('1.2.840.10045.2.1'),
      der.objectIdentifier('1.2.840.10045.3.1.7'),
    );
    const encode = (...point: Buffer[]): string =>
      toPem(der.sequence(algorithm, der.bitString(Buffer.concat(point))));
    const compressed = encode(Buffer.from([2 + odd]), x);
    const hybrid = encode(Buffer.from([6 + odd]), x, y);
    const all = parsePublicKeys(key.publicKeyPem + compressed + hybrid + key.publicKeyPem);
    assert.ok(all.ok);
    assert.equal(all.keys.length, 1);
    assert.equal(outcome(signBundleWithKey(STATEMENT, key), keyAuthority(compressed)), 'accepted');
  });

  it('gives a key with explicit curve parameters the fingerprint of the named curve', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
    const named = createPublicKey({ key: publicKey.export({ format: 'jwk' }), format: 'jwk' });
    const pems = [publicKey, named].map((key) => key.export({ type: 'spki', format: 'pem' }));
    assert.notEqual(pems[0], pems[1]);
    const result = parsePublicKeys(pems.join(''));
    assert.ok(result.ok);
    assert.equal(result.keys.length, 1);
  });

  it('refuses keys that may not sign', () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
    const rsa = weak.export({ type: 'spki', format: 'pem' });
    const others = [
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('ec', { namedCurve: 'secp224r1' }),
      generateKeyPairSync('ed448'),
      generateKeyPairSync('slh-dsa-sha2-128s'),
      generateKeyPairSync('x25519'),
    ].map(({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' }));
    for (const pem of [rsa, ...others]) assert.match(problemOf(pem), /not supported/);
  });

  it('takes a key that is for RSA PSS only for nothing else', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    assert.equal(
      outcome(signBundleWithKey(STATEMENT, { privateKey }, { pss: true }), keyAuthority(pem)),
      'accepted',
    );
    const stranger = signBundleWithKey(STATEMENT, generateSigningKey('rsa2048'));
    assert.equal(outcome(stranger, keyAuthority(pem)), 'SignerNotTrusted');
  });

  it('refuses private keys and certificates, from which a key could be taken', () => {
    const { privateKey } = generateSigningKey('p256');
    assert.match(problemOf(String(privateKey.export({ type: 'pkcs8', format: 'pem' }))), /not PUBLIC KEY/);
    assert.match(problemOf(certificatePem(createRootAuthority('r').certificate)), /not PUBLIC KEY/);
  });

  it('refuses all when one block is broken', () => {
    const good = generateSigningKey('p256').publicKeyPem;
    assert.match(problemOf(good + toPem(Buffer.from('no key'))), /does not parse/);
  });

  it('refuses text without a block, and too many blocks', () => {
    for (const pem of [
      '',
      'x',
      '-----BEGIN PUBLIC KEY-----',
      '-----BEGIN PUBLIC KEY----- -----BEGIN '.repeat(1000),
    ])
      assert.match(problemOf(pem), /no PEM block/);
    assert.match(problemOf(generateSigningKey('p256').publicKeyPem.repeat(MAX_KEYS + 1)), /more than/);
  });

  it('reads hostile text fast', () => {
    for (const text of ['-----BEGIN A-----', '-----BEGIN A-----x', '-----BEGIN '])
      problemOf(text.repeat(Math.ceil(1_000_000 / text.length)));
    problemOf(`-----BEGIN A-----${'x'.repeat(1_000_000)}`);
  });
});
