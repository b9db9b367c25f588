// Why can a request be denied? The closed catalogue of reasons, and the finding that carries one.
// Reasons are API: the same string is in responses, metrics, decision records and the README; add freely, never rename.

/** Who can act on a reason. */
export type Actor = 'workload author' | 'model publisher' | 'policy owner' | 'operator';

/** One row of the catalogue. `code` is the HTTP status when no weightier finding is present. */
export interface ReasonEntry {
  readonly actor: Actor;
  readonly code: 400 | 403 | 500 | 503;
  /** True when the same request may succeed later without anybody changing the workload, model or policy. */
  readonly transient: boolean;
  /** What to do next, one imperative clause; it ends every message with this reason. */
  readonly action: string;
}

const author = (action: string, code: 400 | 403 = 403): ReasonEntry => ({
  actor: 'workload author',
  code,
  transient: false,
  action,
});
const publisher = (action: string): ReasonEntry => ({
  actor: 'model publisher',
  code: 403,
  transient: false,
  action,
});
const owner = (action: string): ReasonEntry => ({
  actor: 'policy owner',
  code: 403,
  transient: false,
  action,
});
const operator = (action: string, code: 500 | 503 = 503): ReasonEntry => ({
  actor: 'operator',
  code,
  transient: true,
  action,
});

/** Every reason this service can give. The README's table is held to this one by a test, both ways. */
export const REASONS = {
  ReferenceInvalid: author('write the reference as registry/repository@sha256:…'),
  DigestRequired: author('pin the reference with @sha256:…'),
  ModelReferenceMissing: author('name the model by a reference that can be checked'),
  DynamicModelVolume: author('name the model in the volume, or mount it as an image volume'),
  UnverifiableSource: author('package the model as an OCI artifact and name that'),
  UnresolvableReference: author('write the model URI out in full'),
  DigestNotEnforced: author('mount the model as an image volume'),
  TooManyReferences: author('use fewer models in one pod'),
  RequestMalformed: author('send an admission.k8s.io/v1 AdmissionReview', 400),

  ArtifactNotFound: publisher('push the artifact, or correct the reference'),
  ManifestInvalid: publisher('push a valid OCI image manifest'),
  SignatureMissing: publisher('sign the digest, for example with cosign sign'),
  SignatureInvalid: publisher('sign the digest again'),
  SignerNotTrusted: publisher('sign with a key or identity that the policy names'),
  IdentityMismatch: publisher('sign with an identity that the policy names'),
  SubjectMismatch: publisher('sign this digest, not another one'),
  TransparencyLogInvalid: publisher('sign again with a transparency log entry that the trust root knows'),
  TimestampInvalid: publisher('sign again with a valid timestamp; check the clocks'),
  CertificateInvalid: publisher('sign with a certificate from a CA that the trust root knows'),
  Revoked: publisher('use an artifact and a signer that are not revoked'),
  FileSetMismatch: publisher('sign the files as they are packaged'),
  OpaqueLayer: publisher('package files as raw layers, or sign the manifest digest with cosign'),
  UnsupportedFormat: publisher('sign in a supported format'),
  ArtifactTooLarge: publisher('keep manifests and signatures under the documented limits'),
  TooManySignatures: publisher('remove surplus referrers of the artifact'),
  AttestationMissing: publisher('attest the digest, for example with cosign attest'),
  AttestationRejected: publisher('attest again, by a signer and with content that the policy accepts'),

  NoMatchingPolicy: owner('add a ClusterModelPolicy that selects this model'),
  PolicyInvalid: owner('correct the policy'),
  AuthoritiesNotSatisfied: owner('collect the missing signatures, or lower minAuthorities'),
  RuleViolated: owner('use a model that satisfies the rule'),
  RuleFailed: owner('correct the rule: it could not be evaluated'),
  StaticDeny: owner('use another model: this one is denied by name'),

  RegistryUnavailable: operator('retry; check the registry and the network'),
  RegistryUnauthorized: operator('give the controller credentials for this repository'),
  RegistryThrottled: operator('retry later; raise the registry rate limit'),
  DigestMismatch: operator('inspect the registry: it served other bytes than it was asked for'),
  TrustRootUnavailable: operator('provide the TrustRoot that the policy names; check its mirror'),
  CredentialsUnavailable: operator('provide the Secret or ConfigMap that the policy names'),
  PoliciesNotSynced: operator('retry when the controller is ready'),
  Overloaded: operator('retry; add replicas'),
  DeadlineExceeded: operator('retry; check registry latency'),
  InternalError: operator('report this with the uid from the decision record', 500),
} as const satisfies Record<string, ReasonEntry>;

/** A reason's PascalCase name. */
export type DenialReason = keyof typeof REASONS;

/** All reasons, in the catalogue's order. */
export const DENIAL_REASONS = Object.keys(REASONS) as readonly DenialReason[];

/** An expected failure as data: what is wrong, where, and for which policy and authority. */
export interface Finding {
  readonly reason: DenialReason;
  /** One line for people, at most 1 KiB, foreign text escaped. */
  readonly message: string;
  /** Field path in the object, e.g. `spec.volumes[0].image.reference`. */
  readonly field?: string;
  readonly policy?: string;
  readonly authority?: string;
}
