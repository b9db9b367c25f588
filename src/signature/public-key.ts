// Which public keys does an admin trust? Reads PEM blocks into keys that are allowed to sign models.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { sha256Hex } from '../lib/digest.ts';
import { quote } from '../lib/text.ts';
import { isSigningKey } from './key-algorithm.ts';

/** Most PEM blocks of one authority: several mean rotation, not a phone book. */
export const MAX_KEYS = 16;

/** A key that an authority names. */
export interface TrustedKey {
  readonly key: KeyObject;
  /** Lower-case hex SHA-256 of the SubjectPublicKeyInfo DER. */
  readonly fingerprint: string;
  /** Everything tools write as a hint for this key: looking aids, never trust. */
  readonly hints: ReadonlySet<string>;
}

/** Keys, or why the text holds none that may be used. */
export type KeysResult =
  | { readonly ok: true; readonly keys: readonly TrustedKey[] }
  | { readonly ok: false; readonly problem: string };

/** Parses one or more `PUBLIC KEY` PEM blocks: ECDSA P-256, P-384, P-521, Ed25519, RSA from 2048 bits, ML-DSA. */
export function parsePublicKeys(pem: string): KeysResult {
  const blocks =
    pem.match(/-----BEGIN [A-Z0-9 ]{1,40}-----[^-]{1,10000}-----END [A-Z0-9 ]{1,40}-----/g) ?? [];
  if (blocks.length === 0) return { ok: false, problem: 'it holds no PEM block' };
  if (blocks.length > MAX_KEYS) return { ok: false, problem: `it holds more than ${MAX_KEYS} PEM blocks` };
  const keys: TrustedKey[] = [];
  for (const block of blocks) {
    const result = parsePublicKey(block);
    if (typeof result === 'string') return { ok: false, problem: result };
    // One key listed twice is one signer.
    if (!keys.some(({ fingerprint }) => fingerprint === result.fingerprint)) keys.push(result);
  }
  return { ok: true, keys };
}

function parsePublicKey(block: string): TrustedKey | string {
  // createPublicKey would also take a private key or a certificate and derive a public key from it.
  const label = /^-----BEGIN ([A-Z0-9 ]+)-----/.exec(block)?.[1] ?? '';
  if (label !== 'PUBLIC KEY') return `a PEM block is ${quote(label, 40)}, not PUBLIC KEY`;
  let key: KeyObject;
  try {
    key = createPublicKey(block);
  } catch {
    return 'a PUBLIC KEY block does not parse';
  }
  if (!isSigningKey(key)) return `a key of type ${toKind(key)} is not supported`;
  return toTrustedKey(toCanonicalKey(key));
}

function toKind({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  const { namedCurve, modulusLength } = asymmetricKeyDetails ?? {};
  const type = asymmetricKeyType ?? 'unknown';
  const detail = namedCurve ?? (modulusLength === undefined ? undefined : `with ${modulusLength} bits`);
  return detail === undefined ? type : `${type} ${detail}`;
}

// One point has several encodings (SEC 1 §2.3.3): the same key must have one fingerprint, or it counts as two signers.
function toCanonicalKey(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'ec') return key;
  return createPublicKey({ key: key.export({ format: 'jwk' }), format: 'jwk' });
}

function toTrustedKey(key: KeyObject): TrustedKey {
  const der = key.export({ type: 'spki', format: 'der' });
  const fingerprint = sha256Hex(der);
  const canonicalPem = key.export({ type: 'spki', format: 'pem' });
  return {
    key,
    fingerprint,
    // cosign: base64 of the DER's hash; model_signing: hex hash of the PEM text with its final newline.
    hints: new Set([
      Buffer.from(fingerprint, 'hex').toString('base64'),
      sha256Hex(Buffer.from(canonicalPem)),
      fingerprint,
    ]),
  };
}
