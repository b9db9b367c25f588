// How is a computation applied to a value that may be absent? optMap and optFlatMap of cel-go's optional library.
import { Optional } from 'cel-js';
import type { CelChecker, CelEvaluator, CelNode, CelScopeContext, CelType } from './ast.ts';
import { celError } from './errors.ts';

interface Parts {
  readonly receiver: CelNode;
  readonly args: readonly [CelNode, CelNode];
}

/** Makes the library's expander of optMap, or of optFlatMap, whose expression is optional itself. */
export function optionalMacro(isFlat: boolean): (parts: Parts) => object {
  return ({ receiver, args: [variable, expression] }) => {
    let inner: CelScopeContext | undefined;
    return {
      async: false,
      typeCheck: (checker: CelChecker, _macro: unknown, context: CelScopeContext) => {
        const type = contentType(checker, receiver, checker.check(receiver, context));
        inner = context.forkWithVariable(nameOf(checker, variable), type);
        const result = checker.check(expression, inner);
        return isFlat
          ? requireOptional(checker, expression, result)
          : checker.registry.getOptionalType(result);
      },
      evaluate: (evaluator: CelEvaluator, _macro: unknown, context: CelScopeContext) => {
        const optional = asOptional(evaluator.run(receiver, context));
        if (!optional.hasValue()) return optional;
        if (inner === undefined) throw celError('no_such_overload');
        const result = evaluator.run(
          expression,
          inner.reuse(context).setIterValue(optional.value(), evaluator),
        );
        return isFlat ? asOptional(result) : Optional.of(result);
      },
    };
  };
}

function asOptional(value: unknown): Optional {
  if (value instanceof Optional) return value;
  throw celError('optional_expected');
}

function contentType(checker: CelChecker, node: CelNode, type: CelType): CelType {
  if (type.kind === 'dyn') return type;
  if (type.kind === 'optional') return isOpen(type.valueType) ? checker.getType('dyn') : type.valueType;
  throw checker.createError('optional_expected', `receiver must be optional, got '${type.name}'`, node);
}

// The content of optional.none() can be anything.
function isOpen(type: CelType | undefined): type is undefined {
  return type === undefined || type.kind === 'param';
}

function requireOptional(checker: CelChecker, node: CelNode, type: CelType): CelType {
  if (type.kind === 'dyn') return checker.getType('optional');
  if (type.kind === 'optional') return type;
  throw checker.createError('optional_expected', `expression must be optional, got '${type.name}'`, node);
}

function nameOf(checker: CelChecker, node: CelNode): string {
  if (node.op === 'id' && typeof node.args === 'string') return node.args;
  throw checker.createError('invalid_macro_argument', 'variable must be an identifier', node);
}
