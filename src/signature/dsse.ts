// What exactly does a DSSE signature cover? The v1 pre-authentication encoding; which algorithms a key may use is decided
// by key-algorithm.ts. Specification: DSSE protocol.md.

/** The bytes that a DSSE signature is over: `DSSEv1 SP len(type) SP type SP len(payload) SP payload`. */
export function toPreAuthenticationEncoding(payloadType: string, payload: Buffer): Buffer {
  const header = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(header, 'utf8'), payload]);
}
