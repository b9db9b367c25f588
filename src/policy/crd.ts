// How does the API server know our kinds? CustomResourceDefinitions made from the same schemas that files are checked
// with; deploy/crds holds their text and a test holds it to this.
import { CLUSTER_MODEL_POLICY_SPEC } from './cluster-model-policy-schema.ts';
import { MODEL_POLICY_EXCEPTION_SPEC } from './model-policy-exception-schema.ts';
import type { Schema } from './schema.ts';
import { CONDITIONS_STATUS, TRUST_ROOT_STATUS } from './status-schema.ts';
import { TRUST_ROOT_SPEC } from './trust-root-schema.ts';
import { API_GROUP } from './types.ts';

interface PrinterColumn {
  readonly name: string;
  /** Of a time to come kubectl would print a date as invalid. */
  readonly type: 'string' | 'date';
  readonly jsonPath: string;
  readonly description: string;
}

interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
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

const condition = (name: string, type: string, field: 'status' | 'reason'): PrinterColumn => ({
  name,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=="${type}")].${field}`,
  description: `The ${field} of the condition ${type}.`,
});

const KINDS: readonly Kind[] = [
  {
    kind: 'ClusterModelPolicy',
    plural: 'clustermodelpolicies',
    shortName: 'cmp',
    description: 'Says who must have signed the AI models that pods use.',
    spec: CLUSTER_MODEL_POLICY_SPEC,
    status: CONDITIONS_STATUS,
    columns: [
      {
        name: 'Actions',
        type: 'string',
        jsonPath: '.spec.validationActions',
        description: 'What a failure does.',
      },
      condition('Ready', 'Ready', 'status'),
      condition('Reason', 'Ready', 'reason'),
      AGE,
    ],
  },
  {
    kind: 'TrustRoot',
    plural: 'trustroots',
    shortName: 'mtr',
    description: 'Says whose certificates, logs and timestamps authorities believe.',
    spec: TRUST_ROOT_SPEC,
    status: TRUST_ROOT_STATUS,
    columns: [
      {
        name: 'Source',
        type: 'string',
        jsonPath: '.status.source',
        description: 'Where the root in force came from.',
      },
      {
        name: 'Expires',
        type: 'string',
        jsonPath: '.status.expires',
        description: 'When it stops being trusted.',
      },
      condition('Ready', 'Ready', 'status'),
      AGE,
    ],
  },
  {
    kind: 'ModelPolicyException',
    plural: 'modelpolicyexceptions',
    shortName: 'mpe',
    description: 'Admits what policies deny, for a while, with a warning and a record.',
    spec: MODEL_POLICY_EXCEPTION_SPEC,
    status: CONDITIONS_STATUS,
    columns: [
      {
        name: 'Expires',
        type: 'string',
        jsonPath: '.spec.expiresAt',
        description: 'When it ends.',
      },
      condition('Active', 'Active', 'status'),
      AGE,
    ],
  },
];

/** The definitions by file name. */
export function toCustomResourceDefinitions(): ReadonlyMap<string, object> {
  return new Map(KINDS.map((kind) => [`${kind.plural}.yaml`, toDefinition(kind)]));
}

function toDefinition({ kind, plural, shortName, description, spec, status, columns }: Kind): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${API_GROUP}` },
    spec: {
      group: API_GROUP,
      scope: 'Cluster',
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
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
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
