// Does an Ed25519 key sign this in the prehashed form? node:crypto knows the pure form only, so the curve is the
// library's; the hash of the message is node's, because attestations are megabytes and the library takes a quarter of a
// second for them. Specification: RFC 8032 §5.1, Ed25519ph with an empty context.
import { createHash } from 'node:crypto';
import { eddsa } from '@noble/curves/abstract/edwards.js';
import { ed25519 } from '@noble/curves/ed25519.js';

const DOMAIN = Buffer.from('SigEd25519 no Ed25519 collisions', 'latin1');

const sha512 = (message: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(createHash('sha512').update(message).digest());

const ed25519ph = eddsa(ed25519.Point, sha512, {
  prehash: sha512,
  // dom2(F, C): F is 1 where the message is hashed first.
  domain: (data: Uint8Array, context: Uint8Array, isPrehashed: boolean) =>
    new Uint8Array(Buffer.concat([DOMAIN, Buffer.of(isPrehashed ? 1 : 0, context.length), context, data])),
});

/** True when the key signed the message. @param publicKey 32 bytes */
export function matchEd25519ph(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  // Strict points: cofactorless-only encodings must not make one signature count twice.
  return ed25519ph.verify(signature, message, publicKey, { zip215: false });
}
