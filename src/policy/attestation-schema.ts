// Which shape have rules, and the attestations that a policy demands? Their structural schemas, with the text that
// kubectl explain shows.
import { MAX_EXPRESSION_CHARS, NAME_PATTERN, object, text, type Schema } from './schema.ts';

const toValidation = (description: string, variables: string): Schema =>
  object(
    description,
    {
      expression: text(`CEL over ${variables}; must be bool.`, MAX_EXPRESSION_CHARS),
      message: text('Message when the rule is false.', 512),
      messageExpression: text('CEL that makes the message; must be string.', MAX_EXPRESSION_CHARS),
    },
    { required: ['expression'] },
  );

/** A rule of the policy itself. */
export const VALIDATION: Schema = toValidation(
  'A CEL rule that must be true.',
  'model, signatures, attestations, pod, object, oldObject, request, namespaceObject and now',
);

/** One entry of `attestations`. */
export const ATTESTATION: Schema = object(
  'One attestation that must be there: a signed statement about the model. Signatures of models never count.',
  {
    name: text('Name, unique in the policy; it appears in messages, records and attestations[].name.', 63, {
      pattern: NAME_PATTERN,
    }),
    predicateTypes: {
      type: 'array',
      description: 'Predicate types, one of which the statement must have, exactly.',
      minItems: 1,
      maxItems: 16,
      'x-kubernetes-list-type': 'set',
      items: { type: 'string', minLength: 1, maxLength: 512 },
    },
    authorities: {
      type: 'array',
      description:
        "Names of the policy's authorities whose signature on the attestation counts. Absent: any of them.",
      minItems: 1,
      maxItems: 32,
      'x-kubernetes-list-type': 'set',
      items: { type: 'string', minLength: 1, maxLength: 63 },
    },
    validations: {
      type: 'array',
      description: 'CEL rules; one statement must satisfy all of them.',
      minItems: 1,
      maxItems: 16,
      items: toValidation(
        'A CEL rule about the statement.',
        'predicate, predicateType, statement and signature (who signed it), model, signatures, pod, object, oldObject, request, namespaceObject and now',
      ),
    },
  },
  { required: ['name', 'predicateTypes'] },
);
