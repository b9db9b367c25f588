// Does this key sign this artifact? Plain message signatures, over the artifact's bytes where they are at hand, over
// its SHA-256 where only that is known; what cannot be decided from a hash is refused by name.
import { constants, createHash, publicDecrypt, type KeyObject } from 'node:crypto';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import type { MessageSignature } from './any-bundle.ts';
import type { SignedContent } from './content.ts';
import { SignatureError } from './error.ts';
import { findAlgorithm, isSigningKey } from './key-algorithm.ts';
import type { HashName } from './signature-algorithm.ts';

/** A file: its bytes, or its SHA-256 alone. */
export type Artifact =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'digest'; readonly sha256: Buffer };

/** The artifact's hash; undefined when only another one is known. */
export function toArtifactDigest(artifact: Artifact, hash: HashName): Buffer | undefined {
  if (artifact.kind === 'bytes') return createHash(hash).update(artifact.bytes).digest();
  return hash === 'sha256' ? artifact.sha256 : undefined;
}

/** A message signature over this artifact. @throws SignatureError when the bundle is about another artifact */
export function toMessageContent(message: MessageSignature, artifact: Artifact): SignedContent {
  const { hash, digest, signature } = message;
  const actual = toArtifactDigest(artifact, hash);
  if (actual === undefined)
    throw new SignatureError('UnsupportedFormat', `a signature over ${hash} needs the file, not its sha256`);
  if (!actual.equals(digest)) throw new SignatureError('SubjectMismatch', 'it is about another artifact');
  const bytes = artifact.kind === 'bytes' ? artifact.bytes : undefined;
  return {
    source: { kind: 'message', artifact: bytes, hash },
    signature,
    signedDigest: (name) => toArtifactDigest(artifact, name),
    payloadDigest: () => undefined,
    findAlgorithm: (key) =>
      bytes === undefined
        ? findPrehashedAlgorithm(key, actual, signature)
        : findAlgorithm(key, bytes, signature, [hash]),
  };
}

const CURVES: Readonly<Record<string, typeof p256>> = {
  prime256v1: p256,
  secp384r1: p384,
  secp521r1: p521,
};
// RFC 8017 §9.2, note 1: DigestInfo of SHA-256 up to the hash.
const SHA256_DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');

// node:crypto hashes what it verifies, so ECDSA over a hash is left to @noble/curves; the one encoding of DigestInfo is
// compared whole.
function findPrehashedAlgorithm(key: KeyObject, digest: Buffer, signature: Buffer): string | undefined {
  if (!isSigningKey(key)) return undefined;
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (curve !== undefined) return isEcdsaOver(curve, { key, digest, signature }) ? 'ecdsa-sha256' : undefined;
  if (key.asymmetricKeyType === 'rsa')
    return isPkcs1Over(key, digest, signature) ? 'rsa-pkcs1-sha256' : undefined;
  throw new SignatureError(
    'UnsupportedFormat',
    `a signature by a key of type ${key.asymmetricKeyType ?? 'unknown'} needs the file, not its digest`,
  );
}

function isEcdsaOver(
  curve: typeof p256,
  { key, digest, signature }: { key: KeyObject; digest: Buffer; signature: Buffer },
): boolean {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  try {
    return curve.verify(signature, digest, point, { prehash: false, format: 'der', lowS: false });
  } catch {
    // signatures that are no DER
    return false;
  }
}

function isPkcs1Over(key: KeyObject, digest: Buffer, signature: Buffer): boolean {
  try {
    const info = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
    return info.equals(Buffer.concat([SHA256_DIGEST_INFO, digest]));
  } catch {
    return false;
  }
}
