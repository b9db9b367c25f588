// What must a verifier trust to accept a deployment's signatures? Writes `trusted_root.json` version 0.1.
// Leaves distributing it (TUF, a Secret, a file) to whoever starts the deployment.
import type { CtLog } from './ct-log.ts';
import { publicKeyDer, type SigningKey } from './keys.ts';
import type { TimestampAuthority } from './timestamp-authority.ts';
import type { TransparencyLog } from './transparency-log.ts';

/** Start of every validity in a trusted root that the kit writes. */
export const TRUST_START = '2020-01-01T00:00:00Z';

/** The services of one deployment; empty lists leave a kind of service out. */
export interface TrustedServices {
  /** Chains of certificate authorities, each from the issuing certificate to the root. */
  readonly certificateAuthorities: readonly (readonly Buffer[])[];
  readonly ctLogs: readonly CtLog[];
  readonly logs: readonly TransparencyLog[];
  readonly timestampAuthorities: readonly TimestampAuthority[];
}

/** The trusted root over these services, as JSON text. */
export function encodeTrustedRoot(services: TrustedServices): string {
  const validFor = { start: TRUST_START };
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: services.logs.map(logInstance),
    certificateAuthorities: services.certificateAuthorities.map((chain) => ({
      subject: { organization: 'models.test', commonName: 'fulcio' },
      uri: 'https://fulcio.models.test',
      certChain: certificateChain(chain),
      validFor,
    })),
    ctlogs: services.ctLogs.map(logInstance),
    timestampAuthorities: services.timestampAuthorities.map((authority) => ({
      subject: { organization: 'models.test', commonName: authority.commonName },
      uri: authority.url,
      certChain: certificateChain(authority.chain),
      validFor,
    })),
  });
}

interface AnyLog {
  readonly baseUrl: string;
  readonly key: SigningKey;
  readonly logId: Buffer;
}

function logInstance({ baseUrl, key, logId }: AnyLog): object {
  const ed25519 = key.publicKey.asymmetricKeyType === 'ed25519';
  return {
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: publicKeyDer(key.publicKey).toString('base64'),
      keyDetails: ed25519 ? 'PKIX_ED25519' : 'PKIX_ECDSA_P256_SHA_256',
      validFor: { start: TRUST_START },
    },
    logId: { keyId: logId.toString('base64') },
  };
}

function certificateChain(chain: readonly Buffer[]): object {
  return { certificates: chain.map((der) => ({ rawBytes: der.toString('base64') })) };
}
