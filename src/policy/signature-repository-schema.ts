// Which shape has `signatureRepository`? Where an authority looks for signatures when not beside the model.
import { NAME_PATTERN, object, text, type Schema } from './schema.ts';

/** Most pull secrets of one signature repository. */
const MAX_SECRETS = 4;

/** The schema of `authorities[].signatureRepository`. */
export const SIGNATURE_REPOSITORY: Schema = object(
  "Another repository in which this authority's signatures and attestations are looked for, in place of the model's own. The model itself is still read from its own.",
  {
    repository: text('Where to look: registry/repository, without tag and digest.', 512),
    pullSecrets: {
      type: 'array',
      description:
        "Pull secrets in the controller's namespace, or that of a ModelPolicy, that this repository, and nothing else, is read with. Absent: the controller's own credentials; for a ModelPolicy, none.",
      minItems: 1,
      maxItems: MAX_SECRETS,
      items: object(
        'A pull secret.',
        { name: text('Name of the Secret.', 253, { pattern: NAME_PATTERN }) },
        { required: ['name'] },
      ),
    },
  },
  { required: ['repository'] },
);

/** A rule that whoever verifies nothing looks nowhere; compile-signature-repository.ts says the same. */
export const NO_STATIC_REPOSITORY = {
  rule: '!has(self.static) || !has(self.signatureRepository)',
  message: 'a static authority looks for no signatures, so it has no signatureRepository',
} as const;

/** The same for an authority that is satisfied by other policies. */
export const NO_TENANT_REPOSITORY = {
  rule: '!has(self.tenant) || !has(self.signatureRepository)',
  message: "a tenant authority goes by where the namespace's policies look, so it has no signatureRepository",
} as const;
