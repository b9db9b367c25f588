// Which shape has a status? The structural schemas of what the controller writes; nobody else has a reason to.
import { object, text, type Schema } from './schema.ts';

const CONDITION: Schema = object(
  'One thing that holds or does not.',
  {
    type: text('What it is about.', 64),
    status: { type: 'string', enum: ['True', 'False', 'Unknown'], description: 'Whether it holds.' },
    reason: text('Why, in one word; a reason of denials where there is one.', 128),
    message: { type: 'string', maxLength: 4096, description: 'Why, in a sentence.' },
    lastTransitionTime: text('When its status last changed.', 32),
    observedGeneration: { type: 'integer', description: 'The generation of the object that it is about.' },
  },
  { required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'] },
);

const COMMON: Readonly<Record<string, Schema>> = {
  observedGeneration: { type: 'integer', description: 'The generation of the object that was compiled.' },
  conditions: {
    type: 'array',
    description: 'What holds and what does not.',
    items: CONDITION,
    maxItems: 16,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
  },
};
const count = (description: string): Schema => ({ type: 'integer', description });

/** Status of ClusterModelPolicy and ModelPolicyException. */
export const CONDITIONS_STATUS: Schema = object('What the controller makes of it.', COMMON);

/** Status of TrustRoot. */
export const TRUST_ROOT_STATUS: Schema = object('What the controller makes of it.', {
  ...COMMON,
  source: text('Where the root in force came from: shipped, tuf or pinned.', 16),
  generation: { type: 'integer', description: 'Rises with every other root, in the process that writes.' },
  expires: text('When the root in force stops being trusted, unless its source vouches for it again.', 32),
  counts: object('How much is in the root in force.', {
    certificateAuthorities: count('Certificate authorities.'),
    timestampAuthorities: count('Timestamp authorities.'),
    transparencyLogs: count('Transparency logs.'),
    certificateLogs: count('Logs of certificates.'),
  }),
});
