// By which algorithm does this key verify this signature? The closed list of what may sign models, by kind of key;
// every signature is checked by node:crypto, Ed25519ph by @noble/curves, which node:crypto lacks.
import { constants, publicDecrypt, verify, type KeyObject } from 'node:crypto';
import { matchEd25519ph } from './ed25519ph.ts';
import { MIN_RSA_BITS, type HashName } from './signature-algorithm.ts';

// Sigstore's algorithm registry pairs curve and hash; SHA-256 with the larger curves is what older tools wrote.
const CURVE_HASHES: Readonly<Record<string, readonly HashName[]>> = {
  prime256v1: ['sha256'],
  secp384r1: ['sha384', 'sha256'],
  secp521r1: ['sha512', 'sha256'],
};
const RSA_HASHES: readonly HashName[] = ['sha256', 'sha384', 'sha512'];
const ML_DSA = new Set(['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87']);

/** True for keys that may sign models: ECDSA P-256, P-384, P-521, Ed25519, RSA from 2048 bits, ML-DSA. */
export function isSigningKey(key: KeyObject): boolean {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType;
  if (type === 'ec') return Object.hasOwn(CURVE_HASHES, namedCurve);
  if (type === 'rsa' || type === 'rsa-pss') return modulusLength >= MIN_RSA_BITS;
  return type === 'ed25519' || ML_DSA.has(type ?? '');
}

/**
 * The algorithm by which the key verifies the signature over the data, such as `ecdsa-sha256`, `rsa-pss-sha512` or
 * `ed25519ph`; undefined when it does not, and for keys that may not sign models.
 * @param hashes narrows the hashes that count, when the signature names its own
 */
export function findAlgorithm(
  key: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
  hashes: readonly HashName[] = RSA_HASHES,
): string | undefined {
  if (!isSigningKey(key)) return undefined;
  const type = key.asymmetricKeyType;
  if (type === 'ec') return findEcdsa(key, data, signature, hashes);
  if (type === 'rsa' || type === 'rsa-pss') return findRsa(key, data, signature, hashes);
  // RFC 8032 pure Ed25519; FIPS 204 pure ML-DSA with an empty context, as node:crypto verifies it.
  if (verify(null, data, key, signature)) return type;
  return type === 'ed25519' && verifyPrehashed(data, key, signature) ? 'ed25519ph' : undefined;
}

function findEcdsa(
  key: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
  hashes: readonly HashName[],
): string | undefined {
  const allowed = CURVE_HASHES[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? [];
  const hash = allowed.find((name) => hashes.includes(name) && verify(name, data, key, signature));
  return hash === undefined ? undefined : `ecdsa-${hash}`;
}

function findRsa(
  key: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
  hashes: readonly HashName[],
): string | undefined {
  // RFC 8017 §8.1 and §8.2; a key of type id-RSASSA-PSS is for PSS only (RFC 4055 §1.2).
  const paddings =
    key.asymmetricKeyType === 'rsa-pss'
      ? ([['rsa-pss', constants.RSA_PKCS1_PSS_PADDING]] as const)
      : ([
          ['rsa-pkcs1', constants.RSA_PKCS1_PADDING],
          ['rsa-pss', constants.RSA_PKCS1_PSS_PADDING],
        ] as const);
  const { isPkcs1, isPss } = inspectRsa(key, signature);
  const possible = paddings.filter(([name]) => (name === 'rsa-pss' ? isPss : isPkcs1));
  for (const hash of hashes)
    for (const [name, padding] of possible)
      if (verifyRsa(hash, data, { key, padding }, signature)) return `${name}-${hash}`;
  return undefined;
}

// Which padding a signature can have shows without hashing: a large payload costs a hash only for the key that signed it.
// RFC 8017 §9.2: 00 01 ff; §9.1.1: the last byte is bc. What is possible is verified by node:crypto all the same.
function inspectRsa(key: KeyObject, signature: Uint8Array): { isPkcs1: boolean; isPss: boolean } {
  // A key of type id-RSASSA-PSS does nothing but verify.
  if (key.asymmetricKeyType !== 'rsa') return { isPkcs1: false, isPss: true };
  try {
    const encoded = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
    return {
      isPkcs1: encoded[0] === 0 && encoded[1] === 1 && encoded[2] === 0xff,
      isPss: encoded.at(-1) === 0xbc,
    };
  } catch {
    // of another length than the modulus, or not below it
    return { isPkcs1: false, isPss: false };
  }
}

// OpenSSL throws where an id-RSASSA-PSS key is restricted to another hash.
function verifyRsa(
  hash: HashName,
  data: Uint8Array,
  key: { readonly key: KeyObject; readonly padding: number },
  signature: Uint8Array,
): boolean {
  try {
    return verify(hash, data, key, signature);
  } catch {
    return false;
  }
}

// RFC 8032 §5.1 Ed25519ph with empty context: what cosign 2.6 and 3 write for Ed25519 keys.
function verifyPrehashed(data: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  const { x } = key.export({ format: 'jwk' });
  if (x === undefined || signature.length !== 64) return false;
  return matchEd25519ph(signature, data, Buffer.from(x, 'base64url'));
}
