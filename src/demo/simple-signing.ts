// How did cosign 2 sign? Simple signing payloads with everything else in annotations, by key and keyless with a signed
// entry timestamp, each step of which can be left out or done wrong. Leaves pushing them to signature-tag.ts.
import { certificatePem } from './certificate.ts';
import { issueIdentity, type KeylessOptions, type SigningServices } from './bundle-assembly.ts';
import type { Identity } from './identity-certificate.ts';
import { generateSigningKey, type SigningKey } from './keys.ts';
import { hashedRekordBodyV1 } from './log-entry.ts';
import { signBytes, type KeySigningOptions } from './sign-with-key.ts';
import type { LogEntry } from './transparency-log.ts';

/** The annotations that a signature consists of. */
export const SIMPLE_SIGNING_ANNOTATIONS = {
  signature: 'dev.cosignproject.cosign/signature',
  certificate: 'dev.sigstore.cosign/certificate',
  chain: 'dev.sigstore.cosign/chain',
  bundle: 'dev.sigstore.cosign/bundle',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
} as const;

/** One signature: a layer and its annotations. */
export interface SimpleSignature {
  readonly payload: Buffer;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Where a payload departs from what cosign writes. */
export interface PayloadOptions {
  readonly optional?: unknown;
  readonly type?: string;
  readonly dockerReference?: string;
}

/** The payload that `cosign sign` signs for the manifest with this digest. */
export function simpleSigningPayload(digest: string, options: PayloadOptions = {}): Buffer {
  const { optional = null, type = 'cosign container image signature', dockerReference = '' } = options;
  return Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': dockerReference },
        image: { 'docker-manifest-digest': digest },
        type,
      },
      optional,
    }),
  );
}

/** Signs a payload with a managed key, without a log. */
export function signSimple(
  payload: Buffer,
  key: Pick<SigningKey, 'privateKey'>,
  options: Pick<KeySigningOptions, 'hash' | 'ed25519ph'> = {},
): SimpleSignature {
  const signature = signBytes(payload, key.privateKey, options).toString('base64');
  return { payload, annotations: { [SIMPLE_SIGNING_ANNOTATIONS.signature]: signature } };
}

/** Signs a payload with a managed key and adds a Rekor v1 entry and a timestamp; what is asked for is left out. */
export function signSimpleLogged(
  services: Pick<SigningServices, 'log' | 'timestampAuthority'>,
  payload: Buffer,
  key: SigningKey,
  options: Pick<SimpleKeylessOptions, 'at' | 'logVerifier' | 'omitLogEntry' | 'omitTimestamp'> = {},
): SimpleSignature {
  const { at = new Date(), logVerifier = { publicKey: key.publicKey } } = options;
  const { annotations } = signSimple(payload, key);
  const names = SIMPLE_SIGNING_ANNOTATIONS;
  const signature = Buffer.from(annotations[names.signature] ?? '', 'base64');
  const entry = hashedRekordBodyV1(payload, signature, logVerifier);
  return {
    payload,
    annotations: {
      ...annotations,
      ...(options.omitLogEntry === true
        ? {}
        : { [names.bundle]: rekorBundle(services.log.append(entry, at)) }),
      ...(options.omitTimestamp === true
        ? {}
        : { [names.timestamp]: timestampAnnotation(services, signature, at) }),
    },
  };
}

/** Where keyless simple signing departs from what cosign 2 does with Rekor v1; a timestamp is asked for. */
export type SimpleKeylessOptions = Pick<
  KeylessOptions,
  'at' | 'certificate' | 'logVerifier' | 'omitLogEntry' | 'omitTimestamp' | 'signWithOtherKey'
> & {
  /** The log entry is about this message, signed by the same key. */
  readonly logMessage?: Buffer;
};

/** Signs a payload as `cosign sign` does for an OIDC identity. */
export function signSimpleKeyless(
  services: SigningServices,
  payload: Buffer,
  identity: Identity,
  options: SimpleKeylessOptions = {},
): SimpleSignature {
  const at = options.at ?? new Date();
  const key = generateSigningKey('p256');
  const certifiedKey = options.signWithOtherKey === true ? generateSigningKey('p256') : key;
  const certificate = issueIdentity(services, certifiedKey, identity, { ...options, at });
  const signature = signBytes(payload, key.privateKey);
  const names = SIMPLE_SIGNING_ANNOTATIONS;
  const logged = options.logMessage ?? payload;
  const body = hashedRekordBodyV1(
    logged,
    options.logMessage === undefined ? signature : signBytes(logged, key.privateKey),
    options.logVerifier ?? { certificate },
  );
  return {
    payload,
    annotations: {
      [names.signature]: signature.toString('base64'),
      [names.certificate]: certificatePem(certificate),
      [names.chain]: services.authority.chain.map((der) => certificatePem(der)).join(''),
      ...(options.omitLogEntry === true
        ? {}
        : { [names.bundle]: rekorBundle(services.log.append(body, at)) }),
      ...(options.omitTimestamp === false
        ? { [names.timestamp]: timestampAnnotation(services, signature, at) }
        : {}),
    },
  };
}

/** The annotation in which cosign keeps a Rekor v1 entry. */
export function rekorBundle(entry: LogEntry): string {
  return JSON.stringify({
    SignedEntryTimestamp: entry.inclusionPromise?.signedEntryTimestamp,
    Payload: {
      body: entry.canonicalizedBody,
      integratedTime: Number(entry.integratedTime),
      logIndex: Number(entry.logIndex),
      logID: Buffer.from(entry.logId.keyId, 'base64').toString('hex'),
    },
  });
}

/** The annotation in which cosign keeps a timestamp over a signature. */
export function timestampAnnotation(
  { timestampAuthority }: Pick<SigningServices, 'timestampAuthority'>,
  signature: Buffer,
  at: Date,
): string {
  const response = timestampAuthority.timestamp(signature, at).toString('base64');
  return JSON.stringify({ SignedRFC3161Timestamp: response });
}
