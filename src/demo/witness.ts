// Who watches a log? A witness that cosigns checkpoints, any part of which can be wrong on purpose. Leaves checkpoints to
// transparency-log.ts. Specification: C2SP tlog-cosignature.md, `cosignature/v1` with Ed25519.
import { createHash, sign } from 'node:crypto';
import { generateSigningKey, publicKeyDer, type SigningKey } from './keys.ts';

/** Signature type of `cosignature/v1` with Ed25519. */
const COSIGNATURE_V1 = 4;

/** What goes wrong with a cosignature; nothing by default. */
export interface CosignatureFaults {
  /** Name on the line. */
  readonly name?: string;
  readonly keyId?: Buffer;
  readonly signingKey?: SigningKey;
  /** The text that is signed instead of the note's. */
  readonly text?: string;
  /** Bytes after the signature. */
  readonly extra?: Buffer;
  /** The time that is signed instead of the one that is written. */
  readonly signedAt?: Date;
}

/** A witness with its key. */
export interface Witness {
  readonly name: string;
  readonly key: SigningKey;
  /** `name+keyid+base64`, as witnesses publish it. */
  readonly verifierKey: string;
  /** The note with one more line. */
  cosign(note: string, at?: Date, faults?: CosignatureFaults): string;
}

/** A witness with a fresh key, or another name of one that has it. */
export function createWitness(name: string, key: SigningKey = generateSigningKey('ed25519')): Witness {
  const typedKey = Buffer.concat([Buffer.from([COSIGNATURE_V1]), publicKeyDer(key.publicKey).subarray(-32)]);
  const keyId = createHash('sha256').update(`${name}\n`).update(typedKey).digest().subarray(0, 4);
  return {
    name,
    key,
    verifierKey: `${name}+${keyId.toString('hex')}+${typedKey.toString('base64')}`,
    cosign(note, at = new Date(), faults = {}) {
      const { text = note.slice(0, note.lastIndexOf('\n\n') + 1), signedAt = at } = faults;
      const time = Buffer.alloc(8);
      time.writeBigUInt64BE(toSeconds(at));
      const signed = Buffer.from(`cosignature/v1\ntime ${toSeconds(signedAt)}\n${text}`);
      const signature = sign(null, signed, (faults.signingKey ?? key).privateKey);
      const parts = [faults.keyId ?? keyId, time, signature, faults.extra ?? Buffer.alloc(0)];
      return `${note}\u2014 ${faults.name ?? name} ${Buffer.concat(parts).toString('base64')}\n`;
    },
  };
}

function toSeconds(at: Date): bigint {
  return BigInt(Math.floor(at.getTime() / 1000));
}
