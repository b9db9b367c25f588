// Does this key sign this envelope? DSSE v1 pre-authentication encoding; which algorithms a key may use is decided
// by key-algorithm.ts. Specification: DSSE protocol.md.
import type { KeyObject } from 'node:crypto';
import type { Envelope } from './bundle.ts';
import { findAlgorithm } from './key-algorithm.ts';

/** The bytes that a DSSE signature is over: `DSSEv1 SP len(type) SP type SP len(payload) SP payload`. */
export function toPreAuthenticationEncoding(payloadType: string, payload: Buffer): Buffer {
  const header = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(header, 'utf8'), payload]);
}

/** The algorithm by which the key verifies the envelope's signature, or undefined when it does not. */
export function findEnvelopeAlgorithm(envelope: Envelope, key: KeyObject): string | undefined {
  const encoded = toPreAuthenticationEncoding(envelope.payloadType, envelope.payload);
  return findAlgorithm(key, encoded, envelope.signature);
}
