// What does the cluster show about a policy object? The structural schemas of `status`, whose text kubectl explain shows.
// Who writes it is no concern of the schema; nothing here is ever read back to decide anything.
import { object, text, type Schema } from './schema.ts';

const TIME: Partial<Schema> = { format: 'date-time' };
const MAX_CONDITIONS = 16;

const time = (description: string): Schema => text(description, 64, TIME);

const generation = (description: string): Schema => ({ type: 'integer', description, minimum: 0 });

const CONDITION = object(
  'One thing that is true of the object or not, as everywhere in Kubernetes.',
  {
    type: text('What it is about.', 316, { pattern: '^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$' }),
    status: {
      type: 'string',
      description: 'Whether it holds; Unknown until somebody looked.',
      enum: ['True', 'False', 'Unknown'],
    },
    reason: text('Why, in one CamelCase word that programs can compare.', 1024, {
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    }),
    message: {
      type: 'string',
      description: 'Why, for people: where the fault is and what to do.',
      maxLength: 32_768,
    },
    lastTransitionTime: time('When status changed last.'),
    observedGeneration: generation('The metadata.generation of the spec that this is about.'),
  },
  { required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'] },
);

const conditions = (types: string): Schema => ({
  type: 'array',
  description: `What is known about the object: ${types}.`,
  maxItems: MAX_CONDITIONS,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: CONDITION,
});

const observedGeneration = generation(
  'The metadata.generation of the spec that the controller last compiled; smaller than that of metadata: the conditions are about an older spec.',
);

const DESCRIPTION =
  'What the controller made of the spec. Written by the controller; of no effect on decisions.';

/** Status of ClusterModelPolicy. */
export const POLICY_STATUS: Schema = object(DESCRIPTION, {
  observedGeneration,
  conditions: conditions(
    'Ready (it can be evaluated), Compiled (the spec is right), TrustRootsReady and KeysReady (what it names is there)',
  ),
});

const count = (description: string): Schema => ({
  type: 'integer',
  description,
  minimum: 0,
  maximum: 65_535,
});

/** Status of TrustRoot. */
export const TRUST_ROOT_STATUS: Schema = object(DESCRIPTION, {
  observedGeneration,
  source: {
    type: 'string',
    description: 'Where the root in use came from.',
    enum: ['shipped', 'tuf', 'pinned'],
  },
  generation: generation('Rises whenever another root is in use, in the process that writes.'),
  expires: time('When the root in use ends without a refresh; absent: it is pinned and does not end.'),
  counts: object('What the root in use holds.', {
    certificateAuthorities: count('Certificate authorities.'),
    timestampAuthorities: count('Timestamp authorities.'),
    transparencyLogs: count('Transparency logs.'),
    certificateLogs: count('Logs of certificates, which sign SCTs.'),
  }),
  conditions: conditions('Ready (policies that name it can use it)'),
});

/** Status of ModelPolicyException. */
export const EXCEPTION_STATUS: Schema = object(DESCRIPTION, {
  observedGeneration,
  conditions: conditions('Active (it has an effect now; else its reason is Expired or PolicyInvalid)'),
});
