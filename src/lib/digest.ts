// What is a content digest? Parsing and computing of `algorithm:hex` (OCI image-spec, descriptor.md "Digests").
import { createHash } from 'node:crypto';

const HEX_CHARS = { sha256: 64, sha512: 128 } as const;
const LOWER_HEX = /^[0-9a-f]+$/;

/** A registered digest algorithm of the image specification. */
export type DigestAlgorithm = keyof typeof HEX_CHARS;

/** True for `sha256:<64 lower-case hex>` and `sha512:<128 lower-case hex>`, nothing else. */
export function isDigest(text: string): boolean {
  const colon = text.indexOf(':');
  const algorithm = text.slice(0, colon);
  if (algorithm !== 'sha256' && algorithm !== 'sha512') return false;
  const hex = text.slice(colon + 1);
  return hex.length === HEX_CHARS[algorithm] && LOWER_HEX.test(hex);
}

/** Splits a digest that passed {@link isDigest}. */
export function splitDigest(digest: string): { algorithm: DigestAlgorithm; hex: string } {
  const colon = digest.indexOf(':');
  return { algorithm: digest.slice(0, colon) as DigestAlgorithm, hex: digest.slice(colon + 1) };
}

/** Lower-case hex SHA-256. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** True when the bytes hash to the digest. */
export function matchDigest(bytes: Uint8Array, digest: string): boolean {
  const { algorithm, hex } = splitDigest(digest);
  return createHash(algorithm).update(bytes).digest('hex') === hex;
}
