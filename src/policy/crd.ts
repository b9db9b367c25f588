// How does the API server know our kinds? CustomResourceDefinitions made from the same schemas that files are checked
// with; deploy/crds holds their text and a test holds it to this.
import { CLUSTER_MODEL_POLICY_SPEC, MODEL_POLICY_SPEC } from './cluster-model-policy-schema.ts';
import { MODEL_POLICY_EXCEPTION_SPEC } from './model-policy-exception-schema.ts';
import type { Schema } from './schema.ts';
import { TRUST_ROOT_SPEC } from './trust-root-schema.ts';
import { API_GROUP } from './types.ts';

interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'date';
  readonly jsonPath: string;
  readonly description: string;
}

interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  readonly scope: 'Cluster' | 'Namespaced';
  readonly description: string;
  readonly spec: Schema;
  readonly columns: readonly PrinterColumn[];
}

const AGE: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since the object was made.',
};

const ACTIONS: PrinterColumn = {
  name: 'Actions',
  type: 'string',
  jsonPath: '.spec.validationActions',
  description: 'What a failure does.',
};

const KINDS: readonly Kind[] = [
  {
    kind: 'ClusterModelPolicy',
    plural: 'clustermodelpolicies',
    shortName: 'cmp',
    scope: 'Cluster',
    description: 'Says who must have signed the AI models that pods use.',
    spec: CLUSTER_MODEL_POLICY_SPEC,
    columns: [ACTIONS, AGE],
  },
  {
    kind: 'ModelPolicy',
    plural: 'modelpolicies',
    shortName: 'mp',
    scope: 'Namespaced',
    description:
      'Says who must have signed the AI models of one namespace, beside what ClusterModelPolicies say.',
    spec: MODEL_POLICY_SPEC,
    columns: [ACTIONS, AGE],
  },
  {
    kind: 'TrustRoot',
    plural: 'trustroots',
    shortName: 'mtr',
    scope: 'Cluster',
    description: 'Says whose certificates, logs and timestamps authorities believe.',
    spec: TRUST_ROOT_SPEC,
    columns: [AGE],
  },
  {
    kind: 'ModelPolicyException',
    plural: 'modelpolicyexceptions',
    shortName: 'mpe',
    scope: 'Cluster',
    description: 'Admits what policies deny, for a while, with a warning and a record.',
    spec: MODEL_POLICY_EXCEPTION_SPEC,
    columns: [
      {
        name: 'Expires',
        type: 'date',
        jsonPath: '.spec.expiresAt',
        description: 'When it ends.',
      },
      AGE,
    ],
  },
];

/** The definitions by file name. */
export function toCustomResourceDefinitions(): ReadonlyMap<string, object> {
  return new Map(KINDS.map((kind) => [`${kind.plural}.yaml`, toDefinition(kind)]));
}

function toDefinition({ kind, plural, shortName, scope, description, spec, columns }: Kind): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${API_GROUP}` },
    spec: {
      group: API_GROUP,
      scope,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), shortNames: [shortName] },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec,
              },
            },
          },
        },
      ],
    },
  };
}
