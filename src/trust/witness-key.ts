// Whose cosignature on a checkpoint counts? Reads a witness's public key: a note verifier key as witnesses publish it,
// or PEM. C2SP tlog-cosignature: Ed25519, `cosignature/v1`, key id from name and key.
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { decodeBase64 } from '../lib/base64.ts';
import { toErrorMessage, quote } from '../lib/text.ts';

/** Signature type `cosignature/v1` with Ed25519 (C2SP signed-note, "Signature types"). */
const COSIGNATURE_V1 = 0x04;
const ED25519_BYTES = 32;
const KEY_ID_BYTES = 4;

/** A witness that a TrustRoot names. */
export interface WitnessKey {
  /** Name on its signature lines. */
  readonly name: string;
  readonly publicKey: KeyObject;
  /** The 4 bytes before its signatures: SHA-256(name, newline, 0x04, key), cut. */
  readonly keyId: Buffer;
}

/** A key, or one clause on what is wrong. */
export type WitnessKeyResult =
  { readonly ok: true; readonly witness: WitnessKey } | { readonly ok: false; readonly problem: string };

/** Reads `name+keyid+base64` or an Ed25519 `PUBLIC KEY` PEM block. */
export function parseWitnessKey(name: string, text: string): WitnessKeyResult {
  const trimmed = text.trim();
  return trimmed.startsWith('-----BEGIN') ? parsePem(name, trimmed) : parseVerifierKey(name, trimmed);
}

function parsePem(name: string, pem: string): WitnessKeyResult {
  if (!pem.startsWith('-----BEGIN PUBLIC KEY-----'))
    return { ok: false, problem: 'its PEM block is no PUBLIC KEY' };
  try {
    return toWitness(name, createPublicKey(pem));
  } catch (error) {
    return { ok: false, problem: `its PUBLIC KEY does not parse: ${quote(toErrorMessage(error), 80)}` };
  }
}

function parseVerifierKey(name: string, text: string): WitnessKeyResult {
  const [, named, id, encoded] = /^([^+\s]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,128})$/.exec(text) ?? [];
  if (named === undefined || encoded === undefined)
    return { ok: false, problem: 'it is neither a PUBLIC KEY in PEM nor name+keyid+base64' };
  if (named !== name) return { ok: false, problem: `its key is named ${quote(named, 80)}` };
  const bytes = decodeBase64(encoded);
  if (bytes?.length !== 1 + ED25519_BYTES || bytes[0] !== COSIGNATURE_V1)
    return { ok: false, problem: 'it is no Ed25519 key for cosignature/v1 (type 4)' };
  const x = bytes.subarray(1).toString('base64url');
  const result = toWitness(name, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }));
  if (result.ok && result.witness.keyId.toString('hex') !== id)
    return { ok: false, problem: `its key id is ${result.witness.keyId.toString('hex')}` };
  return result;
}

function toWitness(name: string, publicKey: KeyObject): WitnessKeyResult {
  if (publicKey.asymmetricKeyType !== 'ed25519') return { ok: false, problem: 'it is no Ed25519 key' };
  const { x } = publicKey.export({ format: 'jwk' });
  const keyId = createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([COSIGNATURE_V1]))
    .update(Buffer.from(x ?? '', 'base64url'))
    .digest()
    .subarray(0, KEY_ID_BYTES);
  return { ok: true, witness: { name, publicKey, keyId } };
}
