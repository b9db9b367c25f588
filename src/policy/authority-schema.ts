// Which shape has an authority? One schema for both kinds of policies: namespaces cannot delegate, nor let pass unsigned.
import { CERTIFICATE_AUTHORITY } from './certificate-authority-schema.ts';
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
import {
  NO_STATIC_REPOSITORY,
  NO_TENANT_REPOSITORY,
  SIGNATURE_REPOSITORY,
} from './signature-repository-schema.ts';

/** Who writes a policy: the platform for the cluster, or a namespace for itself. */
export type PolicyScope = 'Cluster' | 'Namespaced';

/** Kinds of authorities that each may name. */
export const AUTHORITY_KINDS: Readonly<Record<PolicyScope, readonly string[]>> = {
  Cluster: ['key', 'keyless', 'certificate', 'static', 'tenant'],
  Namespaced: ['key', 'keyless', 'certificate', 'static'],
};

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

const tenant = object(
  "Satisfied by the namespace's own ModelPolicies: at least one with action Deny and a signing authority selects the model, and all that select it pass.",
  {},
);

const threshold = (description: string): Schema => ({ type: 'integer', description, minimum: 1, maximum: 8 });

/** One entry of `authorities` of a kind of policy. */
export const toAuthoritySchema = (scope: PolicyScope): Schema =>
  object(
    `One party whose signature counts. Exactly one of ${AUTHORITY_KINDS[scope].join(', ')}.`,
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
            description:
              scope === 'Cluster'
                ? 'Pass admits, Fail denies with StaticDeny.'
                : 'Fail denies with StaticDeny.',
            enum: scope === 'Cluster' ? ['Pass', 'Fail'] : ['Fail'],
          },
          message: text('Reason shown to the user on Fail.', 512),
        },
        { required: ['action'] },
      ),
      ...(scope === 'Cluster' ? { tenant } : {}),
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
        ...(exactlyOne(AUTHORITY_KINDS[scope]) ?? []),
        NO_STATIC_REPOSITORY,
        ...(scope === 'Cluster' ? [NO_TENANT_REPOSITORY] : []),
      ],
    },
  );
