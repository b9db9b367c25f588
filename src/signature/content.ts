// What exactly was signed, and by what would a log know it? One view of DSSE envelopes and of plain messages for
// everything that looks at a signature without caring what it means.
import { createHash, type KeyObject } from 'node:crypto';
import type { Envelope } from './bundle.ts';
import { toPreAuthenticationEncoding } from './dsse.ts';
import { findAlgorithm } from './key-algorithm.ts';
import type { HashName } from './signature-algorithm.ts';

/** What the signature is over, as it came; a message of which only the hash is known has no `artifact`. */
export type ContentSource =
  | { readonly kind: 'dsse'; readonly envelope: Envelope }
  | { readonly kind: 'message'; readonly artifact: Uint8Array | undefined; readonly hash: HashName };

/** A signature with what it is over. */
export interface SignedContent {
  readonly source: ContentSource;
  readonly signature: Buffer;
  /** Hash of the bytes under the signature; undefined when only another hash of them is known. */
  readonly signedDigest: (hash: HashName) => Buffer | undefined;
  /** Hash of a DSSE payload; undefined for messages. */
  readonly payloadDigest: (hash: HashName) => Buffer | undefined;
  /** The algorithm by which the key verifies the signature, such as `ecdsa-sha256`, or undefined when it does not. */
  readonly findAlgorithm: (key: KeyObject) => string | undefined;
}

/** A DSSE envelope as signed content. */
export function toEnvelopeContent(envelope: Envelope): SignedContent {
  const encoded = toPreAuthenticationEncoding(envelope.payloadType, envelope.payload);
  return {
    source: { kind: 'dsse', envelope },
    signature: envelope.signature,
    signedDigest: (hash) => createHash(hash).update(encoded).digest(),
    payloadDigest: (hash) => createHash(hash).update(envelope.payload).digest(),
    findAlgorithm: (key) => findAlgorithm(key, encoded, envelope.signature),
  };
}
