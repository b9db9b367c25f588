// Does this key sign this envelope? DSSE v1 pre-authentication encoding, and the algorithms each key type may use.
// Specification: DSSE protocol.md; hashes by curve as cosign and model_signing write them, SHA-256 as older tools did.
import { verify, type KeyObject } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import type { Envelope } from './bundle.ts';

/** The bytes that a DSSE signature is over: `DSSEv1 SP len(type) SP type SP len(payload) SP payload`. */
export function toPreAuthenticationEncoding(payloadType: string, payload: Buffer): Buffer {
  const header = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(header, 'utf8'), payload]);
}

const CURVE_HASHES: Readonly<Record<string, readonly string[]>> = {
  prime256v1: ['sha256'],
  secp384r1: ['sha384', 'sha256'],
  secp521r1: ['sha512', 'sha256'],
};

/** True when the public key verifies the envelope's signature; false for every key type that is not supported. */
export function verifyEnvelope(envelope: Envelope, key: KeyObject): boolean {
  const encoded = toPreAuthenticationEncoding(envelope.payloadType, envelope.payload);
  return findAlgorithm(key, encoded, envelope.signature) !== undefined;
}

/** The algorithm by which the key verifies the signature over the data, such as `ecdsa-sha256`, if it does. */
export function findAlgorithm(key: KeyObject, data: Buffer, signature: Buffer): string | undefined {
  if (key.asymmetricKeyType === 'ed25519') {
    if (verify(null, data, key, signature)) return 'ed25519';
    return verifyPrehashed(data, key, signature) ? 'ed25519ph' : undefined;
  }
  if (key.asymmetricKeyType !== 'ec') return undefined;
  const hashes = CURVE_HASHES[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? [];
  const hash = hashes.find((name) => verify(name, data, key, signature));
  return hash === undefined ? undefined : `ecdsa-${hash}`;
}

// RFC 8032 §5.1 Ed25519ph with empty context: what cosign 2.6 and 3 write for Ed25519 keys.
function verifyPrehashed(data: Buffer, key: KeyObject, signature: Buffer): boolean {
  const { x } = key.export({ format: 'jwk' });
  if (x === undefined || signature.length !== 64) return false;
  // strict points: cofactorless-only encodings must not make one signature count twice
  return ed25519ph.verify(signature, data, Buffer.from(x, 'base64url'), { zip215: false });
}
