// What can a policy say? The custom resources as administrators write them, already checked against schema.ts.
// Meaning is given by compile.ts; words follow ValidatingAdmissionPolicy where they mean the same.
import type { ModelSource } from '../model/model-reference.ts';

export const API_GROUP = 'modelpolicy.dev';
export const API_VERSION = `${API_GROUP}/v1alpha1`;

/** A label selector as everywhere in Kubernetes: all parts must hold; an empty one selects everything. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelExpression[];
}

export interface LabelExpression {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

export interface ModelSelector {
  readonly glob?: string;
  readonly exclude?: readonly string[];
  readonly sources?: readonly ModelSource[];
}

export interface KeyReference {
  readonly name: string;
  readonly key: string;
}

/** Bytes from exactly one place. */
export interface PemSource {
  readonly pem?: string;
  readonly secretKeyRef?: KeyReference;
  readonly configMapKeyRef?: KeyReference;
}

export interface Identity {
  readonly issuer?: string;
  readonly issuerRegExp?: string;
  readonly subject?: string;
  readonly subjectRegExp?: string;
  readonly claims?: Readonly<Record<string, string>>;
  readonly claimsRegExp?: Readonly<Record<string, string>>;
}

/** Whom a certificate of a private PKI may name; every member that is set must match. */
export interface CertificateIdentity {
  readonly subjectURI?: string;
  readonly subjectURIRegExp?: string;
  readonly subjectEmail?: string;
  readonly subjectEmailRegExp?: string;
  readonly subjectDNS?: string;
  readonly subjectDNSRegExp?: string;
  readonly subjectDN?: string;
  readonly subjectDNRegExp?: string;
  readonly spki?: string;
  readonly spkiRegExp?: string;
}

/** Who must have seen a long-lived signer's signatures. */
export interface ObserversSpec {
  readonly trustRootRef?: { readonly name: string };
  readonly minLogEntries?: number;
  readonly minTimestamps?: number;
}

/** Public keys, and who must have seen what they sign. */
export interface KeySpec extends PemSource, ObserversSpec {}

export interface CertificateSpec {
  readonly roots: PemSource;
  readonly intermediates?: PemSource;
  readonly identities: readonly CertificateIdentity[];
  readonly extendedKeyUsage?: 'CodeSigning' | 'Any';
  readonly notAfter?: string;
  readonly trustRootRef?: { readonly name: string };
  readonly minTimestamps?: number;
}

/** Where an authority looks for signatures, when not beside the model. */
export interface SignatureRepositorySpec {
  readonly repository: string;
  readonly pullSecrets?: readonly { readonly name: string }[];
}

export interface AuthoritySpec {
  readonly name: string;
  readonly key?: KeySpec;
  readonly keyless?: {
    readonly identities: readonly Identity[];
    readonly trustRootRef: { readonly name: string };
    readonly minLogEntries?: number;
    readonly minTimestamps?: number;
  };
  readonly certificate?: CertificateSpec;
  readonly static?: { readonly action: 'Pass' | 'Fail'; readonly message?: string };
  /** Of ClusterModelPolicies only. */
  readonly tenant?: Record<string, never>;
  readonly signatureFormats?: readonly ('CosignBundle' | 'CosignSimpleSigning' | 'ModelSigning')[];
  readonly signatureRepository?: SignatureRepositorySpec;
}

export interface ValidationSpec {
  readonly expression: string;
  readonly message?: string;
  readonly messageExpression?: string;
}

/** An expression with a name: a condition or a variable. */
export interface NamedExpression {
  readonly name: string;
  readonly expression: string;
}

/** One attestation that must be there. */
export interface AttestationSpec {
  readonly name: string;
  readonly predicateTypes: readonly string[];
  /** Names of authorities; absent: any of the policy's. */
  readonly authorities?: readonly string[];
  readonly validations?: readonly ValidationSpec[];
}

export type ValidationAction = 'Deny' | 'Warn' | 'Audit';

/** What happens to models that are used but cannot be checked. */
export type UnverifiableSources = 'Deny' | 'Warn' | 'Allow';

export interface ClusterModelPolicySpec {
  readonly namespaceSelector?: LabelSelector;
  readonly models?: readonly ModelSelector[];
  readonly matchConditions?: readonly NamedExpression[];
  readonly digest?: 'Require' | 'Resolve';
  readonly requireModel?: boolean;
  readonly unverifiableSources?: UnverifiableSources;
  readonly authorities: readonly AuthoritySpec[];
  readonly minAuthorities?: number;
  readonly attestations?: readonly AttestationSpec[];
  readonly variables?: readonly NamedExpression[];
  readonly validations?: readonly ValidationSpec[];
  readonly validationActions?: readonly ValidationAction[];
}

/** Which denials are admitted for a while. */
export interface ModelPolicyExceptionSpec {
  readonly policies: readonly string[];
  readonly namespaces: readonly string[];
  readonly models: readonly string[];
  readonly anyDigest?: boolean;
  readonly reason: string;
  readonly requestedBy: string;
  readonly expiresAt: string;
}

/** A JSON document from exactly one place. */
export interface JsonSource {
  readonly json?: string;
  readonly secretKeyRef?: KeyReference;
  readonly configMapKeyRef?: KeyReference;
}

/** One thing that is not trusted any more: exactly one of the three, and why. */
export interface RevocationSpec {
  readonly spki?: string;
  readonly certificateSerial?: string;
  readonly artifactDigest?: string;
  readonly reason: string;
}

export interface TrustRootSpec {
  readonly sigstorePublicGood?: Record<string, never>;
  readonly github?: Record<string, never>;
  readonly tuf?: {
    readonly mirror: string;
    readonly root: JsonSource;
    readonly trustedRootTarget?: string;
    readonly refreshInterval?: string;
  };
  readonly trustedRoot?: JsonSource;
  readonly requirements?: {
    readonly logEntries?: number;
    readonly timestamps?: number;
    readonly certificateTimestamps?: number;
    readonly witnesses?: number;
  };
  readonly revoked?: readonly RevocationSpec[];
  readonly witnesses?: readonly { readonly name: string; readonly key: string }[];
}
