// Is an expression valid, and what does it come to? The only door to CEL: compile once, evaluate often.
// Hardening, metering and wording live beside it; who denies on which result is the policy's to say.
import type { Environment, ParseResult } from 'cel-js';
import { rootOf } from './ast.ts';
import { variablesOf, type CelBindings } from './bindings.ts';
import { createDiagnostic, toDiagnostic, type CelDiagnostic } from './diagnostic.ts';
import {
  createEnvironments,
  declareVariables,
  SCOPE_RESULTS,
  type CelScope,
  type CelVariableScope,
} from './environment.ts';
import { describeFailure } from './errors.ts';
import { inspectExpression, prepareExpression, type CelTypeFields } from './hardening.ts';
import { MAX_SOURCE_BYTES } from './limits.ts';
import { charge, runMetered, type CelMeter } from './meter.ts';
import { meterExpression } from './metering.ts';
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

/** Outcome of compiling: a program, or at least one diagnostic. */
export type CelCompilation =
  | { readonly ok: true; readonly program: CelProgram }
  | { readonly ok: false; readonly diagnostics: readonly CelDiagnostic[] };

/** Outcome of compiling a variable. */
export type CelVariableCompilation =
  | { readonly ok: true; readonly variable: CelVariable }
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
  function check(source: string, scope: CelScope | CelVariableScope, variables: CelVariables): Checked {
    try {
      if (Buffer.byteLength(source) > MAX_SOURCE_BYTES) return tooLong();
      const fields = { ...TYPE_FIELDS, [VARIABLES_TYPE]: toVariableFields(variables) };
      return checkExpression(environmentOf(scope, variables), source, SCOPE_RESULTS[scope], fields);
    } catch (error) {
      return { ok: false, diagnostics: [toDiagnostic(source, error)] };
    }
  }
  return {
    compile(source, scope, variables = NO_VARIABLES) {
      const checked = check(source, scope, variables);
      const wanted = SCOPE_RESULTS[scope] === 'string' ? 'string' : 'bool';
      return checked.ok ? { ok: true, program: createProgram(source, wanted, checked) } : checked;
    },
    compileVariable({ name, expression: source }, scope, variables) {
      const checked = check(source, scope, variables);
      if (!checked.ok) return checked;
      const { run, cost, type } = checked;
      // The cost of its loops is charged as they run.
      const evaluate: CelVariable['evaluate'] = (values) => {
        charge(cost);
        return run(values) as unknown;
      };
      return { ok: true, variable: { name, type: toFieldType(type), source, evaluate } };
    },
  };
}

// What the checker left open cannot be the type of a field.
function toFieldType(type: string): string {
  return /\bnull\b|<[A-Z]\b|, [A-Z]\b/.test(type) ? 'dyn' : type;
}

type Refused = { readonly ok: false; readonly diagnostics: readonly CelDiagnostic[] };
type Checked =
  { readonly ok: true; readonly run: ParseResult; readonly cost: number; readonly type: string } | Refused;

function tooLong(): Refused {
  const message = `expression is longer than ${MAX_SOURCE_BYTES} bytes`;
  return { ok: false, diagnostics: [createDiagnostic('', 'limit_exceeded', message)] };
}

function checkExpression(
  environment: Environment,
  source: string,
  wanted: 'bool' | 'string' | 'any',
  fields: CelTypeFields,
): Checked {
  const parsed = environment.parse(source);
  const root = rootOf(parsed.ast);
  const refused = prepareExpression(root, source);
  if (refused.length > 0) return { ok: false, diagnostics: refused };
  const checked = parsed.check();
  if (!checked.valid) return { ok: false, diagnostics: [toDiagnostic(source, checked.error)] };
  const faults = inspectExpression(root, source, fields);
  if (faults.length > 0) return { ok: false, diagnostics: faults };
  const type = checked.type ?? 'dyn';
  if (wanted !== 'any' && type !== wanted && !/^dyn\b/.test(type)) {
    const message = `expression must be ${wanted}, but is ${type}`;
    const range = { start: 0, end: source.length };
    return { ok: false, diagnostics: [createDiagnostic(source, 'invalid_result_type', message, range)] };
  }
  return { ok: true, run: parsed, cost: meterExpression(root), type };
}

function createProgram(
  source: string,
  wanted: 'bool' | 'string',
  { run, cost }: Extract<Checked, { ok: true }>,
): CelProgram {
  const typeName = wanted === 'bool' ? 'boolean' : 'string';
  return {
    source,
    evaluate(bindings, meter) {
      try {
        const outcome = runMetered(meter, source.length, (): unknown => {
          charge(cost);
          // The library also reads variables from a map, though it declares only records.
          return run(variablesOf(bindings));
        });
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
