// Which shape have conditions, variables and rules, and the attestations that a policy demands? Their structural schemas, with the text that
// kubectl explain shows.
import { MAX_EXPRESSION_CHARS, NAME_PATTERN, object, text, type Schema } from './schema.ts';

// A CEL identifier that reserves nothing: names with two underscores in front are the engine's own.
const VARIABLE_PATTERN = '^([A-Za-z]|_[A-Za-z0-9])[A-Za-z0-9_]*$';

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
  'model, signatures, attestations, variables, pod, object, oldObject, request, namespaceObject and now',
);

/** `matchConditions` of a policy. */
export const MATCH_CONDITIONS: Schema = {
  type: 'array',
  description:
    'CEL conditions that must all be true for the policy to be about a request. One that is false takes the request out of the policy, whatever the others say; otherwise one that fails denies what the policy selects.',
  minItems: 1,
  maxItems: 64,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
  items: object(
    'One condition.',
    {
      name: text('Name, unique in the policy; it appears in messages.', 63, { pattern: NAME_PATTERN }),
      expression: text(
        'CEL over namespaceObject, request.namespace and request.operation; must be bool.',
        MAX_EXPRESSION_CHARS,
      ),
    },
    { required: ['name', 'expression'] },
  ),
};

/** `variables` of a policy. */
export const VARIABLES: Schema = {
  type: 'array',
  description:
    'Expressions that rules, their messages and later variables read as variables.NAME; evaluated when first read, once.',
  minItems: 1,
  maxItems: 64,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
  items: object(
    'One variable.',
    {
      name: text('Name, unique in the policy: a CEL identifier.', 63, { pattern: VARIABLE_PATTERN }),
      expression: text(
        'CEL of any type over what validations see. A rule about attestations can read it where it does not read attestations itself.',
        MAX_EXPRESSION_CHARS,
      ),
    },
    { required: ['name', 'expression'] },
  ),
};

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
        'predicate, predicateType, statement and signature (who signed it), model, signatures, variables, pod, object, oldObject, request, namespaceObject and now',
      ),
    },
  },
  { required: ['name', 'predicateTypes'] },
);
