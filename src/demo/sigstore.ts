// Where do keyless signatures come from without the internet? A Sigstore deployment in memory: authority, CT log,
// Rekor and timestamp authority. Leaves each service to its own file, the steps of signing to bundle-assembly.ts,
// and attaching bundles to artifacts.ts.
import {
  assembleBundle,
  issueIdentity,
  type EvidenceOptions,
  type KeylessOptions,
  type SigningServices,
} from './bundle-assembly.ts';
import { KEY_PURPOSE } from './certificate.ts';
import { createIntermediateAuthority, createRootAuthority } from './certificate-authority.ts';
import { createCtLog } from './ct-log.ts';
import type { Identity } from './identity-certificate.ts';
import { generateSigningKey, type SigningKey } from './keys.ts';
import { keyHint } from './sign-with-key.ts';
import { createTimestampAuthority } from './timestamp-authority.ts';
import { createTransparencyLog, type RekorVersion } from './transparency-log.ts';
import { encodeTrustedRoot } from './trusted-root.ts';

export type { EvidenceOptions, KeylessOptions } from './bundle-assembly.ts';
export type { Identity } from './identity-certificate.ts';

/** What kind of deployment to make. */
export interface SigstoreOptions {
  readonly now?: () => Date;
  readonly rekor?: RekorVersion;
}

/** A running deployment; its services are open, so that tests can compose what the signer does not offer. */
export interface Sigstore extends SigningServices {
  /** What verifiers have to trust. */
  trustedRootJson(): string;
  /** Signs as `cosign sign` does for an OIDC identity; returns the bundle as a JSON object. */
  signKeyless(statement: object, identity: Identity, options?: KeylessOptions): Promise<object>;
  /** Signs with a managed P-256 key and adds this deployment's log entry and timestamp. */
  signLogged(statement: object, key: SigningKey, options?: EvidenceOptions): Promise<object>;
}

/** Makes a deployment with fresh keys. */
export async function createSigstore(options: SigstoreOptions = {}): Promise<Sigstore> {
  const { now = () => new Date(), rekor = 'v2' } = options;
  const root = createRootAuthority('fulcio-root', { kind: 'p384' });
  const services = {
    authority: createIntermediateAuthority(root, 'fulcio-intermediate', {
      kind: 'p256',
      pathLength: 0,
      purposes: [KEY_PURPOSE.codeSigning],
    }),
    ctLog: createCtLog('https://ctlog.models.test', rekor === 'v2'),
    log: createTransparencyLog(rekor, 'https://rekor.models.test'),
    timestampAuthority: createTimestampAuthority('https://tsa.models.test/api/v1/timestamp', 'tsa'),
  };
  return {
    ...services,
    trustedRootJson: () =>
      encodeTrustedRoot({
        certificateAuthorities: [services.authority.chain],
        ctLogs: [services.ctLog],
        logs: [services.log],
        timestampAuthorities: [services.timestampAuthority],
      }),
    signKeyless: async (statement, identity, settings = {}) => {
      const at = settings.at ?? now();
      const key = generateSigningKey('p256');
      const certifiedKey = settings.signWithOtherKey === true ? generateSigningKey('p256') : key;
      const certificate = issueIdentity(services, certifiedKey, identity, { ...settings, at });
      const material = { certificate: { rawBytes: certificate.toString('base64') } };
      const signed = { statement, key, verifier: { certificate }, material };
      return assembleBundle(services, signed, { ...settings, at });
    },
    signLogged: async (statement, key, settings = {}) => {
      const material = { publicKey: { hint: keyHint(key.publicKey) } };
      const signed = { statement, key, verifier: { publicKey: key.publicKey }, material };
      return assembleBundle(services, signed, { ...settings, at: settings.at ?? now() });
    },
  };
}
