// Is an expression valid, and what does it come to? The only door to CEL: compile once, evaluate often.
// Hardening, metering and wording live beside it; who denies on which result is the policy's to say.
import type { Environment } from 'cel-js';
import { variablesOf, type CelBindings } from './bindings.ts';
import { createDiagnostic, type CelDiagnostic } from './diagnostic.ts';
import {
  createEnvironments,
  declareVariables,
  SCOPE_RESULTS,
  type CelScope,
  type CelVariableScope,
} from './environment.ts';
import { describeFailure } from './errors.ts';
import { compileExpression, type Compiled, type CelExpression } from './expression.ts';
import type { CelMeter } from './meter.ts';
import { TYPE_FIELDS } from './types.ts';
import {
  NO_VARIABLES,
  toVariableFields,
  VARIABLES_TYPE,
  type CelVariable,
  type CelVariables,
} from './variables.ts';

export type { CelDiagnostic } from './diagnostic.ts';
export type { CelScope, CelVariableScope } from './environment.ts';
export type { CelVariable, CelVariables } from './variables.ts';

/** Outcome of an evaluation: a value of the scope's type, or why there is none (at most 256 characters). */
export type CelResult =
  | { readonly ok: true; readonly value: boolean | string }
  | { readonly ok: false; readonly kind: 'error' | 'budget'; readonly message: string };

/** A checked expression; `evaluate` is synchronous, never throws and charges the meter. */
export interface CelProgram {
  readonly source: string;
  evaluate(bindings: CelBindings, meter: CelMeter): CelResult;
}

/** Outcome of compiling: a program, with what is probably not meant about it, or at least one diagnostic. */
export type CelCompilation =
  | { readonly ok: true; readonly program: CelProgram; readonly advice?: readonly CelDiagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly CelDiagnostic[] };

/** Outcome of compiling a variable. */
export type CelVariableCompilation =
  | { readonly ok: true; readonly variable: CelVariable; readonly advice: readonly CelDiagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly CelDiagnostic[] };

/** Compiles expressions; never throws. @param variables those that the expression may read, default none */
export interface CelEngine {
  compile(source: string, scope: CelScope, variables?: CelVariables): CelCompilation;
  compileVariable(
    declaration: { readonly name: string; readonly expression: string },
    scope: CelVariableScope,
    variables: CelVariables,
  ): CelVariableCompilation;
}

/** Creates an engine, which compiles for every scope; throws only when the library refuses our declarations. */
export function createCelEngine(): CelEngine {
  const environments = createEnvironments();
  const declared = new WeakMap<CelVariables, Map<CelScope | CelVariableScope, Environment>>();
  function environmentOf(scope: CelScope | CelVariableScope, variables: CelVariables): Environment {
    if (variables.length === 0) return environments[scope];
    const known = declared.get(variables) ?? new Map<CelScope | CelVariableScope, Environment>();
    declared.set(variables, known);
    const environment = known.get(scope) ?? declareVariables(environments[scope], variables);
    known.set(scope, environment);
    return environment;
  }
  function check(source: string, scope: CelScope | CelVariableScope, variables: CelVariables): Compiled {
    const fields = { ...TYPE_FIELDS, [VARIABLES_TYPE]: toVariableFields(variables) };
    return compileExpression(environmentOf(scope, variables), source, fields);
  }
  return {
    compile(source, scope, variables = NO_VARIABLES) {
      const wanted = SCOPE_RESULTS[scope] === 'string' ? 'string' : 'bool';
      return toProgram(source, wanted, check(source, scope, variables));
    },
    compileVariable({ name, expression: source }, scope, variables) {
      const checked = check(source, scope, variables);
      if (!checked.ok) return checked;
      const { type, run, advice } = checked.expression;
      return { ok: true, variable: { name, type: toFieldType(type), source, evaluate: run }, advice };
    },
  };
}

// What the checker left open cannot be the type of a field.
function toFieldType(type: string): string {
  return /\bnull\b|<[A-Z]\b|, [A-Z]\b/.test(type) ? 'dyn' : type;
}

function toProgram(source: string, wanted: 'bool' | 'string', checked: Compiled): CelCompilation {
  if (!checked.ok) return checked;
  const { type, advice } = checked.expression;
  if (type !== wanted && !/^dyn\b/.test(type)) {
    const message = `expression must be ${wanted}, but is ${type}`;
    const range = { start: 0, end: source.length };
    return { ok: false, diagnostics: [createDiagnostic(source, 'invalid_result_type', message, range)] };
  }
  return { ok: true, program: createProgram(source, wanted, checked.expression), advice };
}

function createProgram(source: string, wanted: 'bool' | 'string', expression: CelExpression): CelProgram {
  const typeName = wanted === 'bool' ? 'boolean' : 'string';
  return {
    source,
    evaluate(bindings, meter) {
      try {
        const outcome = expression.evaluate(variablesOf(bindings), meter);
        if (!outcome.within) return { ok: false, kind: 'budget', message: 'CEL cost budget is spent' };
        const { value } = outcome;
        if (typeof value === typeName) return { ok: true, value: value as boolean | string };
        return { ok: false, kind: 'error', message: `result is not ${wanted}` };
      } catch (error) {
        return { ok: false, kind: 'error', message: describeFailure(error, source) };
      }
    },
  };
}
