// Which keys does the signing kit use? Fresh key pairs of every kind that cosign and model_signing sign with.
// Leaves signing to sign-with-key.ts; nothing here is ever written to disk.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';

/** Kinds of keys in use for model signatures. */
export type SigningKeyKind =
  'p256' | 'p384' | 'p521' | 'ed25519' | 'rsa2048' | 'mldsa44' | 'mldsa65' | 'mldsa87';

/** A key pair, its public half also as the PEM text that policies carry. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly publicKeyPem: string;
}

/** A fresh key pair of the given kind. */
export function generateSigningKey(kind: SigningKeyKind): SigningKey {
  const { privateKey, publicKey } = GENERATORS[kind]();
  return { privateKey, publicKey, publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }) };
}

/** The DER form (SubjectPublicKeyInfo) of a key's public half. */
export function publicKeyDer(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const GENERATORS: Readonly<Record<SigningKeyKind, () => KeyPair>> = {
  p256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed25519: () => generateKeyPairSync('ed25519'),
  rsa2048: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  mldsa44: () => generateKeyPairSync('ml-dsa-44'),
  mldsa65: () => generateKeyPairSync('ml-dsa-65'),
  mldsa87: () => generateKeyPairSync('ml-dsa-87'),
};
