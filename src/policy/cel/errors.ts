// What can go wrong in an evaluation, in fixed words? Library messages quote values, which may be secrets.
// Every failure becomes a code; only the text of this table and the policy's own source are ever shown.
import { EvaluationError } from 'cel-js';
import type { CelNode } from './ast.ts';
import { MAX_RESULT_MESSAGE_LENGTH } from './limits.ts';

const TEXTS: Readonly<Record<string, string>> = {
  no_such_key: 'no such key',
  index_out_of_bounds: 'index out of bounds',
  unknown_variable: 'variable has no value',
  variable_type_mismatch: 'value has another type than declared',
  field_type_mismatch: 'field has another type than declared',
  list_item_type_mismatch: 'list item has another type than declared',
  unsupported_type: 'value cannot be read (nested too deeply?)',
  no_such_overload: 'operator is not defined for these types',
  no_matching_overload: 'function is not defined for these types',
  invalid_condition_type: 'condition is not true or false',
  invalid_logical_operand: 'logical operand is not true or false',
  invalid_comprehension_range: 'only lists and maps can be iterated',
  numeric_overflow: 'number out of range',
  division_by_zero: 'division by zero',
  modulo_by_zero: 'modulo by zero',
  index_out_of_range: 'index out of range',
  invalid_conversion: 'value cannot be converted',
  bool_conversion_error: 'value cannot be converted to bool',
  invalid_timestamp: 'not an RFC 3339 timestamp between the years 1 and 9999',
  invalid_duration: 'not a duration, or longer than 292 years',
  invalid_time_zone: 'not a time zone',
  invalid_quantity: 'not a quantity of at most 128 characters',
  invalid_semver: 'not a semantic version of at most 256 characters',
  invalid_ip: 'not an IP address without zone',
  invalid_cidr: 'not a network in CIDR notation',
  invalid_url: 'not an absolute URL of at most 8,192 characters',
  invalid_format: 'format string and arguments do not go together',
  optional_expected: 'value is not optional',
  invalid_regular_expression: 'not an RE2 regular expression within the limits',
  invalid_list_element_type: 'list has elements of another type',
  empty_list: 'list is empty',
  invalid_map_key: 'map keys are string, int or bool',
  duplicate_map_key: 'map key is given twice',
  optional_value_missing: 'optional has no value',
  invalid_result_type: 'result has the wrong type',
};

/** An evaluation error with that code; the library adds its place in the source. */
export function celError(code: string): Error {
  return new EvaluationError({ code, message: TEXTS[code] ?? code });
}

/** A variable that has no value. No error of the library's kind, which optional selection would take for absence. */
export class VariableError extends Error {
  override readonly name = 'VariableError';

  constructor(variable: string, failure: string) {
    super(`variables.${variable}: ${failure}`);
  }
}

/** Runs part of a node's evaluation; adds the node's place to an evaluation error that has none. */
export function locate<T>(node: CelNode, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof EvaluationError && error.range === undefined) {
      throw new EvaluationError({ code: error.code, message: error.summary, range: node });
    }
    throw error;
  }
}

/** Describes a failed evaluation in at most 256 characters: fixed text, line and column, excerpt of the source. */
export function describeFailure(error: unknown, source: string): string {
  if (error instanceof RangeError) return 'expression is too deep or its values too large';
  if (error instanceof VariableError) return error.message.slice(0, MAX_RESULT_MESSAGE_LENGTH);
  if (!(error instanceof EvaluationError)) return 'evaluation failed';
  const text = TEXTS[error.code] ?? 'evaluation failed';
  if (error.range === undefined) return text;
  const { start, end } = error.range;
  const before = source.slice(0, start).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  const excerpt = oneLine(source.slice(start, Math.min(end, start + 80)));
  return `${text} at ${before.length}:${column}: ${excerpt}`.slice(0, MAX_RESULT_MESSAGE_LENGTH);
}

/** Replaces control characters and line breaks, so that text is one printable line. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
}
