// Which shape have ClusterModelPolicy and ModelPolicy? Their structural schemas, with the text that kubectl explain shows.
import { MODEL_SOURCES } from '../model/model-reference.ts';
import { toAuthoritySchema, type PolicyScope } from './authority-schema.ts';
import { ATTESTATION, MATCH_CONDITIONS, VALIDATION, VARIABLES } from './attestation-schema.ts';
import { NAMESPACE_SELECTOR } from './namespace-selector-schema.ts';
import { object, text, type Schema } from './schema.ts';

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

const toPolicySpec = (description: string, scope: PolicyScope): Schema =>
  object(
    description,
    {
      ...(scope === 'Cluster' ? { namespaceSelector: NAMESPACE_SELECTOR } : {}),
      models: {
        type: 'array',
        description: 'Model references that the policy is about; one must select. Absent: all.',
        minItems: 1,
        maxItems: 128,
        items: modelSelector,
      },
      matchConditions: MATCH_CONDITIONS,
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
        items: toAuthoritySchema(scope),
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
      variables: VARIABLES,
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
        ...(scope === 'Cluster'
          ? [
              {
                rule: '!has(self.attestations) || self.authorities.exists(a, !has(a.tenant))',
                message: 'a tenant authority vouches for no attestation, so another one is needed',
              },
            ]
          : []),
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

/** Spec of ClusterModelPolicy. */
export const CLUSTER_MODEL_POLICY_SPEC: Schema = toPolicySpec(
  'Who must have signed which models, in which namespaces. All policies that select a model must pass.',
  'Cluster',
);

/** Spec of ModelPolicy. */
export const MODEL_POLICY_SPEC: Schema = toPolicySpec(
  "Who must have signed which models in this namespace, beside what the cluster's policies demand: it can only tighten.",
  'Namespaced',
);
