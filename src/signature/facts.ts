// What is proven about one signature: the only values of it that policies, records and answers may use.
// Nothing unauthenticated is ever put here.

/** The signature formats that count at admission. */
export type SignatureFormat = 'CosignBundle' | 'ModelSigning';

/** One transparency log entry whose inclusion was verified. */
export interface LogEvidence {
  /** Base URL of the log as the trust root names it. */
  readonly origin: string;
  /** Index in the log, decimal. */
  readonly index: string;
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
  readonly logs: readonly LogEvidence[];
  /** Annotations signed with the subject (`cosign sign -a`). */
  readonly annotations: Readonly<Record<string, string>>;
}
