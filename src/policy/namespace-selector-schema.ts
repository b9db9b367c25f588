// Which shape has a selector of namespaces? The part of the ClusterModelPolicy schema for `namespaceSelector`.
import { map, object, text, type Schema } from './schema.ts';

/** The `namespaceSelector` member of a spec. */
export const NAMESPACE_SELECTOR: Schema = object(
  'Namespaces that the policy is about, by their labels. Absent: every namespace. Labels are only as strong as who may write them: prefer kubernetes.io/metadata.name.',
  {
    matchLabels: map('Labels that must have these values.', 63),
    matchExpressions: {
      type: 'array',
      description: 'Requirements that must all hold.',
      maxItems: 16,
      items: object(
        'One requirement.',
        {
          key: text('Label key.', 317),
          operator: {
            type: 'string',
            description: 'How the label relates to the values.',
            enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'],
          },
          values: {
            type: 'array',
            description: 'Values for In and NotIn; absent for Exists and DoesNotExist.',
            maxItems: 100,
            'x-kubernetes-list-type': 'set',
            items: { type: 'string', maxLength: 63 },
          },
        },
        {
          required: ['key', 'operator'],
          'x-kubernetes-validations': [
            {
              rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
              message: 'In and NotIn need values, Exists and DoesNotExist take none',
            },
          ],
        },
      ),
    },
  },
);
