// How does a bundle of a plain message look, in each version? Signs bytes with a key or for an identity and logs them as
// Rekor v1 and v2 do; shared by the tests of what reads such bundles.
import { createHash } from 'node:crypto';
import { issueIdentity } from '../../src/demo/bundle-assembly.ts';
import { certificatePem } from '../../src/demo/certificate.ts';
import { generateSigningKey, publicKeyDer, type SigningKey } from '../../src/demo/keys.ts';
import { keyHint, signBytes, type SignatureHash } from '../../src/demo/sign-with-key.ts';
import type { Sigstore } from '../../src/demo/sigstore.ts';
import type { LogEntry } from '../../src/demo/transparency-log.ts';
import { ALICE } from './support.ts';

export interface MessageOptions {
  readonly version?: '0.1' | '0.2' | '0.3';
  /** A managed key instead of a certificate for ALICE. */
  readonly key?: SigningKey;
  readonly hash?: SignatureHash;
  /** Certificates after the leaf, DER. */
  readonly chain?: readonly Buffer[];
  readonly ed25519ph?: boolean;
  readonly pss?: boolean;
}

const PROTO_HASHES = { sha256: 'SHA2_256', sha384: 'SHA2_384', sha512: 'SHA2_512' } as const;

/** The bundle of a signature over these bytes with log entry and timestamp. */
export function signMessage(sigstore: Sigstore, bytes: Buffer, options: MessageOptions = {}): object {
  const { version = '0.3', hash = 'sha256' } = options;
  const at = new Date();
  const key = options.key ?? generateSigningKey('p256');
  const signature = signBytes(bytes, key.privateKey, { ...options, hash });
  const digest = createHash(hash).update(bytes).digest();
  const certificate = options.key === undefined ? issueIdentity(sigstore, key, ALICE, { at }) : undefined;
  const entry = logMessage(sigstore, { signature, digest, hash, certificate, key }, at);
  const stamp = sigstore.timestampAuthority.timestamp(signature, at).toString('base64');
  return {
    mediaType: `application/vnd.dev.sigstore.bundle+json;version=${version}`,
    verificationMaterial: {
      ...toMaterial(certificate, key, options),
      tlogEntries: [entry],
      timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: stamp }] },
    },
    messageSignature: {
      messageDigest: { algorithm: PROTO_HASHES[hash], digest: digest.toString('base64') },
      signature: signature.toString('base64'),
    },
  };
}

function toMaterial(certificate: Buffer | undefined, key: SigningKey, options: MessageOptions): object {
  if (certificate === undefined) return { publicKey: { hint: keyHint(key.publicKey) } };
  const toRaw = (der: Buffer): object => ({ rawBytes: der.toString('base64') });
  if (options.version === undefined || options.version === '0.3') return { certificate: toRaw(certificate) };
  return { x509CertificateChain: { certificates: [certificate, ...(options.chain ?? [])].map(toRaw) } };
}

interface Logged {
  readonly signature: Buffer;
  readonly digest: Buffer;
  readonly hash: SignatureHash;
  readonly certificate: Buffer | undefined;
  readonly key: SigningKey;
}

function logMessage({ log }: Sigstore, logged: Logged, at: Date): LogEntry {
  const { signature, digest, hash, certificate, key } = logged;
  const content = signature.toString('base64');
  if (log.version === 'v2') {
    const verifier = {
      ...toKeyDetails(key, hash),
      ...(certificate === undefined
        ? { publicKey: { rawBytes: publicKeyDer(key.publicKey).toString('base64') } }
        : { x509Certificate: { rawBytes: certificate.toString('base64') } }),
    };
    const data = { algorithm: PROTO_HASHES[hash], digest: digest.toString('base64') };
    return append({ hashedRekordV002: { data, signature: { content, verifier } } }, '0.0.2');
  }
  const pem = certificate === undefined ? key.publicKeyPem : certificatePem(certificate);
  const publicKey = { content: Buffer.from(pem).toString('base64') };
  const data = { hash: { algorithm: hash, value: digest.toString('hex') } };
  return append({ data, signature: { content, publicKey } }, '0.0.1');

  function append(spec: object, version: string): LogEntry {
    const body = Buffer.from(JSON.stringify({ apiVersion: version, kind: 'hashedrekord', spec }));
    return log.append({ kind: 'hashedrekord', version, body }, at);
  }
}

// Rekor v2 always names the algorithm; readers that write the body anew before they hash it depend on that.
function toKeyDetails(key: SigningKey, hash: SignatureHash): object {
  const isUsual = key.publicKey.asymmetricKeyDetails?.namedCurve === 'prime256v1' && hash === 'sha256';
  return isUsual ? { keyDetails: 'PKIX_ECDSA_P256_SHA_256' } : {};
}
