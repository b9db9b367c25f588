// How is a fault of an expression told? Code, one line of text, range and a line with a caret below it.
// Compile time knows only the policy's source, so nothing of a request can appear here.
import { EvaluationError, ParseError, TypeError as CelTypeError } from 'cel-js';
import { oneLine } from './errors.ts';
import { MAX_DIAGNOSTIC_LENGTH } from './limits.ts';

/** A half-open range of the source, in UTF-16 code units. */
export interface CelRange {
  readonly start: number;
  readonly end: number;
}

/** A fault found when compiling; `message` is one line of at most 512 characters, `caret` two lines. */
export interface CelDiagnostic {
  readonly code: string;
  readonly message: string;
  readonly range?: CelRange;
  readonly caret?: string;
}

const EXCERPT_WIDTH = 100;
// Characters of the line shown before the fault when the line is long.
const EXCERPT_LEAD = 60;

/** Makes a diagnostic, with its caret when the range is known. */
export function createDiagnostic(
  source: string,
  code: string,
  message: string,
  range?: CelRange,
): CelDiagnostic {
  // Replacements of built-ins are registered as `__name`; authors know them without the underscores.
  const text = oneLine(message.replace(/\b__(?=[a-z])/g, '')).slice(0, MAX_DIAGNOSTIC_LENGTH);
  if (range === undefined) return { code, message: text };
  const start = Math.min(Math.max(0, range.start), source.length);
  const end = Math.min(Math.max(start, range.end), source.length);
  return { code, message: text, range: { start, end }, caret: caretAt(source, start) };
}

/** Turns what the library threw into a diagnostic; anything unexpected becomes `compile_error`. */
export function toDiagnostic(source: string, error: unknown): CelDiagnostic {
  if (error instanceof ParseError || error instanceof CelTypeError || error instanceof EvaluationError) {
    return createDiagnostic(source, error.code, error.summary, error.range);
  }
  const message =
    error instanceof RangeError ? 'expression is nested too deeply' : 'expression cannot be compiled';
  return createDiagnostic(source, 'compile_error', message);
}

function caretAt(source: string, position: number): string {
  const lineStart = position === 0 ? 0 : source.lastIndexOf('\n', position - 1) + 1;
  const newline = source.indexOf('\n', position);
  const lineEnd = newline < 0 ? source.length : newline;
  const from = Math.max(lineStart, position - EXCERPT_LEAD);
  const excerpt = source.slice(from, Math.min(lineEnd, from + EXCERPT_WIDTH));
  return `${oneLine(excerpt)}\n${' '.repeat(position - from)}^`;
}
