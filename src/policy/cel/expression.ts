// How does a source become something that can be evaluated? Parsed, hardened, checked and metered, in this order.
// Which environment and which result are wanted is engine.ts's to say.
import type { Environment } from 'cel-js';
import { findAbsence } from './absence.ts';
import { rootOf } from './ast.ts';
import { findChosenText } from './chosen-text.ts';
import { createDiagnostic, toDiagnostic, type CelDiagnostic } from './diagnostic.ts';
import { inspectExpression, prepareExpression, type CelTypeFields } from './hardening.ts';
import { MAX_SOURCE_BYTES } from './limits.ts';
import { charge, runMetered, type CelMeter, type Metered } from './meter.ts';
import { meterExpression } from './metering.ts';
import { hideMarks, restoreMarks } from './optional-entry.ts';
import { TYPE_FIELDS } from './types.ts';

/** A checked expression: its type in the library's notation, and its evaluation, which throws evaluation errors. */
export interface CelExpression {
  readonly type: string;
  /** What is probably not meant. */
  readonly advice: readonly CelDiagnostic[];
  /** Evaluates inside of a metered evaluation, whose meter pays; throws evaluation errors. */
  readonly run: (variables: ReadonlyMap<string, unknown>) => unknown;
  evaluate(variables: ReadonlyMap<string, unknown>, meter: CelMeter): Metered<unknown>;
}

/** An expression, or at least one diagnostic. */
export type Compiled =
  | { readonly ok: true; readonly expression: CelExpression }
  | { readonly ok: false; readonly diagnostics: readonly CelDiagnostic[] };

/** Compiles a source of at most 16 KiB; never throws. @param fields of the types that the environment knows */
export function compileExpression(
  environment: Environment,
  source: string,
  fields: CelTypeFields = TYPE_FIELDS,
): Compiled {
  try {
    if (Buffer.byteLength(source) > MAX_SOURCE_BYTES) return tooLong();
    return compile(environment, source, fields);
  } catch (error) {
    return { ok: false, diagnostics: [toDiagnostic(source, error)] };
  }
}

function tooLong(): Compiled {
  const message = `expression is longer than ${MAX_SOURCE_BYTES} bytes`;
  return { ok: false, diagnostics: [createDiagnostic('', 'limit_exceeded', message)] };
}

function compile(environment: Environment, source: string, fields: CelTypeFields): Compiled {
  const { text, marks } = hideMarks(source);
  const parsed = environment.parse(text);
  const root = rootOf(parsed.ast);
  restoreMarks(root, marks);
  const refused = prepareExpression(root, source);
  if (refused.length > 0) return { ok: false, diagnostics: refused };
  const checked = parsed.check();
  if (!checked.valid) return { ok: false, diagnostics: [toDiagnostic(source, checked.error)] };
  const faults = inspectExpression(root, source, fields);
  if (faults.length > 0) return { ok: false, diagnostics: faults };
  const cost = meterExpression(root);
  const run = (variables: ReadonlyMap<string, unknown>): unknown => {
    charge(cost);
    // The library also reads variables from a map, though it declares only records.
    return parsed(variables);
  };
  return {
    ok: true,
    expression: {
      type: checked.type ?? 'dyn',
      advice: [...findAbsence(root, source), ...findChosenText(root, source)],
      run,
      evaluate: (variables, meter) => runMetered(meter, source.length, () => run(variables)),
    },
  };
}
