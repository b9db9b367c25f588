// Which signature does an algorithm identifier name, and is a key good for it? The closed list for certificates,
// timestamps and logs: ECDSA, RSA PKCS#1 v1.5 and Ed25519 with SHA-2 (RFC 5758, RFC 4055, RFC 8410).
import { verify, type KeyObject } from 'node:crypto';
import { childrenOf, DER_TAG, DerError, toOid, type DerElement } from '../lib/der.ts';

/** Names of the hashes that count, as node:crypto spells them. */
export type HashName = 'sha256' | 'sha384' | 'sha512';

/** A signature algorithm: kind of key and hash; Ed25519 has none of its own choice. */
export interface SignatureAlgorithm {
  readonly keyType: 'ec' | 'rsa' | 'ed25519';
  readonly hash: HashName | null;
}

const SIGNATURES: Readonly<Record<string, SignatureAlgorithm>> = {
  '1.2.840.10045.4.3.2': { keyType: 'ec', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { keyType: 'ec', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { keyType: 'ec', hash: 'sha512' },
  '1.2.840.113549.1.1.11': { keyType: 'rsa', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { keyType: 'rsa', hash: 'sha384' },
  '1.2.840.113549.1.1.13': { keyType: 'rsa', hash: 'sha512' },
  '1.3.101.112': { keyType: 'ed25519', hash: null },
};
const RSA_ENCRYPTION = '1.2.840.113549.1.1.1';
const HASHES: Readonly<Record<string, HashName>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
/** Smallest modulus of an RSA key, in bits. */
export const MIN_RSA_BITS = 2048;

/**
 * Reads the AlgorithmIdentifier of a signature.
 * @param digest hash that a CMS signer names beside `rsaEncryption`, which names none (RFC 3370 §3.2)
 * @throws DerError for other algorithms and for parameters that do not belong
 */
export function readSignatureAlgorithm(
  element: DerElement | undefined,
  digest?: HashName,
): SignatureAlgorithm {
  const [type, parameters, ...others] = childrenOf(element, DER_TAG.sequence);
  const oid = toOid(type);
  const algorithm = toAlgorithm(oid, digest);
  // RFC 5758 §3.2 and RFC 8410 §3: no parameters; RFC 4055 §5: NULL.
  const isGood = algorithm.keyType === 'rsa' ? isNull(parameters) : parameters === undefined;
  if (!isGood || others.length > 0) throw new DerError(`signature algorithm ${oid} has wrong parameters`);
  return algorithm;
}

function toAlgorithm(oid: string, digest: HashName | undefined): SignatureAlgorithm {
  if (oid === RSA_ENCRYPTION && digest !== undefined) return { keyType: 'rsa', hash: digest };
  const algorithm = Object.hasOwn(SIGNATURES, oid) ? SIGNATURES[oid] : undefined;
  if (algorithm === undefined) throw new DerError(`signature algorithm ${oid} is not supported`);
  return algorithm;
}

function isNull(parameters: DerElement | undefined): boolean {
  return parameters?.tag === DER_TAG.null && parameters.content.length === 0;
}

/** Reads the AlgorithmIdentifier of a hash; parameters are absent or NULL (RFC 5754 §2). @throws DerError */
export function readHashAlgorithm(element: DerElement | undefined): HashName {
  const [type, parameters, ...others] = childrenOf(element, DER_TAG.sequence);
  const oid = toOid(type);
  const hash = Object.hasOwn(HASHES, oid) ? HASHES[oid] : undefined;
  if (hash === undefined) throw new DerError(`hash algorithm ${oid} is not supported`);
  if ((parameters !== undefined && !isNull(parameters)) || others.length > 0)
    throw new DerError(`hash algorithm ${oid} has wrong parameters`);
  return hash;
}

/** True when the key is of the algorithm's kind and verifies the signature over these bytes. */
export function verifyWithAlgorithm(
  { keyType, hash }: SignatureAlgorithm,
  key: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  return key.asymmetricKeyType === keyType && verify(hash, data, key, signature);
}

/** True for keys that authorities may use: P-256, P-384, P-521, RSA of 2048 bits or more, Ed25519. */
export function isStrongKey(key: KeyObject): boolean {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType;
  if (type === 'ec') return CURVES.has(namedCurve);
  return type === 'rsa' ? modulusLength >= MIN_RSA_BITS : type === 'ed25519';
}

/** The algorithm of logs, which name none: SHA-256 with ECDSA or RSA, or Ed25519 (RFC 6962 §2.1.4, C2SP signed-note). */
export function toLogAlgorithm(key: KeyObject): SignatureAlgorithm {
  if (key.asymmetricKeyType === 'ed25519') return { keyType: 'ed25519', hash: null };
  return { keyType: key.asymmetricKeyType === 'rsa' ? 'rsa' : 'ec', hash: 'sha256' };
}
