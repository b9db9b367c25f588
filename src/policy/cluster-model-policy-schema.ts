// Which shape has a ClusterModelPolicy? Its structural schema, with the text that kubectl explain shows.
import { MODEL_SOURCES } from '../model/model-reference.ts';
import { ATTESTATION, VALIDATION } from './attestation-schema.ts';
import { CERTIFICATE_AUTHORITY } from './certificate-authority-schema.ts';
import { NAMESPACE_SELECTOR } from './namespace-selector-schema.ts';
import {
  exactlyOne,
  keyReference,
  map,
  MAX_PATTERN_CHARS,
  NAME_PATTERN,
  needsTrustRoot,
  object,
  optionalCount,
  text,
  trustRootReference,
  type Schema,
} from './schema.ts';
import { NO_STATIC_REPOSITORY, SIGNATURE_REPOSITORY } from './signature-repository-schema.ts';

const glob = (description: string): Schema => text(description, 512);

const modelSelector = object('One set of model references.', {
  glob: glob(
    'Glob over registry/repository: * stays inside a path segment, ** crosses segments. In the registry only a whole leading label may be *. Tags and digests are not part of it. Absent: every repository.',
  ),
  exclude: {
    type: 'array',
    description: 'Globs of references that the glob would select but should not.',
    minItems: 1,
    maxItems: 64,
    'x-kubernetes-list-type': 'set',
    items: glob('Glob over registry/repository.'),
  },
  sources: {
    type: 'array',
    description:
      'Ways of naming a model that are meant. Absent: every way; container images only where the glob names them.',
    minItems: 1,
    maxItems: MODEL_SOURCES.length,
    'x-kubernetes-list-type': 'set',
    items: { type: 'string', enum: MODEL_SOURCES },
  },
});

const identity = object(
  'One allowed identity. Issuer and subject are both mandatory, each exact or as a pattern; claims are on the same certificate. Patterns are RE2 and match the whole text.',
  {
    issuer: text('OIDC issuer, exactly.', 2048),
    issuerRegExp: text('OIDC issuer, as a whole-string RE2 pattern.', MAX_PATTERN_CHARS),
    subject: text('Subject alternative name, exactly: a workflow URI or an e-mail address.', 2048),
    subjectRegExp: text('Subject alternative name, as a whole-string RE2 pattern.', MAX_PATTERN_CHARS),
    claims: map('Fulcio extensions by documented name, exactly.', 2048),
    claimsRegExp: map(
      'Fulcio extensions by documented name, as whole-string RE2 patterns.',
      MAX_PATTERN_CHARS,
    ),
  },
  {
    'x-kubernetes-validations': [
      {
        rule: 'has(self.issuer) != has(self.issuerRegExp)',
        message: 'exactly one of issuer, issuerRegExp must be set',
      },
      {
        rule: 'has(self.subject) != has(self.subjectRegExp)',
        message: 'exactly one of subject, subjectRegExp must be set',
      },
      {
        rule: '!has(self.claims) || !has(self.claimsRegExp) || self.claims.all(name, !(name in self.claimsRegExp))',
        message: 'no claim may be in both claims and claimsRegExp',
      },
    ],
  },
);

const key = object(
  'Signed by one of these public keys: ECDSA P-256, P-384, P-521, Ed25519, RSA of 2048 bits or more, or ML-DSA. Several PEM blocks mean rotation.',
  {
    pem: text('PUBLIC KEY blocks in PEM.', 65_536),
    secretKeyRef: keyReference('Secret'),
    configMapKeyRef: keyReference('ConfigMap'),
    trustRootRef: trustRootReference(
      'The TrustRoot whose logs, timestamp authorities, witnesses and revocations count. Absent: log entries and timestamps are ignored.',
    ),
    minLogEntries: optionalCount(
      'Distinct transparency logs that hold an entry about the signature and this key (default 0).',
    ),
    minTimestamps: optionalCount('Distinct trusted times of the signature (default 0).'),
  },
  {
    'x-kubernetes-validations': [
      ...(exactlyOne(['pem', 'secretKeyRef', 'configMapKeyRef']) ?? []),
      needsTrustRoot('minLogEntries'),
      needsTrustRoot('minTimestamps'),
    ],
  },
);

const threshold = (description: string): Schema => ({ type: 'integer', description, minimum: 1, maximum: 8 });

