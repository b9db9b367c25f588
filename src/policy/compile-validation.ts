// Is this rule an expression of its scope? Compiles one validation, or says what is wrong with it and where.
import type { CelEngine, CelProgram, CelScope, CelVariables } from './cel/engine.ts';
import type { CompiledValidation } from './compiled.ts';
import type { ValidationSpec } from './types.ts';

/** How validations are compiled. */
export interface ValidationContext {
  readonly engine: CelEngine;
  readonly report: (path: string, problem: string) => void;
  /** What `variables` holds; default nothing. */
  readonly variables?: CelVariables;
  /** Scopes of the expression and of its message; default: those of a policy's own validations. */
  readonly scopes?: { readonly expression: CelScope; readonly message: CelScope };
}

const POLICY_SCOPES = { expression: 'validation', message: 'message' } as const;

/** Compiles a validation; none when a problem was reported. @param path of the validation, for problems */
export function compileValidation(
  { expression, message, messageExpression }: ValidationSpec,
  path: string,
  { engine, report, variables, scopes = POLICY_SCOPES }: ValidationContext,
): readonly CompiledValidation[] {
  const compile = (source: string, scope: CelScope, field: string): CelProgram | undefined => {
    const result = engine.compile(source, scope, variables);
    if (result.ok) return result.program;
    for (const { message: problem, caret } of result.diagnostics)
      report(`${path}.${field}`, `${problem}${caret === undefined ? '' : `\n${caret}`}`);
    return undefined;
  };
  const program = compile(expression, scopes.expression, 'expression');
  const messageProgram =
    messageExpression === undefined
      ? undefined
      : compile(messageExpression, scopes.message, 'messageExpression');
  return program === undefined ? [] : [{ program, message, messageProgram }];
}
