// Is an expression valid, and what does it come to? The only door to CEL: compile once, evaluate often.
// Hardening, metering and wording live beside it; who denies on which result is the policy's to say.
import type { Environment, ParseResult } from 'cel-js';
import { findAbsence } from './absence.ts';
import { rootOf } from './ast.ts';
import { variablesOf, type CelBindings } from './bindings.ts';
import { findChosenText } from './chosen-text.ts';
import { createDiagnostic, toDiagnostic, type CelDiagnostic } from './diagnostic.ts';
import { createEnvironments, SCOPE_RESULTS, type CelScope } from './environment.ts';
import { describeFailure } from './errors.ts';
import { inspectExpression, prepareExpression } from './hardening.ts';
import { MAX_SOURCE_BYTES } from './limits.ts';
import { charge, runMetered, type CelMeter } from './meter.ts';
import { meterExpression } from './metering.ts';
import { TYPE_FIELDS } from './types.ts';

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
    compile(source, scope) {
      try {
        if (Buffer.byteLength(source) > MAX_SOURCE_BYTES) return tooLong();
        return compile(environments[scope], source, SCOPE_RESULTS[scope]);
      } catch (error) {
        return { ok: false, diagnostics: [toDiagnostic(source, error)] };
      }
    },
  };
}

function tooLong(): CelCompilation {
  const message = `expression is longer than ${MAX_SOURCE_BYTES} bytes`;
  return { ok: false, diagnostics: [createDiagnostic('', 'limit_exceeded', message)] };
}

function compile(environment: Environment, source: string, wanted: 'bool' | 'string'): CelCompilation {
  const parsed = environment.parse(source);
  const root = rootOf(parsed.ast);
  const refused = prepareExpression(root, source);
  if (refused.length > 0) return { ok: false, diagnostics: refused };
  const checked = parsed.check();
  if (!checked.valid) return { ok: false, diagnostics: [toDiagnostic(source, checked.error)] };
  const faults = inspectExpression(root, source, TYPE_FIELDS);
  if (faults.length > 0) return { ok: false, diagnostics: faults };
  const type = checked.type ?? 'dyn';
  if (type !== wanted && !/^dyn\b/.test(type)) {
    const message = `expression must be ${wanted}, but is ${type}`;
    const range = { start: 0, end: source.length };
    return { ok: false, diagnostics: [createDiagnostic(source, 'invalid_result_type', message, range)] };
  }
  const advice = [...findAbsence(root, source), ...findChosenText(root, source)];
  const cost = meterExpression(root);
  return { ok: true, program: createProgram(source, wanted, parsed, cost), advice };
}

function createProgram(
  source: string,
  wanted: 'bool' | 'string',
  run: ParseResult,
  cost: number,
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
