// Which shape has an authority of a private PKI? The part of the ClusterModelPolicy schema for `certificate`.
import {
  exactlyOne,
  keyReference,
  MAX_PATTERN_CHARS,
  needsTrustRoot,
  object,
  optionalCount,
  text,
  trustRootReference,
  type Schema,
} from './schema.ts';

/** The ways of naming an owner: field, what it is compared with. */
export const CERTIFICATE_IDENTITY_FIELDS = [
  'subjectURI',
  'subjectEmail',
  'subjectDNS',
  'subjectDN',
  'spki',
] as const;

type IdentityField = (typeof CERTIFICATE_IDENTITY_FIELDS)[number];

const MEANINGS: Readonly<Record<IdentityField, string>> = {
  subjectURI: 'A URI among the subject alternative names',
  subjectEmail: 'An e-mail address among the subject alternative names',
  subjectDNS: 'A DNS name among the subject alternative names',
  subjectDN: 'The subject as RFC 4514 text, e.g. CN=signer,O=Acme',
  spki: 'Lower-case hex SHA-256 of the SubjectPublicKeyInfo',
};

const allFields = CERTIFICATE_IDENTITY_FIELDS.flatMap((field) => [field, `${field}RegExp`]);

const identity = object(
  'One allowed owner of a signing certificate. Everything that is set must match; names are compared exactly or by patterns, which are RE2 and match the whole text.',
  Object.fromEntries(
    CERTIFICATE_IDENTITY_FIELDS.flatMap((field) => [
      [
        field,
        text(
          `${MEANINGS[field]}, exactly.`,
          2048,
          field === 'spki' ? { pattern: '^[0-9a-f]{64}$', maxLength: 64 } : {},
        ),
      ],
      [`${field}RegExp`, text(`${MEANINGS[field]}, as a whole-string RE2 pattern.`, MAX_PATTERN_CHARS)],
    ]),
  ),
  {
    'x-kubernetes-validations': [
      {
        rule: `[${allFields.map((field) => `has(self.${field})`).join(', ')}].exists(x, x)`,
        message: 'at least one name must be set',
      },
      ...CERTIFICATE_IDENTITY_FIELDS.map((field) => ({
        rule: `!has(self.${field}) || !has(self.${field}RegExp)`,
        message: `${field} and ${field}RegExp exclude each other`,
      })),
    ],
  },
);

const certificates = (description: string): Schema =>
  object(
    description,
    {
      pem: text('CERTIFICATE blocks in PEM.', 262_144),
      secretKeyRef: keyReference('Secret'),
      configMapKeyRef: keyReference('ConfigMap'),
    },
    { 'x-kubernetes-validations': exactlyOne(['pem', 'secretKeyRef', 'configMapKeyRef']) ?? [] },
  );

/** The `certificate` member of an authority. */
export const CERTIFICATE_AUTHORITY: Schema = object(
  'Signed with a certificate of a private PKI for one of these identities, valid when it was signed where trustRootRef says who knows, else at the time of the request. Public web roots are never implied; revocation is not asked about.',
  {
    roots: certificates('Root certificates: the only ones that are trusted.'),
    intermediates: certificates('Further certificates that may stand between a root and the signer.'),
    identities: {
      type: 'array',
      description: 'Allowed owners; one must match.',
      minItems: 1,
      maxItems: 32,
      items: identity,
    },
    extendedKeyUsage: {
      type: 'string',
      description:
        'CodeSigning: the signing certificate must be for code signing, and its issuers must not exclude it. Any: whatever it is for.',
      enum: ['CodeSigning', 'Any'],
      default: 'CodeSigning',
    },
    notAfter: text(
      'RFC 3339 time, e.g. 2027-01-01T00:00:00Z. What was signed later does not count; without a trusted time nothing counts after it.',
      64,
      { format: 'date-time', pattern: String.raw`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$` },
    ),
    trustRootRef: trustRootReference(
      'The TrustRoot whose timestamp authorities, logs and revocations count: their times say when it was signed. Absent: log entries and timestamps are ignored, and everything must be valid now.',
    ),
    minTimestamps: optionalCount(
      'Distinct trusted times of the signature (default 0: without any, everything must be valid now).',
    ),
  },
  {
    required: ['roots', 'identities'],
    'x-kubernetes-validations': [needsTrustRoot('minTimestamps')],
  },
);
