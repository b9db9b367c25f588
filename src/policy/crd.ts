// How does the API server know our kinds? CustomResourceDefinitions made from the same schemas that files are checked
// with; deploy/crds holds their text and a test holds it to this.
import { CLUSTER_MODEL_POLICY_SPEC, MODEL_POLICY_SPEC } from './cluster-model-policy-schema.ts';
import { MODEL_POLICY_EXCEPTION_SPEC } from './model-policy-exception-schema.ts';
import type { Schema } from './schema.ts';
import { EXCEPTION_STATUS, POLICY_STATUS, TRUST_ROOT_STATUS } from './status-schema.ts';
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
  readonly status: Schema;
  readonly columns: readonly PrinterColumn[];
}

const AGE: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since the object was made.',
};

const ofCondition = (
  name: string,
  type: string,
  member: 'status' | 'reason',
  description: string,
): PrinterColumn => ({
  name,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=="${type}")].${member}`,
  description,
});

/** Columns of everything that is a policy. */
const POLICY_COLUMNS: readonly PrinterColumn[] = [
  {
    name: 'Actions',
    type: 'string',
    jsonPath: '.spec.validationActions',
    description: 'What a failure does.',
  },
  ofCondition('Ready', 'Ready', 'status', 'Whether it can be evaluated; if not, it denies what it selects.'),
  ofCondition('Reason', 'Ready', 'reason', 'Why it can be evaluated or not.'),
  AGE,
];

const KINDS: readonly Kind[] = [
  {
    kind: 'ClusterModelPolicy',
    plural: 'clustermodelpolicies',
    shortName: 'cmp',
    scope: 'Cluster',
    description: 'Says who must have signed the AI models that pods use.',
    spec: CLUSTER_MODEL_POLICY_SPEC,
    status: POLICY_STATUS,
    columns: POLICY_COLUMNS,
  },
  {
    kind: 'ModelPolicy',
    plural: 'modelpolicies',
    shortName: 'mp',
    scope: 'Namespaced',
    description:
      'Says who must have signed the AI models of one namespace, beside what ClusterModelPolicies say.',
    spec: MODEL_POLICY_SPEC,
    status: POLICY_STATUS,
    columns: POLICY_COLUMNS,
  },
  {
    kind: 'TrustRoot',
    plural: 'trustroots',
    shortName: 'mtr',
    scope: 'Cluster',
    description: 'Says whose certificates, logs and timestamps authorities believe.',
    spec: TRUST_ROOT_SPEC,
    status: TRUST_ROOT_STATUS,
    columns: [
      {
        name: 'Source',
        type: 'string',
        jsonPath: '.status.source',
        description: 'Where the root comes from.',
      },
      {
        name: 'Expires',
        // A time ahead is no age: as `date` kubectl would print <invalid>.
        type: 'string',
        jsonPath: '.status.expires',
        description: 'When the root in use ends without a refresh.',
      },
      ofCondition('Ready', 'Ready', 'status', 'Whether policies that name it can use it.'),
    ],
  },
  {
    kind: 'ModelPolicyException',
    plural: 'modelpolicyexceptions',
    shortName: 'mpe',
    scope: 'Cluster',
    description: 'Admits what policies deny, for a while, with a warning and a record.',
    spec: MODEL_POLICY_EXCEPTION_SPEC,
    status: EXCEPTION_STATUS,
    columns: [
      {
        name: 'Expires',
        type: 'string',
        jsonPath: '.spec.expiresAt',
        description: 'When it ends.',
      },
      ofCondition('Active', 'Active', 'status', 'Whether it has an effect now.'),
    ],
  },
];

/** The definitions by file name. */
export function toCustomResourceDefinitions(): ReadonlyMap<string, object> {
  return new Map(KINDS.map((kind) => [`${kind.plural}.yaml`, toDefinition(kind)]));
}

function toDefinition({ kind, plural, shortName, scope, description, spec, status, columns }: Kind): object {
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
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: `Always ${API_GROUP}/v1alpha1.` },
                kind: { type: 'string', description: `Always ${kind}.` },
                // The API server allows nothing else here.
                metadata: { type: 'object' },
                spec,
                status,
              },
            },
          },
        },
      ],
    },
  };
}
