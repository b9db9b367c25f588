// Who saw a certificate before it was used? A certificate transparency log that signs RFC 6962 timestamps (SCTs)
// over precertificates. It keeps no tree: verifiers of signatures check the promise only.
import { createHash, sign, type KeyObject } from 'node:crypto';
import * as der from './der.ts';
import { extension } from './certificate.ts';
import { generateSigningKey, publicKeyDer, type SigningKey } from './keys.ts';

const SCT_LIST_OID = '1.3.6.1.4.1.11129.2.4.2';
const SHA256_ECDSA = Buffer.from([4, 3]);

/** A log that promises inclusion of certificates. */
export interface CtLog {
  readonly key: SigningKey;
  readonly baseUrl: string;
  /** SHA-256 of the log's public key. */
  readonly logId: Buffer;
  /** The certificate extension that carries one SCT over the TBS (without that extension) of a certificate. */
  sctExtension(tbs: Buffer, issuerKey: KeyObject, at: Date): Buffer;
}

/** A log with a fresh P-256 key; `leafIndex` adds to each SCT the extension that static-CT logs write. */
export function createCtLog(baseUrl: string, leafIndex: boolean): CtLog {
  const key = generateSigningKey('p256');
  const logId = createHash('sha256').update(publicKeyDer(key.publicKey)).digest();
  let issued = 0;
  return {
    key,
    baseUrl,
    logId,
    sctExtension: (tbs, issuerKey, at) => {
      const extensions = leafIndex ? leafIndexExtension(issued) : Buffer.alloc(0);
      issued += 1;
      const signed = signedTimestamp(precertificateEntry(tbs, issuerKey), at, extensions);
      const signature = sign('sha256', signed, key.privateKey);
      const sct = Buffer.concat([
        Buffer.from([0]),
        logId,
        milliseconds(at),
        withLength(extensions),
        SHA256_ECDSA,
        withLength(signature),
      ]);
      return extension(SCT_LIST_OID, der.octetString(withLength(withLength(sct))));
    },
  };
}

function precertificateEntry(tbs: Buffer, issuerKey: KeyObject): Buffer {
  const issuerKeyHash = createHash('sha256').update(publicKeyDer(issuerKey)).digest();
  const length = Buffer.alloc(3);
  length.writeUIntBE(tbs.length, 0, 3);
  return Buffer.concat([issuerKeyHash, length, tbs]);
}

// version v1, signature type certificate_timestamp, time, entry type precert_entry, entry, extensions
function signedTimestamp(entry: Buffer, at: Date, extensions: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([0, 0]),
    milliseconds(at),
    Buffer.from([0, 1]),
    entry,
    withLength(extensions),
  ]);
}

function leafIndexExtension(index: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16BE(5, 1);
  bytes.writeUIntBE(index, 3, 5);
  return bytes;
}

function milliseconds(at: Date): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(at.getTime()));
  return bytes;
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
