// What can an expression of a scope use? One library environment per scope: types, functions, macros, variables.
// Which calls are allowed at all is functions.ts, how they are metered is metering.ts.
import { Environment } from 'cel-js';
import { rootOf, type Evaluate } from './ast.ts';
import { FUNCTIONS, toHandler } from './functions.ts';
import { PARSER_LIMITS } from './limits.ts';
import { registerLibraryTypes } from './library-types.ts';
import { optionalMacro } from './macro-optional.ts';
import { TRANSFORM_MACROS, transformMacro } from './macro-transform.ts';
import { TWO_VARIABLE_MACROS, twoVariableMacro } from './macro-two-variables.ts';
import { patchEvaluator } from './metering.ts';
import { TYPE_CLASSES, TYPE_FIELDS, type TypeName } from './types.ts';
import { toVariableFields, VARIABLES_TYPE, VariablesValue, type CelVariables } from './variables.ts';

/**
 * Where an expression is used: `validation` (all variables, bool), `message` (all variables, string), `attestation` and
 * `attestationMessage` (the same about one statement instead of `attestations`), or `matchCondition` (namespaceObject and of
 * the request namespace and operation, bool). Variables have any type: `variable` sees all variables,
 * `attestationVariable` all but `attestations`, as rules about one attestation do.
 */
export type CelScope = 'validation' | 'message' | 'attestation' | 'attestationMessage' | 'matchCondition';
/** Where a variable is used. */
export type CelVariableScope = 'variable' | 'attestationVariable';
type AnyScope = CelScope | CelVariableScope;

/** Result type a scope's expressions must have. */
export const SCOPE_RESULTS: Readonly<Record<AnyScope, 'bool' | 'string' | 'any'>> = {
  validation: 'bool',
  message: 'string',
  attestation: 'bool',
  attestationMessage: 'string',
  matchCondition: 'bool',
  variable: 'any',
  attestationVariable: 'any',
};

const OBJECT = 'map<string, dyn>';
const TRUSTED_VARIABLES = { namespaceObject: OBJECT, request: OBJECT };
const MODEL_VARIABLES = {
  ...TRUSTED_VARIABLES,
  pod: OBJECT,
  object: OBJECT,
  // Null when an object is created.
  oldObject: 'dyn',
  model: 'Model',
  signatures: 'list<Signature>',
  now: 'google.protobuf.Timestamp',
};
const ALL_VARIABLES = { ...MODEL_VARIABLES, attestations: 'list<Attestation>' };
const ATTESTATION_VARIABLES = {
  ...MODEL_VARIABLES,
  predicateType: 'string',
  predicate: 'dyn',
  statement: OBJECT,
  signature: 'Signature',
};
const SCOPE_VARIABLES: Readonly<Record<AnyScope, Readonly<Record<string, string>>>> = {
  validation: ALL_VARIABLES,
  message: ALL_VARIABLES,
  attestation: ATTESTATION_VARIABLES,
  attestationMessage: ATTESTATION_VARIABLES,
  // Nothing that whoever makes the request can choose, beside where and what.
  matchCondition: { namespaceObject: OBJECT, request: 'MatchRequest' },
  variable: ALL_VARIABLES,
  attestationVariable: MODEL_VARIABLES,
};

/** Creates the environments of all scopes; throws when the library refuses a registration. */
export function createEnvironments(): Readonly<Record<AnyScope, Environment>> {
  const base = createBaseEnvironment();
  return {
    validation: createScope(base, 'validation'),
    message: createScope(base, 'message'),
    attestation: createScope(base, 'attestation'),
    attestationMessage: createScope(base, 'attestationMessage'),
    matchCondition: createScope(base, 'matchCondition'),
    variable: createScope(base, 'variable'),
    attestationVariable: createScope(base, 'attestationVariable'),
  };
}

/** An environment of a scope in which `variables` are known too. */
export function declareVariables(scope: Environment, variables: CelVariables): Environment {
  const environment = scope.clone();
  const fields = toVariableFields(variables);
  environment.registerType(VARIABLES_TYPE, { ctor: VariablesValue, fields });
  environment.registerVariable('variables', VARIABLES_TYPE);
  return meterEnvironment(environment);
}

/** Creates an environment with the whole library and no variables; throws when the library refuses a registration. */
export function createBaseEnvironment(): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: true,
    enableOptionalTypes: true,
    limits: PARSER_LIMITS,
  });
  for (const name of Object.keys(TYPE_FIELDS) as TypeName[]) {
    environment.registerType(name, { ctor: TYPE_CLASSES[name], fields: TYPE_FIELDS[name] });
  }
  registerLibraryTypes(environment);
  // Without `async: false` the library prepares every call for a promise.
  for (const each of FUNCTIONS)
    environment.registerFunction(each.signature, toHandler(each), { async: false });
  registerMacros(environment);
  return environment;
}

function registerMacros(environment: Environment): void {
  const sync = { async: false };
  for (const name of TWO_VARIABLE_MACROS) {
    environment.registerFunction(`list.${name}(ast, ast, ast): bool`, twoVariableMacro(name), sync);
  }
  for (const name of TRANSFORM_MACROS) {
    environment.registerFunction(`list.${name}(ast, ast, ast): dyn`, transformMacro(name), sync);
    environment.registerFunction(`list.${name}(ast, ast, ast, ast): dyn`, transformMacro(name), sync);
  }
  environment.registerFunction('optional.optMap(ast, ast): optional<dyn>', optionalMacro(false), sync);
  environment.registerFunction('optional.optFlatMap(ast, ast): optional<dyn>', optionalMacro(true), sync);
}

function createScope(base: Environment, scope: AnyScope): Environment {
  return withVariables(base, SCOPE_VARIABLES[scope]);
}

/** Clones an environment and declares variables, name to type; the clone's evaluator is metered. */
export function withVariables(base: Environment, variables: Readonly<Record<string, string>>): Environment {
  const environment = base.clone();
  for (const [name, type] of Object.entries(variables)) environment.registerVariable(name, type);
  return meterEnvironment(environment);
}

function meterEnvironment(environment: Environment): Environment {
  // An environment keeps its evaluator private; evaluating is the only way to meet it.
  const probe = environment.parse('true');
  const patch: Evaluate = (evaluator) => {
    patchEvaluator(evaluator);
    return true;
  };
  rootOf(probe.ast).setMeta('evaluate', patch);
  probe.check();
  probe();
  return environment;
}
