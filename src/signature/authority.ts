// Whom does a policy trust, in the form that verification needs? Compiled once per policy by policy/compile.ts.
import type { Revocations } from '../trust/revocation.ts';
import type { TrustedRoot } from '../trust/trusted-root.ts';
import type { SignatureFormat } from './facts.ts';
import type { CertificateIdentityMatcher } from './certificate-identity.ts';
import type { PathCertificate } from './certificate-path.ts';
import type { IdentityMatcher } from './identity.ts';
import type { TrustedKey } from './public-key.ts';

/** What keyless evidence must hold; each number counts distinct logs or timestamp authorities. */
export interface Requirements {
  readonly logEntries: number;
  /** At least 1: without a trusted time a short-lived certificate proves nothing. */
  readonly timestamps: number;
  readonly certificateTimestamps: number;
}

/** Signed by one of these keys. */
export interface KeyAuthority {
  readonly kind: 'key';
  readonly name: string;
  readonly signatureFormats: ReadonlySet<SignatureFormat>;
  readonly keys: readonly TrustedKey[];
  /** Who else must have seen the signature; absent: log entries and timestamps are ignored. */
  readonly observers?: {
    readonly trustRoot: string;
    readonly root: TrustedRoot;
    /** `certificateTimestamps` does not apply; `timestamps` may be 0 here. */
    readonly requirements: Requirements;
  };
}

/** Signed with a short-lived certificate of the trust root's CA for one of these identities. */
export interface KeylessAuthority {
  readonly kind: 'keyless';
  readonly name: string;
  readonly signatureFormats: ReadonlySet<SignatureFormat>;
  readonly identities: readonly IdentityMatcher[];
  readonly trustRoot: string;
  readonly root: TrustedRoot;
  readonly requirements: Requirements;
  /** What the trust root revokes. */
  readonly revoked: Revocations;
}

/** Signed with a certificate of a private PKI for one of these identities. */
export interface CertificateAuthority {
  readonly kind: 'certificate';
  readonly name: string;
  readonly signatureFormats: ReadonlySet<SignatureFormat>;
  /** Trust anchors; nothing else is believed. */
  readonly roots: readonly PathCertificate[];
  /** Help to build a path, trusted no more than those of a bundle. */
  readonly intermediates: readonly PathCertificate[];
  readonly identities: readonly CertificateIdentityMatcher[];
  readonly extendedKeyUsage: 'CodeSigning' | 'Any';
  /** After this instant nothing under these roots counts any more. */
  readonly notAfter?: Date;
}

/** Decided by the policy alone: nothing is fetched. */
export interface StaticAuthority {
  readonly kind: 'static';
  readonly name: string;
  readonly action: 'Pass' | 'Fail';
  readonly message: string;
}

/** An authority that verifies signatures. */
export type SigningAuthority = KeyAuthority | KeylessAuthority | CertificateAuthority;
/**
 * What the cryptography needs of an authority: neither its name nor whom it allows. Plain data, so that it can be handed
 * to another thread; the more authorities share it, the fewer signatures are verified.
 */
export type AuthorityMaterial =
  | Omit<KeyAuthority, 'name'>
  | Omit<KeylessAuthority, 'name' | 'identities'>
  | Omit<CertificateAuthority, 'name' | 'identities'>;
/** Any authority. */
export type Authority = SigningAuthority | StaticAuthority;
