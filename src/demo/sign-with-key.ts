// How is a statement signed with a key? Makes the Sigstore bundle (v0.3, DSSE) that cosign 3 or model_signing
// writes for a managed key or a private PKI chain. Leaves keyless signing to sigstore.ts.
import { constants, createHash, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { publicKeyDer } from './keys.ts';
import { IN_TOTO_PAYLOAD_TYPE, preAuthenticationEncoding, statementBytes } from './statement.ts';

/** Media type of the bundles that the kit writes. */
export const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** Hash algorithms of the signatures in use. */
export type SignatureHash = 'sha256' | 'sha384' | 'sha512';

/** Where a key bundle departs from what cosign 3 writes without a log. */
export interface KeySigningOptions {
  /** Instead of the hash that fits the curve; ignored for Ed25519 and ML-DSA. */
  readonly hash?: SignatureHash;
  /** Ed25519ph, as cosign 2.6 and 3 sign with Ed25519 keys, instead of plain Ed25519. */
  readonly ed25519ph?: boolean;
  /** RSA with PSS padding instead of PKCS#1 v1.5. */
  readonly pss?: boolean;
  readonly payloadType?: string;
  /** `model_signing`: the hint is the hex SHA-256 of the PEM text, and `tlogEntries` and `keyid` are there but empty. */
  readonly style?: 'cosign' | 'model_signing';
  readonly hint?: string;
  /** DER certificates, leaf first: the bundle carries them (private PKI) and no hint. */
  readonly certificateChain?: readonly Buffer[];
}

/** A signed DSSE envelope as JSON. */
export interface DsseEnvelope {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly { readonly sig: string; readonly keyid?: string }[];
}

/** Signs a statement (or raw payload bytes) with a private key and returns the bundle as a JSON object. */
export function signBundleWithKey(
  statement: object,
  key: { readonly privateKey: KeyObject },
  options: KeySigningOptions = {},
): object {
  const payload = statementBytes(statement);
  const payloadType = options.payloadType ?? IN_TOTO_PAYLOAD_TYPE;
  const signature = signBytes(preAuthenticationEncoding(payloadType, payload), key.privateKey, options);
  const upstream = options.style === 'model_signing';
  return {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: {
      ...keyMaterial(key.privateKey, options),
      ...(upstream ? { tlogEntries: [] } : {}),
    },
    dsseEnvelope: dsseEnvelope(payload, payloadType, signature, upstream ? '' : undefined),
  };
}

/** The envelope of one signature over a payload; a `keyid` is written only when given. */
export function dsseEnvelope(
  payload: Buffer,
  payloadType: string,
  signature: Buffer,
  keyid?: string,
): DsseEnvelope {
  const sig = signature.toString('base64');
  return {
    payload: payload.toString('base64'),
    payloadType,
    signatures: [keyid === undefined ? { sig } : { sig, keyid }],
  };
}

/** Signs bytes as the key's kind demands: SHA-256, or SHA-384 and SHA-512 for the larger curves, none for Ed25519. */
export function signBytes(
  bytes: Buffer,
  privateKey: KeyObject,
  options: Pick<KeySigningOptions, 'hash' | 'ed25519ph' | 'pss'> = {},
): Buffer {
  if (privateKey.asymmetricKeyType?.startsWith('ml-dsa') === true) return sign(null, bytes, privateKey);
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    const padding = options.pss === true ? { padding: constants.RSA_PKCS1_PSS_PADDING } : {};
    return sign(options.hash ?? naturalHash(privateKey), bytes, { key: privateKey, ...padding });
  }
  if (options.ed25519ph !== true) return sign(null, bytes, privateKey);
  // node:crypto has no Ed25519ph.
  const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
  return Buffer.from(ed25519ph.sign(bytes, seed));
}

/** The hash that goes with a key: by curve for ECDSA, SHA-256 for RSA. */
export function naturalHash(key: KeyObject): SignatureHash {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === 'secp384r1') return 'sha384';
  return curve === 'secp521r1' ? 'sha512' : 'sha256';
}

/** The hint by which a bundle names its key: base64 SHA-256 of the DER (cosign) or hex SHA-256 of the PEM text. */
export function keyHint(publicKey: KeyObject, style: 'cosign' | 'model_signing' = 'cosign'): string {
  const hash = createHash('sha256');
  if (style === 'cosign') return hash.update(publicKeyDer(publicKey)).digest('base64');
  return hash.update(publicKey.export({ type: 'spki', format: 'pem' })).digest('hex');
}

function keyMaterial(privateKey: KeyObject, options: KeySigningOptions): object {
  if (options.certificateChain === undefined) {
    const hint = options.hint ?? keyHint(createPublicKey(privateKey), options.style);
    return { publicKey: { hint } };
  }
  const certificates = options.certificateChain.map((der) => ({ rawBytes: der.toString('base64') }));
  return { x509CertificateChain: { certificates } };
}
