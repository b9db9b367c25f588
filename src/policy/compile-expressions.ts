// Which conditions and variables has this policy? Compiles expressions that have names; what they mean for a request is
// select.ts's and the engine's to say.
import { NO_VARIABLES, type CelVariables } from './cel/variables.ts';
import type { CelEngine, CelVariableScope } from './cel/engine.ts';
import type { CelDiagnostic } from './cel/diagnostic.ts';
import type { CompiledCondition, CompiledVariables } from './compiled.ts';
import type { NamedExpression } from './types.ts';

type Report = (path: string, problem: string) => void;

/** Rules of a policy without variables. */
export const WITHOUT_VARIABLES: CompiledVariables = { rules: NO_VARIABLES, attestations: NO_VARIABLES };

/** Compiles match conditions; none when a problem was reported: a broken condition takes nothing out of the policy. */
export function compileConditions(
  conditions: readonly NamedExpression[],
  engine: CelEngine,
  report: Report,
): readonly CompiledCondition[] {
  refuseTwins(conditions, 'spec.matchConditions', report);
  const compiled = conditions.flatMap(({ name, expression }, index) => {
    const result = engine.compile(expression, 'matchCondition');
    if (result.ok) return [{ name, program: result.program }];
    reportAll(result.diagnostics, `spec.matchConditions[${index}].expression`, report);
    return [];
  });
  return compiled.length === conditions.length ? compiled : [];
}

/** Compiles variables in their order; each sees those before it. */
export function compileVariables(
  variables: readonly NamedExpression[],
  engine: CelEngine,
  report: Report,
): CompiledVariables {
  refuseTwins(variables, 'spec.variables', report);
  refuseConstructor(variables, report);
  const compile = (scope: CelVariableScope, tell: Report): CelVariables => {
    let known = NO_VARIABLES;
    for (const [index, declaration] of variables.entries()) {
      if (known.some(({ name }) => name === declaration.name)) continue;
      const result = engine.compileVariable(declaration, scope, known);
      if (result.ok) known = [...known, result.variable];
      else reportAll(result.diagnostics, `spec.variables[${index}].expression`, tell);
    }
    return known;
  };
  return {
    rules: compile('variable', report),
    // What reads attestations is not known yet where one of them is judged; that is no fault unless a rule wants it.
    attestations: compile('attestationVariable', () => undefined),
  };
}

function reportAll(diagnostics: readonly CelDiagnostic[], path: string, report: Report): void {
  for (const { message, caret } of diagnostics)
    report(path, `${message}${caret === undefined ? '' : `\n${caret}`}`);
}

// The engine knows a value's type by its constructor.
function refuseConstructor(variables: readonly NamedExpression[], report: Report): void {
  const index = variables.findIndex(({ name }) => name === 'constructor');
  if (index >= 0)
    report(`spec.variables[${index}].name`, 'constructor is no name of a variable; choose another one');
}

function refuseTwins(expressions: readonly NamedExpression[], path: string, report: Report): void {
  const names = expressions.map(({ name }) => name);
  if (new Set(names).size !== names.length) report(path, 'two entries have the same name');
}
