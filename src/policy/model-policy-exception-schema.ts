// Which shape has a ModelPolicyException? Its structural schema, with the text that kubectl explain shows.
import { NAME_PATTERN, object, text, type Schema } from './schema.ts';

const list = (description: string, items: Schema, maxItems: number): Schema => ({
  type: 'array',
  description,
  items,
  minItems: 1,
  maxItems,
  'x-kubernetes-list-type': 'set',
});

/** Spec of ModelPolicyException. */
export const MODEL_POLICY_EXCEPTION_SPEC: Schema = object(
  'Which denials are admitted, with a warning, until when, and why.',
  {
    policies: list(
      'Names of the ClusterModelPolicies whose denials are admitted; every denying policy must be covered.',
      text('Name of a ClusterModelPolicy.', 253, { pattern: NAME_PATTERN }),
      32,
    ),
    namespaces: list(
      'Namespaces in which it counts.',
      text('Name of a namespace.', 63, { pattern: NAME_PATTERN }),
      64,
    ),
    models: list(
      'Which models: registry/repository@sha256:…; a glob of repositories only with anyDigest.',
      text('A digest, or a glob.', 512),
      64,
    ),
    anyDigest: {
      type: 'boolean',
      description: 'Lets models be globs of repositories, whatever their digest: wide, and rarely right.',
    },
    reason: text('Why, and where it is tracked; shown in every warning.', 512),
    requestedBy: text('Who asked for it.', 253),
    expiresAt: text('When it ends, RFC 3339 in UTC; at the latest 90 days after the object was made.', 32, {
      // The calendar is the format's: 30 February has the shape of a date.
      format: 'date-time',
      pattern: String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$`,
    }),
  },
  {
    required: ['policies', 'namespaces', 'models', 'reason', 'requestedBy', 'expiresAt'],
    'x-kubernetes-validations': [
      { rule: 'self == oldSelf', message: 'an exception cannot be changed: make another one' },
      {
        rule: "(has(self.anyDigest) && self.anyDigest) || self.models.all(m, m.contains('@sha256:') || m.contains('@sha512:'))",
        message: 'models must be named by digest, or anyDigest must be true',
      },
    ],
  },
);
