// Does this document have the shape of its kind? ajv over the structural schemas, unknown fields refused, with the
// path of every fault: what the API server does for objects in the cluster.
import type { ErrorObject, ValidateFunction } from 'ajv';
import { compileSchema } from '../lib/own-schema.ts';
import { quote } from '../lib/text.ts';
import { CLUSTER_MODEL_POLICY_SPEC, MODEL_POLICY_SPEC } from './cluster-model-policy-schema.ts';
import { MODEL_POLICY_EXCEPTION_SPEC } from './model-policy-exception-schema.ts';
import type { Schema } from './schema.ts';
import { TRUST_ROOT_SPEC } from './trust-root-schema.ts';

/** A fault in a document: `path` as steps from its root, `message` one clause. */
export interface Fault {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** True for fields that the kind does not have: a typo, which command lines refuse to run with. */
  readonly isUnknownField?: boolean;
}

const MAX_FAULTS = 8;
/** Kinds that are checked here. */
export type CheckedKind = 'ClusterModelPolicy' | 'ModelPolicy' | 'TrustRoot' | 'ModelPolicyException';

const SCHEMAS: Readonly<Record<CheckedKind, Schema>> = {
  ClusterModelPolicy: CLUSTER_MODEL_POLICY_SPEC,
  ModelPolicy: MODEL_POLICY_SPEC,
  TrustRoot: TRUST_ROOT_SPEC,
  ModelPolicyException: MODEL_POLICY_EXCEPTION_SPEC,
};
// Compiled with the first object of a kind: every process that starts would wait for all of them.
const validators = new Map<CheckedKind, ValidateFunction>();

function findValidator(kind: CheckedKind): ValidateFunction {
  const known = validators.get(kind);
  if (known !== undefined) return known;
  const validate = compileSchema(closed(SCHEMAS[kind]), { allErrors: true, validateFormats: false });
  validators.set(kind, validate);
  return validate;
}

// Structural schemas leave unknown fields to pruning; a file has nobody who prunes it.
function closed(schema: Schema): object {
  const { properties, items, additionalProperties, ...rest } = schema;
  return {
    ...rest,
    ...(rest['x-kubernetes-list-type'] === 'set' && { uniqueItems: true }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, child]) => [name, closed(child)]),
          ),
          additionalProperties: false,
        }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: closed(additionalProperties) }),
    ...(items === undefined ? {} : { items: closed(items) }),
  };
}

/** The faults of a spec, at most 8; none when it has the shape of its kind. */
export function validateSpec(kind: CheckedKind, spec: unknown): readonly Fault[] {
  const validate = findValidator(kind);
  if (validate(spec)) return [];
  return (validate.errors ?? []).slice(0, MAX_FAULTS).map(toFault);
}

function toFault(error: ErrorObject): Fault {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  const parameters = error.params as Record<string, unknown>;
  const unknown = parameters['additionalProperty'];
  if (typeof unknown === 'string')
    return { path: [...path, unknown], message: `unknown field ${quote(unknown, 64)}`, isUnknownField: true };
  const missing = parameters['missingProperty'];
  if (typeof missing === 'string') return { path, message: `${missing} is required` };
  // ajv counts the places of the twins from the end.
  if (error.keyword === 'uniqueItems') return { path, message: 'nothing may be listed twice' };
  const allowed = parameters['allowedValues'];
  const choices = Array.isArray(allowed) ? `: ${allowed.join(', ')}` : '';
  return { path, message: `${error.message ?? 'invalid'}${choices}` };
}

/** Writes a path as kubectl does: `spec.authorities[0].key`. */
export function toFieldPath(path: readonly (string | number)[]): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}

/** Reads what {@link toFieldPath} wrote. A key with a dot in it leads to its nearest ancestor that can be found. */
export function toSteps(fieldPath: string): readonly (string | number)[] {
  return [...fieldPath.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name = '']) =>
    index === undefined ? name : Number(index),
  );
}
