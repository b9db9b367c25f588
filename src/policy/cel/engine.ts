// Is an expression valid, and what does it come to? The only door to CEL: compile once, evaluate often.
// Hardening, metering and wording live beside it; who denies on which result is the policy's to say.
import type { Environment } from 'cel-js';
import { variablesOf, type CelBindings } from './bindings.ts';
import { createDiagnostic, type CelDiagnostic } from './diagnostic.ts';
import { createEnvironments, SCOPE_RESULTS, type CelScope } from './environment.ts';
import { describeFailure } from './errors.ts';
import { compileExpression, type CelExpression } from './expression.ts';
import type { CelMeter } from './meter.ts';

export type { CelDiagnostic } from './diagnostic.ts';
export type { CelScope } from './environment.ts';

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

/** Compiles expressions; `compile` never throws. */
export interface CelEngine {
  compile(source: string, scope: CelScope): CelCompilation;
}

/** Creates an engine, which compiles for every scope; throws only when the library refuses our declarations. */
export function createCelEngine(): CelEngine {
  const environments = createEnvironments();
  return {
    compile: (source, scope) => compile(environments[scope], source, SCOPE_RESULTS[scope]),
  };
}

function compile(environment: Environment, source: string, wanted: 'bool' | 'string'): CelCompilation {
  const compiled = compileExpression(environment, source);
  if (!compiled.ok) return compiled;
  const { type } = compiled.expression;
  if (type !== wanted && !/^dyn\b/.test(type)) {
    const message = `expression must be ${wanted}, but is ${type}`;
    const range = { start: 0, end: source.length };
    return { ok: false, diagnostics: [createDiagnostic(source, 'invalid_result_type', message, range)] };
  }
  return {
    ok: true,
    program: createProgram(source, wanted, compiled.expression),
    advice: compiled.expression.advice,
  };
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
