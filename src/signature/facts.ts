// What is proven about one signature: the only values of it that policies, records and answers may use.
// Nothing unauthenticated is ever put here.
import type { Observations, TrustedTime } from './observers.ts';

/** The signature formats that count at admission. */
export type SignatureFormat = 'CosignBundle' | 'CosignSimpleSigning' | 'ModelSigning';

/** How a signature is verified. */
export interface VerifyOptions {
  /** Time of the request; verified times more than five minutes later are refused. */
  readonly now: Date;
  /** `before`, the default: new evidence counts only when @sigstore/verify agrees, wherever it can judge. */
  readonly secondOpinion?: 'before' | 'off';
}

/** What @sigstore/verify said: it agrees, cannot judge this kind of signature, or was not asked. Otherwise: no facts. */
export type SecondOpinion = 'agrees' | 'cannotJudge' | 'off';

/** One transparency log entry whose inclusion was verified. */
export interface LogEvidence {
  /** Base URL of the log as the trust root names it. */
  readonly origin: string;
  /** Index in the log, decimal. */
  readonly index: string;
  /** Names of the TrustRoot's witnesses that cosigned the checkpoint, each once. */
  readonly witnesses: readonly string[];
}

/** One verified time. */
export interface TimeEvidence {
  readonly at: Date;
  /** `tsa` or `transparency-log`. */
  readonly source: string;
}

/** A verified signature. Dates are UTC; absent members were not proven. */
export interface SignatureFacts {
  readonly format: SignatureFormat;
  /** OIDC issuer of the certificate; of a private PKI the issuer's distinguished name; `""` for key signatures. */
  readonly issuer: string;
  /** The certificate's only subject alternative name; of a private PKI the name that matched; `""` for key signatures. */
  readonly subject: string;
  /** Every Fulcio extension by its documented name in lowerCamelCase, e.g. `sourceRepository`. */
  readonly claims: Readonly<Record<string, string>>;
  /** Lower-case hex SHA-256 of the signer's SubjectPublicKeyInfo DER. */
  readonly keyFingerprint: string;
  readonly certificate?: { readonly serial: string; readonly notBefore: Date; readonly notAfter: Date };
  /** Lower-case hex SHA-256 of the key of the private root that the certificate led to. */
  readonly trustAnchor?: string;
  /** Earliest verified time, only for short-lived certificates. */
  readonly signedAt?: Date;
  /** A verified time by which a long-lived key's signature existed. */
  readonly existedBy?: Date;
  /** Where verified times came from: `tsa`, `transparency-log`. */
  readonly timeSources: readonly string[];
  /** Every verified time. */
  readonly times?: readonly TimeEvidence[];
  readonly logs: readonly LogEvidence[];
  /** Annotations signed with the subject (`cosign sign -a`). */
  readonly annotations: Readonly<Record<string, string>>;
  readonly secondOpinion?: SecondOpinion;
  /** `registry/repository` where it was found, when that is not the model's own. */
  readonly repository?: string;
}

/** What is known of a signer, before the format is added. */
export type SignerFacts = Omit<SignatureFacts, 'format' | 'annotations'>;

/** The facts about verified times. */
export function toTimeFacts(
  times: readonly TrustedTime[],
): Required<Pick<SignatureFacts, 'timeSources' | 'times'>> {
  return {
    timeSources: [...new Set(times.map(({ source }) => source))],
    times: times.map(({ at, source }) => ({ at, source })),
  };
}

/** The facts about verified log entries; the index is the one that the proof proves. */
export function toLogFacts(entries: Observations['entries']): readonly LogEvidence[] {
  return entries.map(({ entry, log, witnesses }) => ({
    origin: log.baseUrl,
    index: entry.proof?.logIndex ?? entry.logIndex,
    witnesses,
  }));
}