const authority = object(
  'One party whose signature counts. Exactly one of key, keyless, certificate, static.',
  {
    name: text('Name, unique in the policy; it appears in messages and records.', 63, {
      pattern: NAME_PATTERN,
    }),
    key,
    keyless: object(
      'Signed with a short-lived certificate of the trust root for one of these identities.',
      {
        identities: {
          type: 'array',
          description: 'Allowed identities; one must match.',
          minItems: 1,
          maxItems: 32,
          items: identity,
        },
        trustRootRef: trustRootReference(
          'The TrustRoot whose CA, logs and timestamp authorities are believed.',
        ),
        minLogEntries: threshold(
          "Distinct transparency logs; raises the TrustRoot's requirement, never lowers it.",
        ),
        minTimestamps: threshold(
          "Distinct trusted times; raises the TrustRoot's requirement, never lowers it.",
        ),
      },
      { required: ['identities', 'trustRootRef'] },
    ),
    certificate: CERTIFICATE_AUTHORITY,
    static: object(
      'Decided without any signature; nothing is fetched.',
      {
        action: {
          type: 'string',
          description: 'Pass admits, Fail denies with StaticDeny.',
          enum: ['Pass', 'Fail'],
        },
        message: text('Reason shown to the user on Fail.', 512),
      },
      { required: ['action'] },
    ),
    signatureFormats: {
      type: 'array',
      description:
        'Formats that count. Default: CosignBundle and CosignSimpleSigning, which bind the manifest. ModelSigning binds the files only and must be listed to count.',
      minItems: 1,
      maxItems: 3,
      'x-kubernetes-list-type': 'set',
      items: { type: 'string', enum: ['CosignBundle', 'CosignSimpleSigning', 'ModelSigning'] },
    },
    signatureRepository: SIGNATURE_REPOSITORY,
  },
  {
    required: ['name'],
    'x-kubernetes-validations': [
      ...(exactlyOne(['key', 'keyless', 'certificate', 'static']) ?? []),
      NO_STATIC_REPOSITORY,
    ],
  },
);

/** Spec of ClusterModelPolicy. */
export const CLUSTER_MODEL_POLICY_SPEC: Schema = object(
  'Who must have signed which models, in which namespaces. All policies that select a model must pass.',
  {
    namespaceSelector: NAMESPACE_SELECTOR,
    models: {
      type: 'array',
      description: 'Model references that the policy is about; one must select. Absent: all.',
      minItems: 1,
      maxItems: 128,
      items: modelSelector,
    },
    digest: {
      type: 'string',
      description:
        'Require: a reference without digest is denied. Resolve: its tag is resolved once and the digest verified; the tag can move afterwards.',
      enum: ['Require', 'Resolve'],
      default: 'Require',
    },
    requireModel: {
      type: 'boolean',
      description:
        'True: a pod of the namespaces that names no model reference at all is denied with ModelReferenceMissing.',
      default: false,
    },
    unverifiableSources: {
      type: 'string',
      description:
        'What happens to models that are used but cannot be checked: buckets and hubs, volumes that may mount any model, names in variables that the pod does not hold, pullers that do not check digests. Globs do not matter. Of several policies the strictest counts.',
      enum: ['Deny', 'Warn', 'Allow'],
      default: 'Deny',
    },
    authorities: {
      type: 'array',
      description: 'Parties whose signatures count.',
      minItems: 1,
      maxItems: 32,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: authority,
    },
    minAuthorities: {
      type: 'integer',
      description:
        'How many distinct authorities must be satisfied, each by a distinct signer. 0: none, where every attestation names its authorities.',
      minimum: 0,
      maximum: 32,
      default: 1,
    },
    attestations: {
      type: 'array',
      description:
        'Attestations that must be there, each beside the others, once the authorities are satisfied.',
      minItems: 1,
      maxItems: 16,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: ATTESTATION,
    },
    validations: {
      type: 'array',
      description: 'CEL rules, all of which must be true once authorities and attestations are satisfied.',
      minItems: 1,
      maxItems: 64,
      items: VALIDATION,
    },
    validationActions: {
      type: 'array',
      description: 'What a failure does: Deny, Warn or Audit. Deny and Warn exclude each other.',
      minItems: 1,
      maxItems: 2,
      default: ['Deny'],
      'x-kubernetes-list-type': 'set',
      items: { type: 'string', enum: ['Deny', 'Warn', 'Audit'] },
      'x-kubernetes-validations': [
        { rule: "!('Deny' in self && 'Warn' in self)", message: 'Deny and Warn exclude each other' },
      ],
    },
  },
  {
    required: ['authorities'],
    'x-kubernetes-validations': [
      {
        rule: '!has(self.minAuthorities) || self.minAuthorities <= self.authorities.size()',
        message: 'minAuthorities must not be larger than the number of authorities',
      },
      {
        rule: 'self.authorities.size() == 1 || !self.authorities.exists(a, has(a.static))',
        message: 'a static authority must be the only one',
      },
      {
        rule: '!has(self.attestations) || !self.authorities.exists(a, has(a.static))',
        message: 'a static authority signs nothing, so no attestation can be demanded beside it',
      },
      {
        rule: '!has(self.minAuthorities) || self.minAuthorities > 0 || (has(self.attestations) && self.attestations.all(a, has(a.authorities)))',
        message: 'minAuthorities 0 needs attestations, each of which names its authorities',
      },
      {
        rule: '!has(self.attestations) || self.attestations.all(a, !has(a.authorities) || a.authorities.all(n, self.authorities.exists(o, o.name == n)))',
        message: 'attestations must name authorities of the policy',
      },
    ],
  },
);
