// Whom does a policy trust, in the form that verification needs? Compiled once per policy by policy/compile.ts.
import type { SignatureRepository } from '../evidence/signature-repository.ts';
import type { Revocations } from '../trust/revocation.ts';
import type { TrustedRoot } from '../trust/trusted-root.ts';
import type { WitnessKey } from '../trust/witness-key.ts';
import type { SignatureFormat } from './facts.ts';
import type { CertificateIdentityMatcher } from './certificate-identity.ts';
import type { PathCertificate } from './certificate-path.ts';
import type { IdentityMatcher } from './identity.ts';
import type { TrustedKey } from './public-key.ts';

/** What evidence must hold; each number counts distinct logs, timestamp authorities or witnesses. */
export interface Requirements {
  readonly logEntries: number;
  /** At least 1 for keyless: without a trusted time a short-lived certificate proves nothing. */
  readonly timestamps: number;
  /** Of keyless certificates only. */
  readonly certificateTimestamps: number;
  /** Witnesses that must have cosigned a log entry's checkpoint for the entry to count; absent: none. */
  readonly witnesses?: number;
}

/** What an authority takes from the TrustRoot that it names. */
export interface NamedTrust {
  /** Name of the TrustRoot. */
  readonly trustRoot: string;
  readonly root: TrustedRoot;
  readonly requirements: Requirements;
  /** What the TrustRoot revokes. */
  readonly revoked: Revocations;
  /** Whose cosignatures on checkpoints count; absent: nobody's. */
  readonly witnesses?: readonly WitnessKey[];
}

/** What every authority that verifies signatures has. */
interface Signing {
  readonly name: string;
  readonly signatureFormats: ReadonlySet<SignatureFormat>;
  /** Where its signatures and attestations are looked for; absent: in the model's own repository. */
  readonly signatureRepository?: SignatureRepository;
}

/** Signed by one of these keys. */
export interface KeyAuthority extends Signing {
  readonly kind: 'key';
  readonly keys: readonly TrustedKey[];
  /** Who else must have seen the signature; absent: log entries and timestamps are ignored. */
  readonly observers?: NamedTrust;
}

/** Signed with a short-lived certificate of the trust root's CA for one of these identities. */
export interface KeylessAuthority extends Signing, NamedTrust {
  readonly kind: 'keyless';
  readonly identities: readonly IdentityMatcher[];
}

/** Signed with a certificate of a private PKI for one of these identities. */
export interface CertificateAuthority extends Signing {
  readonly kind: 'certificate';
  /** Trust anchors; nothing else is believed. */
  readonly roots: readonly PathCertificate[];
  /** Help to build a path, trusted no more than those of a bundle. */
  readonly intermediates: readonly PathCertificate[];
  readonly identities: readonly CertificateIdentityMatcher[];
  readonly extendedKeyUsage: 'CodeSigning' | 'Any';
  /** What was signed after this instant does not count; without a trusted time, now is what is asked about. */
  readonly notAfter?: Date;
  /** Who may say when it was signed; absent: log entries and timestamps are ignored, and now is the time. */
  readonly observers?: NamedTrust;
}

/** Decided by the policy alone: nothing is fetched. */
export interface StaticAuthority {
  readonly kind: 'static';
  readonly name: string;
  readonly action: 'Pass' | 'Fail';
  readonly message: string;
}

/** Satisfied by what the namespace's own policies prove. */
export interface TenantAuthority {
  readonly kind: 'tenant';
  readonly name: string;
  /** Formats of the namespace's signatures that count here. */
  readonly signatureFormats: ReadonlySet<SignatureFormat>;
}

/** An authority that verifies signatures. */
export type SigningAuthority = KeyAuthority | KeylessAuthority | CertificateAuthority;
/**
 * What the cryptography needs of an authority: neither its name, nor whom it allows, nor where it looks. Plain data, so that it can be handed
 * to another thread; the more authorities share it, the fewer signatures are verified.
 */
export type AuthorityMaterial =
  | Omit<KeyAuthority, 'name' | 'signatureRepository'>
  | Omit<KeylessAuthority, 'name' | 'signatureRepository' | 'identities'>
  | Omit<CertificateAuthority, 'name' | 'signatureRepository' | 'identities'>;
/** Any authority. */
export type Authority = SigningAuthority | TenantAuthority | StaticAuthority;

/** True of an authority that verifies signatures itself. */
export function isSigning(authority: Authority): authority is SigningAuthority {
  return authority.kind !== 'static' && authority.kind !== 'tenant';
}
